//! Edits by offset, for libraries that report the offsets of values.

use std::ops::Range;

use super::job::{FIXED, is_fixed};

/// What was found in a request.
#[derive(Default)]
pub(crate) struct Spans {
    pub(crate) fixed_model: bool,
    /// Members that are removed on a model with fixed sampling values, with a comma.
    refused: Vec<Range<usize>>,
    /// The values of roles, with quotes.
    developers: Vec<Range<usize>>,
    /// Content arrays, each with the number of texts before it and in it.
    arrays: Vec<(Range<usize>, usize)>,
    /// The texts in these arrays, without quotes.
    texts: Vec<Range<usize>>,
    has_other_parts: bool,
}

impl Spans {
    pub(crate) fn model(&mut self, id: &str) {
        self.fixed_model = is_fixed(id);
    }

    pub(crate) fn number(&mut self, key: &str, number: f64, member: Range<usize>) {
        if FIXED
            .iter()
            .any(|&(name, value)| name == key && value != number)
        {
            self.refused.push(member);
        }
    }

    pub(crate) fn role(&mut self, role: &str, quoted: Range<usize>) {
        if role == "developer" {
            self.developers.push(quoted);
        }
    }

    /// A part, with the content of its text if it is a text part.
    pub(crate) fn part(&mut self, text: Option<Range<usize>>) {
        match text {
            Some(text) => self.texts.push(text),
            None => self.has_other_parts = true,
        }
    }

    /// Ends a content array, after its parts.
    pub(crate) fn array(&mut self, array: Range<usize>) {
        self.arrays.push((array, self.texts.len()));
    }

    /// Passes on the edited body.
    pub(crate) fn apply(self, body: &[u8], send: &mut dyn FnMut(&[u8])) {
        let mut edits: Vec<(Range<usize>, &str)> = Vec::new();
        if self.fixed_model {
            edits.extend(self.refused.into_iter().map(|member| (member, "")));
        }
        edits.extend(self.developers.into_iter().map(|role| (role, "\"system\"")));
        if !self.has_other_parts {
            let mut first = 0;
            for (array, last) in self.arrays {
                let mut start = array.start;
                let mut quote = "\"";
                for text in &self.texts[first..last] {
                    edits.push((start..text.start, quote));
                    (start, quote) = (text.end, "");
                }
                edits.push((start..array.end, if first == last { "\"\"" } else { "\"" }));
                first = last;
            }
        }
        if edits.is_empty() {
            return send(body);
        }
        edits.sort_by_key(|(span, _)| span.start);
        let mut out = Vec::with_capacity(body.len() + 16);
        let mut done = 0;
        for (span, text) in edits {
            out.extend_from_slice(&body[done..span.start]);
            out.extend_from_slice(text.as_bytes());
            done = span.end;
        }
        out.extend_from_slice(&body[done..]);
        send(&out);
    }
}

/// Returns the span of a member with the comma before it, or with the one after it for
/// the first member. `after` is the end of the previous value, or of the opening brace.
pub(crate) fn with_comma(body: &[u8], after: usize, is_first: bool, end: usize) -> Range<usize> {
    let behind = body[end..]
        .iter()
        .position(|byte| !byte.is_ascii_whitespace());
    match behind {
        Some(at) if is_first && body[end + at] == b',' => after..end + at + 1,
        _ => after..end,
    }
}
