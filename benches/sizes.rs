//! Bodies of one kind and many sizes, to check that the cost per byte stays constant.

use std::{fmt::Write, ops::Range};

use bytes::Bytes;

use crate::bodies::Rng;

/// Something of which a request has few or many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    pub(crate) of: &'static str,
    pub(crate) counts: &'static [usize],
    /// The count whose cost per byte the largest one is compared with. It is large enough
    /// that buffers have grown and fixed costs don't matter.
    #[allow(dead_code, reason = "only the gate judges")]
    pub(crate) small: usize,
    make: fn(&mut Rng, usize) -> String,
}

pub(crate) const GROWTHS: [Growth; 5] = [
    Growth {
        of: "messages",
        counts: &[10, 100, 1_000, 10_000],
        small: 100,
        make: messages,
    },
    Growth {
        of: "content parts",
        counts: &[10, 100, 1_000, 10_000, 100_000],
        small: 100,
        make: parts,
    },
    Growth {
        of: "tools",
        counts: &[10, 100, 1_000],
        small: 10,
        make: tools,
    },
    Growth {
        of: "edits",
        counts: &[10, 100, 1_000, 10_000],
        small: 100,
        make: edits,
    },
    Growth {
        of: "bytes of text",
        counts: &[1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000],
        small: 100_000,
        make: text,
    },
];

impl Growth {
    /// Creates bodies with this count. Small ones differ, so that branch predictors can't
    /// learn them.
    pub(crate) fn bodies(&self, count: usize) -> Vec<Bytes> {
        let body = |seed| Bytes::from((self.make)(&mut Rng::new(seed), count));
        let first = body(1);
        let variants: Range<u64> = if first.len() < 500_000 { 2..9 } else { 2..2 };
        std::iter::once(first).chain(variants.map(body)).collect()
    }
}

const HEAD: &str = r#"{"model":"kimi-k3","messages":["#;

/// Joins `count` elements with commas.
fn list(body: &mut String, count: usize, mut element: impl FnMut(&mut String, usize)) {
    for index in 0..count {
        body.push_str(if index > 0 { "," } else { "" });
        element(body, index);
    }
}

fn message(body: &mut String, role: &str, text: &str) {
    write!(body, r#"{{"role":"{role}","content":"{text}"}}"#).unwrap();
}

fn messages(rng: &mut Rng, count: usize) -> String {
    let mut body = String::from(HEAD);
    list(&mut body, count, |body, index| {
        let role = ["user", "assistant"][index % 2];
        message(body, role, &rng.words(40 + index * 7 % 100));
    });
    body + "]}"
}

/// Messages with a role that needs an edit.
fn edits(rng: &mut Rng, count: usize) -> String {
    let mut body = String::from(HEAD);
    list(&mut body, count, |body, index| {
        message(body, "developer", &rng.words(40 + index * 7 % 100));
    });
    body + "]}"
}

/// Parts of one array, which is not flattened because it contains an image.
fn parts(rng: &mut Rng, count: usize) -> String {
    let mut body = format!(
        "{HEAD}{}",
        r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"ms://1"}},"#
    );
    list(&mut body, count, |body, index| {
        let text = rng.words(40 + index * 7 % 100);
        write!(body, r#"{{"type":"text","text":"{text}"}}"#).unwrap();
    });
    body + "]}]}"
}

fn tools(rng: &mut Rng, count: usize) -> String {
    let mut body = String::from(HEAD);
    message(&mut body, "user", "Go on.");
    body.push_str(r#"],"tools":["#);
    list(&mut body, count, |body, index| {
        write!(
            body,
            concat!(
                r#"{{"type":"function","function":{{"name":"tool_{}","description":"{}","#,
                r#""parameters":{{"type":"object","properties":{{"path":{{"type":"string"}},"#,
                r#""line":{{"type":"integer"}}}},"required":["path"]}}}}}}"#,
            ),
            index,
            rng.words(40 + index * 7 % 100),
        )
        .unwrap();
    });
    body + "]}"
}

fn text(rng: &mut Rng, count: usize) -> String {
    let mut body = String::from(HEAD);
    message(&mut body, "user", &rng.words(count));
    body + "]}"
}
