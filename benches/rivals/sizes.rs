//! Bodies of one kind and many sizes, to check that the cost per byte stays constant.

use std::{fmt::Write, ops::Range};

use bytes::Bytes;

use crate::bodies::Rng;

/// Something of which a request has few or many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    pub(crate) of: &'static str,
    /// Whether schemas are repaired, which only ours does.
    #[allow(dead_code, reason = "only what compares candidates asks")]
    pub(crate) repairs: bool,
    pub(crate) counts: &'static [usize],
    /// The count whose cost per byte the largest one is compared with. It is large enough
    /// that buffers have grown and fixed costs don't matter.
    #[allow(dead_code, reason = "only the gate judges")]
    pub(crate) small: usize,
    make: fn(&mut Rng, usize) -> String,
}

pub(crate) const GROWTHS: [Growth; 9] = [
    Growth {
        of: "messages",
        repairs: false,
        counts: &[10, 100, 1_000, 10_000],
        small: 100,
        make: messages,
    },
    Growth {
        of: "content parts",
        repairs: false,
        counts: &[10, 100, 1_000, 10_000, 100_000],
        small: 100,
        make: parts,
    },
    Growth {
        of: "tools",
        repairs: false,
        counts: &[10, 100, 1_000],
        small: 10,
        make: tools,
    },
    Growth {
        of: "tools to repair",
        repairs: true,
        counts: &[10, 100, 1_000],
        small: 100,
        make: broken_tools,
    },
    Growth {
        of: "properties to repair",
        repairs: true,
        counts: &[10, 100, 1_000, 3_000],
        small: 1_000,
        make: broken_properties,
    },
    Growth {
        of: "references to repair",
        repairs: true,
        counts: &[10, 100, 1_000],
        small: 100,
        make: old_references,
    },
    Growth {
        of: "names required in reverse",
        repairs: false,
        counts: &[10, 100, 200],
        small: 100,
        make: reverse_required,
    },
    Growth {
        of: "edits",
        repairs: false,
        counts: &[10, 100, 1_000, 10_000],
        small: 100,
        make: edits,
    },
    Growth {
        of: "bytes of text",
        repairs: false,
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

fn with_schema(schema: &str) -> String {
    let mut body = String::from(HEAD);
    message(&mut body, "user", "Go on.");
    body.push_str(r#"],"tools":[{"type":"function","function":{"name":"tool","parameters":"#);
    body + schema + "}}]}"
}

/// Each has one property that is no schema of Moonshot's dialect.
fn broken_tools(rng: &mut Rng, count: usize) -> String {
    tools(rng, count).replace(r#""line":{"type":"integer"}"#, r#""line":true"#)
}

fn broken_properties(_: &mut Rng, count: usize) -> String {
    let mut schema = String::from(r#"{"type":"object","properties":{"#);
    list(&mut schema, count, |schema, index| {
        write!(schema, r#""property_{index}":true"#).unwrap();
    });
    with_schema(&(schema + "}}"))
}

/// A chain of definitions under their old name.
fn old_references(_: &mut Rng, count: usize) -> String {
    let mut schema = String::from(
        r##"{"type":"object","properties":{"first":{"$ref":"#/definitions/A0"}},"definitions":{"##,
    );
    list(&mut schema, count, |schema, index| {
        let next = (index + 1) % count;
        write!(
            schema,
            r##""A{index}":{{"type":"object","properties":{{"next":{{"$ref":"#/definitions/A{next}"}}}}}}"##
        )
        .unwrap();
    });
    with_schema(&(schema + "}}"))
}

/// Five properties for each name that is required.
fn reverse_required(_: &mut Rng, count: usize) -> String {
    let mut schema = String::from(r#"{"type":"object","properties":{"#);
    list(&mut schema, 5 * count - 4, |schema, index| {
        write!(schema, r#""property_{index}":{{}}"#).unwrap();
    });
    schema.push_str(r#"},"required":["#);
    list(&mut schema, count, |schema, index| {
        write!(schema, r#""property_{}""#, 5 * (count - 1 - index)).unwrap();
    });
    with_schema(&(schema + "]}"))
}

fn text(rng: &mut Rng, count: usize) -> String {
    let mut body = String::from(HEAD);
    message(&mut body, "user", &rng.words(count));
    body + "]}"
}
