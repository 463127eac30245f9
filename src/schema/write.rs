//! Writes a tree as text.

use std::borrow::Cow;

use super::{
    numbers::Set,
    tree::{Id, Tree, quoted, unquoted},
};
use crate::json::Kind;

/// What is still to be written.
enum Step {
    /// A member or an element, with a comma before it or without.
    Next {
        id: Id,
        comma: bool,
    },
    Close(char),
}

impl Tree<'_> {
    /// Writes a value. What was not changed is written as it is in the text,
    /// everything else compactly.
    pub(super) fn write(&self, id: Id) -> String {
        let mut dirty: Set<Id> = Set::default();
        for id in self.containers(id).into_iter().rev() {
            let is_dirty = |child| self.is_changed(child) || dirty.contains(&child);
            if self.is_changed(id) || self.children(id).any(is_dirty) {
                dirty.insert(id);
            }
        }
        let mut text = String::new();
        let mut steps = Vec::new();
        let mut next = Some(id);
        loop {
            if let Some(id) = next.take() {
                self.begin(id, !dirty.contains(&id), &mut text, &mut steps);
            }
            match steps.pop() {
                None => return text,
                Some(Step::Close(bracket)) => text.push(bracket),
                Some(Step::Next { id, comma }) => {
                    if comma {
                        text.push(',');
                    }
                    if self.is_member(id) {
                        text.push_str(&self.quoted_key(id));
                        text.push(':');
                    }
                    next = Some(id);
                }
            }
        }
    }

    /// Writes a scalar, or what is clean; of anything else the bracket that opens it.
    fn begin(&self, id: Id, is_clean: bool, text: &mut String, steps: &mut Vec<Step>) {
        let (open, close) = match self.kind(id) {
            Kind::Object if !is_clean => ('{', '}'),
            Kind::Array if !is_clean => ('[', ']'),
            _ => return text.push_str(self.raw(id)),
        };
        text.push(open);
        steps.push(Step::Close(close));
        let first = steps.len();
        let children = self.children(id).enumerate();
        steps.extend(children.map(|(place, id)| Step::Next {
            id,
            comma: place > 0,
        }));
        steps[first..].reverse();
    }

    /// The length of a value in compact JSON as Moonshot's validator counts it,
    /// which also escapes `<`, `>` and `&`. Its own key is not counted.
    pub(super) fn compact_length(&self, id: Id) -> usize {
        let mut length = self.scalar_length(id);
        for each in self
            .containers(id)
            .into_iter()
            .filter(|id| self.is_container(*id))
        {
            let mut children = 0;
            for child in self.children(each) {
                children += 1;
                length += self.scalar_length(child);
                if self.is_member(child) {
                    length += string_length(&self.quoted_key(child)) + 1;
                }
            }
            // Brackets, and commas between.
            length += children.max(1) + 1;
        }
        length
    }

    /// The length of a scalar; none of anything else.
    fn scalar_length(&self, id: Id) -> usize {
        match self.kind(id) {
            Kind::Object | Kind::Array => 0,
            Kind::String => string_length(self.raw(id)),
            Kind::Number => number_length(self.raw(id)),
            _ => self.raw(id).len(),
        }
    }
}

/// The length of a quoted string as Go writes it.
fn string_length(raw: &str) -> usize {
    let text = if raw.contains('\\') {
        Cow::Owned(quoted(&unquoted(raw)))
    } else {
        Cow::Borrowed(raw)
    };
    let longer = text.chars().map(|letter| match letter {
        '<' | '>' | '&' => 5,
        '\u{2028}' | '\u{2029}' => 3,
        _ => 0,
    });
    text.len() + longer.sum::<usize>()
}

/// The length of a number as Go writes it: a double, with the fewest digits.
fn number_length(raw: &str) -> usize {
    let is_integer = raw
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_integer && raw.len() <= 15 {
        return raw.len();
    }
    match raw.parse::<f64>() {
        Ok(number) if number != 0.0 && !(1e-6..1e21).contains(&number.abs()) => {
            // Go writes the sign of every exponent.
            format!("{number:e}").len() + usize::from(number.abs() >= 1.0)
        }
        Ok(number) => number.to_string().len(),
        Err(_) => raw.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_go() {
        for (raw, length) in [
            (r#""""#, 2),
            (r#""\u0041""#, 3),
            (r#""<&>""#, 20),
            ("\"\u{2028}\"", 8),
            (r#""\n\u0001""#, 10),
        ] {
            assert_eq!(string_length(raw), length, "{raw}");
        }
        assert_eq!(number_length("-12"), 3);
        assert_eq!(number_length("0.50"), 3);
        assert_eq!(number_length("1e20"), 21);
        assert_eq!(number_length("1.5e300"), 8);
        assert_eq!(number_length("1e-7"), 4);
    }
}
