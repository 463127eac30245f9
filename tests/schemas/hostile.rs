//! Schemas written to make a rewrite slow, large or deep.

use std::{
    fs,
    sync::{
        OnceLock,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use super::Place;

/// Stack of the thread that rewrites. Without optimization a function has room of
/// its own for every vector of every function that is inlined into it, so a debug
/// build gets what a thread has by default.
const STACK: usize = if cfg!(debug_assertions) { 2048 } else { 256 } * 1024;

/// What no schema may cost: so many times what a schema of Moonshot's full length
/// costs that has one thing to repair, and so much beside. This is to find what
/// grows with the square of a schema's length, which takes a hundred times as long
/// and more; it has to let pass what is merely slow, and the noise of a machine
/// that does much else, so it is far from being close.
const TIMES: u64 = 20;
const FREE: Duration = Duration::from_millis(500);

/// The rewrite of a test that does not end.
const PATIENCE: Duration = Duration::from_secs(100);

/// The longest schema that Moonshot reads.
const MAX_BYTES: usize = 120_000;

pub(crate) struct Hostile {
    pub(crate) name: &'static str,
    schema: String,
    /// Whether it has to come out valid. Else it may stay as it is, because no
    /// repair may be small enough.
    repairable: bool,
}

impl Hostile {
    pub(crate) fn check(&self) -> Result<(), String> {
        let (result, cost) = in_a_small_thread(self.schema.clone())?;
        let out = result.map_err(|error| shortened(&error))?;

        let changed = out != self.schema;
        let value = serde_json::from_str(&out)
            .map_err(|error| format!("can't be read any more: {error}"))?;
        if let Err(error) = Place::Parameters.verdict(&value) {
            if changed || self.repairable {
                return Err(format!("still refused: {}", shortened(&error)));
            }
        }
        if out.len() > self.schema.len().max(MAX_BYTES) {
            let (before, after) = (self.schema.len(), out.len());
            return Err(format!("{before} bytes became {after}"));
        }
        let (Some(cost), Some(benign)) = (cost, benign_cost()) else {
            return Ok(());
        };
        let limit = benign * u32::try_from(TIMES).unwrap_or(1) + FREE;
        if cost > limit {
            return Err(format!("took {cost:?} of the processor, not {limit:?}"));
        }
        Ok(())
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(400).collect()
}

/// Rewrites (twice, to see that the second finds nothing) on a small stack.
/// Measured is the processor time of that thread alone, which other load on the
/// machine doesn't touch; a counting allocator would need `unsafe`.
#[allow(clippy::type_complexity, reason = "read in one place")]
fn in_a_small_thread(schema: String) -> Result<(Result<String, String>, Option<Duration>), String> {
    let (done, result) = mpsc::channel();
    let spawned = thread::Builder::new().stack_size(STACK).spawn(move || {
        let before = processor_time();
        let out = Place::Parameters.rewrite(&schema);
        let after = processor_time();
        let cost = after.zip(before).map(|(after, before)| after - before);
        let _ = done.send((out, cost));
    });
    spawned.map_err(|error| error.to_string())?;
    result.recv_timeout(PATIENCE).map_err(|error| match error {
        RecvTimeoutError::Timeout => "does not end".to_owned(),
        RecvTimeoutError::Disconnected => "panicked".to_owned(),
    })
}

/// What Linux says that this thread has computed.
fn processor_time() -> Option<Duration> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = statistics.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

fn benign_cost() -> Option<Duration> {
    static COST: OnceLock<Option<Duration>> = OnceLock::new();
    *COST.get_or_init(|| {
        let property = |index: usize| {
            format!(r#""p{index}":{{"type":"string","description":"what it is, in words"}}"#)
        };
        let properties = listed(1800, property);
        let schema = format!(r#"{{"type":"object","properties":{{"a":true,{properties}}}}}"#);
        assert!((100_000..MAX_BYTES).contains(&schema.len()));
        let (_, cost) = in_a_small_thread(schema).ok()?;
        cost
    })
}

fn listed(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

fn nested(levels: usize, core: &str, wrap: impl Fn(&str, usize) -> String) -> String {
    (0..levels).fold(core.to_owned(), |inner, level| wrap(&inner, level))
}

/// A tool with one property.
fn holding(property: &str) -> String {
    format!(r#"{{"type":"object","properties":{{"p":{property}}}}}"#)
}

fn object(properties: &str, rest: &str) -> String {
    format!(r#"{{"type":"object","properties":{{{properties}}}{rest}}}"#)
}

pub(crate) fn schemas() -> Vec<Hostile> {
    let repairable = |name, schema| Hostile {
        name,
        schema,
        repairable: true,
    };
    let at_a_limit = |name, schema| Hostile {
        name,
        schema,
        repairable: false,
    };
    let pad = |bytes: usize| "x".repeat(bytes);
    vec![
        repairable(
            "types beside nested anyOf, 100 KB",
            holding(&nested(50, r#"{"const":"x"}"#, |inner, level| {
                let words = pad(2000);
                format!(
                    r#"{{"type":"string","description":"{words}","anyOf":[{{"enum":["v{level}"]}},{inner}]}}"#
                )
            })),
        ),
        at_a_limit(
            "defaults on both sides of nested anyOf, each with two of the next",
            holding(&nested(12, r#"{"type":"string","default":1}"#, |inner, _| {
                format!(r#"{{"type":"string","default":1,"anyOf":[{inner},{{"default":2}},{inner}]}}"#)
            })),
        ),
        at_a_limit(
            "lists of types that hold lists of types",
            holding(&nested(24, r#"{"type":["string","null"],"default":null}"#, |inner, _| {
                format!(
                    r#"{{"type":["object","array","null"],"minItems":1,"required":["q"],"default":null,"properties":{{"q":{inner}}}}}"#
                )
            })),
        ),
        at_a_limit(
            "lists of types with what belongs to none of them",
            holding(&nested(40, r#"{"type":["string","null"],"default":null}"#, |inner, _| {
                format!(r#"{{"type":["array","object","string"],"default":null,"x-any":1,"items":{inner}}}"#)
            })),
        ),
        at_a_limit(
            "seven types for 60 KB that belong to none",
            holding(&format!(
                r#"{{"type":["string","integer","number","boolean","null","object","array"],"x-notes":"{}","default":1}}"#,
                pad(60_000)
            )),
        ),
        at_a_limit(
            "seven types for 60 KB of properties",
            holding(&format!(
                r#"{{"type":["string","integer","number","boolean","null","object","array"],"properties":{{{}}}}}"#,
                listed(900, |index| format!(r#""p{index}":{{"description":"some words, to be long"}}"#))
            )),
        ),
        repairable(
            "a ring of names that is required",
            object(
                r##""p":{"$ref":"#/definitions/A0"}"##,
                &format!(
                    r#","required":["p"],"definitions":{{{}}}"#,
                    listed(1500, |index| {
                        let next = (index + 1) % 1500;
                        format!(r##""A{index}":{{"$ref":"#/definitions/A{next}"}}"##)
                    })
                ),
            ),
        ),
        repairable(
            "a ring of branches that is required",
            object(
                r##""p":{"$ref":"#/definitions/A0"}"##,
                &format!(
                    r#","required":["p"],"definitions":{{{}}}"#,
                    listed(700, |index| {
                        let next = (index + 1) % 700;
                        format!(
                            r##""A{index}":{{"anyOf":[{{"$ref":"#/definitions/A{next}"}},{{"$ref":"#/definitions/A{next}"}}]}}"##
                        )
                    })
                ),
            ),
        ),
        at_a_limit(
            "a ring of objects that require the next twice",
            object(
                r##""p":{"$ref":"#/$defs/A0"}"##,
                &format!(
                    r#","required":["p"],"$defs":{{{}}}"#,
                    listed(500, |index| {
                        let next = (index + 1) % 500;
                        format!(
                            r##""A{index}":{{"type":"object","properties":{{"l":{{"$ref":"#/$defs/A{next}"}},"r":{{"$ref":"#/$defs/A{next}"}}}},"required":["l","r"]}}"##
                        )
                    })
                ),
            ),
        ),
        repairable(
            "2^24 strings by way of definitions",
            object(
                r##""p":{"$ref":"#/definitions/A0"}"##,
                &format!(
                    r##","definitions":{{{},"A24":{{"type":"string"}}}}"##,
                    listed(24, |index| {
                        let next = index + 1;
                        format!(
                            r##""A{index}":{{"type":"object","properties":{{"l":{{"$ref":"#/definitions/A{next}"}},"r":{{"$ref":"#/definitions/A{next}"}}}}}}"##
                        )
                    })
                ),
            ),
        ),
        at_a_limit(
            "2^40 strings by way of pointers",
            object(
                &format!(
                    r#"{},"a40":{{"type":"string"}}"#,
                    listed(40, |index| {
                        let next = index + 1;
                        format!(
                            r##""a{index}":{{"type":"object","properties":{{"l":{{"$ref":"#/properties/a{next}"}},"r":{{"$ref":"#/properties/a{next}"}}}}}}"##
                        )
                    })
                ),
                "",
            ),
        ),
        at_a_limit(
            "2^40 forms of a root by way of branches of branches",
            format!(
                r##"{{"anyOf":[{{"$ref":"#/$defs/A0"}}],"$defs":{{{},"A40":{{"type":"object"}}}}}}"##,
                listed(40, |index| {
                    let next = index + 1;
                    format!(
                        r##""A{index}":{{"properties":{{"p{index}":{{}}}},"anyOf":[{{"$ref":"#/$defs/A{next}"}},{{"$ref":"#/$defs/A{next}"}}]}}"##
                    )
                })
            ),
        ),
        at_a_limit(
            "properties that point at all the others",
            object(
                &listed(30, |index| {
                    let others = listed(30, |other| {
                        format!(r##""q{other}":{{"$ref":"#/properties/p{other}"}}"##)
                    });
                    format!(r#""p{index}":{{"type":"object","properties":{{{others}}}}}"#)
                }),
                "",
            ),
        ),
        repairable(
            "a long chain of names",
            object(
                r##""p":{"$ref":"#/definitions/A0"}"##,
                &format!(
                    r##","definitions":{{{},"A2500":{{"type":"string"}}}}"##,
                    listed(2500, |index| {
                        format!(r##""A{index}":{{"$ref":"#/definitions/A{}"}}"##, index + 1)
                    })
                ),
            ),
        ),
        at_a_limit(
            "a long chain of pointers",
            object(
                &format!(
                    r#"{},"a2500":{{"type":"string"}}"#,
                    listed(2500, |index| {
                        format!(r##""a{index}":{{"$ref":"#/properties/a{}"}}"##, index + 1)
                    })
                ),
                "",
            ),
        ),
        repairable(
            "a long chain for a root",
            format!(
                r##"{{"$ref":"#/$defs/A0","$defs":{{{},"A2500":{{"type":"object"}}}}}}"##,
                listed(2500, |index| format!(
                    r##""A{index}":{{"$ref":"#/$defs/A{}"}}"##,
                    index + 1
                ))
            ),
        ),
        at_a_limit(
            "a long pointer through the same property",
            object(
                &format!(
                    r##""a":{{"properties":{{"a":{{"$ref":"#/properties/a"}}}}}},"b":{{"$ref":"#{}"}}"##,
                    "/properties/a".repeat(7000)
                ),
                "",
            ),
        ),
        repairable(
            "a root that is itself",
            r##"{"$ref":"#","properties":{"a":{"type":"string"}}}"##.to_owned(),
        ),
        repairable(
            "a root whose branches are itself",
            r##"{"type":"object","anyOf":[{"$ref":"#"},{"$ref":"#"}],"properties":{"a":{"$ref":"#"}},"required":["a"]}"##
                .to_owned(),
        ),
        at_a_limit(
            "objects in objects, deeper than Moonshot looks",
            holding(&nested(55, r#"{"type":"any"}"#, |inner, _| holding(inner))),
        ),
        at_a_limit(
            "definitions that hold definitions, deeper than Moonshot looks",
            object(
                r##""p":{"$ref":"#/definitions/A0"}"##,
                &format!(
                    r##","definitions":{{{},"A60":{{"type":"any"}}}}"##,
                    listed(60, |index| format!(
                        r##""A{index}":{{"type":"object","properties":{{"p":{{"$ref":"#/definitions/A{}"}}}}}}"##,
                        index + 1
                    ))
                ),
            ),
        ),
        repairable(
            "definitions within definitions, all of one name",
            holding(&nested(50, r##"{"$ref":"#/$defs/A"}"##, |inner, _| {
                format!(r#"{{"$defs":{{"A":{inner}}},"type":"string"}}"#)
            })),
        ),
        repairable(
            "items in items",
            holding(&nested(100, "true", |inner, _| format!(r#"{{"type":"array","items":{inner}}}"#))),
        ),
        repairable(
            "tuples in tuples",
            holding(&nested(35, "{}", |inner, _| {
                format!(r#"{{"type":"array","items":[{{"type":"string"}},{inner}]}}"#)
            })),
        ),
        at_a_limit(
            "tuples in tuples, whose repair nests more deeply than a body may",
            holding(&nested(55, "{}", |inner, _| {
                format!(r#"{{"type":"array","items":[{{"type":"string"}},{inner}]}}"#)
            })),
        ),
        repairable(
            "old references where Moonshot doesn't look",
            object(
                &format!(
                    r##""q":{{"$ref":"#/definitions/A"}},"p":{}"##,
                    nested(50, r##"{"$ref":"#/definitions/A"}"##, |inner, _| {
                        format!(r##"{{"allOf":[{inner},{{"$ref":"#/definitions/A"}}]}}"##)
                    })
                ),
                r#","definitions":{"A":{"type":"string"}}"#,
            ),
        ),
        repairable(
            "as many broken properties as Moonshot reads",
            object(&listed(3000, |index| format!(r#""p{index}":true"#)), ""),
        ),
        at_a_limit(
            "one broken property more than Moonshot reads",
            object(&listed(3001, |index| format!(r#""p{index}":true"#)), ""),
        ),
        at_a_limit(
            "one byte more than Moonshot reads",
            {
                let of = |words: &str| object(r#""a":true"#, &format!(r#","description":"{words}""#));
                of(&pad(MAX_BYTES + 1 - of("").len()))
            },
        ),
        at_a_limit(
            "as many bytes as Moonshot reads, without the root's type",
            {
                let of = |words: &str| format!(r#"{{"description":"{words}"}}"#);
                of(&pad(MAX_BYTES - of("").len()))
            },
        ),
        repairable(
            "as many branches as Moonshot reads, with a type beside them",
            holding(&format!(
                r#"{{"type":"integer","anyOf":[{}]}}"#,
                listed(500, |index| format!(r#"{{"const":{index}}}"#))
            )),
        ),
        at_a_limit(
            "one branch more than Moonshot reads, with a type beside them",
            holding(&format!(
                r#"{{"type":"integer","anyOf":[{}]}}"#,
                listed(501, |index| format!(r#"{{"const":{index}}}"#))
            )),
        ),
        repairable(
            "a root of as many branches as Moonshot reads, with a property that differs",
            format!(
                r#"{{"anyOf":[{}]}}"#,
                listed(500, |index| format!(
                    r#"{{"type":"object","properties":{{"k":{{"const":{index}}},"p{index}":{{"type":"string"}}}},"required":["k"],"additionalProperties":false}}"#
                ))
            ),
        ),
        at_a_limit(
            "a root of more branches than Moonshot reads",
            format!(
                r#"{{"anyOf":[{}]}}"#,
                listed(900, |index| format!(
                    r#"{{"type":"object","properties":{{"k":{{"const":{index}}}}}}}"#
                ))
            ),
        ),
        at_a_limit(
            "400 branches that each need a copy of 40 KB",
            holding(&format!(
                r#"{{"type":"object","properties":{{{}}},"anyOf":[{}]}}"#,
                listed(400, |index| {
                    let words = pad(80);
                    format!(r#""p{index}":{{"description":"{words}"}}"#)
                }),
                listed(400, |index| format!(r#"{{"required":["p{index}"]}}"#))
            )),
        ),
        repairable(
            "as many values as Moonshot reads, without a type",
            holding(&format!(r#"{{"enum":[{}]}}"#, listed(1000, |index| index.to_string()))),
        ),
        at_a_limit(
            "10 000 values",
            holding(&format!(r#"{{"enum":[{}]}}"#, listed(10_000, |index| index.to_string()))),
        ),
        at_a_limit(
            "10 000 values of two types",
            holding(&format!(
                r#"{{"enum":[{}]}}"#,
                listed(5000, |index| format!(r#"{index},"v{index}""#))
            )),
        ),
        at_a_limit(
            "5 000 types",
            holding(&format!(
                r#"{{"type":[{}],"default":1}}"#,
                listed(5000, |index| format!(
                    "\"{}\"",
                    ["string", "null", "array", "object", "any"][index % 5]
                ))
            )),
        ),
        repairable(
            "5 000 names of properties that are not there",
            format!(
                r#"{{"type":"object","properties":{{}},"required":[{}]}}"#,
                listed(5000, |index| format!("\"p{index}\""))
            ),
        ),
        repairable(
            "2 000 references to nothing",
            object(
                &listed(2000, |index| format!(r##""p{index}":{{"$ref":"#/$defs/D{index}"}}"##)),
                "",
            ),
        ),
        repairable(
            "a name of 100 KB that is reserved when read",
            format!(
                r#"{{"type":"object","properties":{{"{}":true}}}}"#,
                "\\u0061".repeat(18_000)
            ),
        ),
        repairable(
            "2 000 definitions with slashes in their names",
            object(
                &listed(1500, |index| format!(r##""p{index}":{{"$ref":"#/$defs/a~1{index}"}}"##)),
                &format!(
                    r#","$defs":{{{}}}"#,
                    listed(1500, |index| format!(r#""a/{index}":{{"type":"string"}}"#))
                ),
            ),
        ),
    ]
}
