//! A place in a request's body.

use std::fmt;

/// A place, as the way to it from the outside in. It is only written out for a
/// finding, so that checks of a request without faults allocate nothing for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    outer: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
    /// A pointer that was written out.
    Pointer(&'a str),
}

impl<'a> Place<'a> {
    /// The body itself.
    pub(super) const ROOT: Self = Self {
        outer: None,
        step: Step::Root,
    };

    pub(super) const fn key(&'a self, key: &'a str) -> Self {
        self.step(Step::Key(key))
    }

    pub(super) const fn index(&'a self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// The place to which a JSON Pointer leads from here.
    pub(super) const fn pointer(&'a self, pointer: &'a str) -> Self {
        self.step(Step::Pointer(pointer))
    }

    const fn step(&'a self, step: Step<'a>) -> Self {
        Self {
            outer: Some(self),
            step,
        }
    }
}

impl fmt::Display for Place<'_> {
    /// Writes a JSON Pointer (RFC 6901).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A handful of steps: the ways within schemas are pointers.
        if let Some(outer) = self.outer {
            outer.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) => {
                f.write_str("/")?;
                write_escaped(f, key)
            }
            Step::Index(index) => write!(f, "/{index}"),
            Step::Pointer(pointer) => f.write_str(pointer),
        }
    }
}

/// Writes a key as a JSON Pointer has it.
pub(super) fn write_escaped(out: &mut impl fmt::Write, key: &str) -> fmt::Result {
    for letter in key.chars() {
        match letter {
            '~' => out.write_str("~0")?,
            '/' => out.write_str("~1")?,
            _ => out.write_char(letter)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_written_as_a_json_pointer() {
        assert_eq!(Place::ROOT.to_string(), "");
        let message = Place::ROOT.key("messages");
        let message = message.index(3);
        assert_eq!(message.key("a/b~c").to_string(), "/messages/3/a~1b~0c");
        assert_eq!(message.pointer("/x/0").to_string(), "/messages/3/x/0");
    }
}
