//! The work of a repair grows with the length of a schema, whatever it says.

use super::{Budget, Outcome, Use, repair};

/// Steps that nothing needs.
const PLENTY: u64 = u64::MAX / 2;

/// A kind of schema that there can be much of.
struct Shape {
    what: &'static str,
    small: usize,
    make: fn(usize) -> String,
}

fn listed(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

fn object(properties: &str, rest: &str) -> String {
    format!(r#"{{"type":"object","properties":{{{properties}}}{rest}}}"#)
}

fn definitions(count: usize, definition: impl Fn(usize) -> String) -> String {
    let definitions = listed(count, |index| {
        let definition = definition(index);
        format!(r#""A{index}":{definition}"#)
    });
    format!(r#","$defs":{{{definitions}}}"#)
}

fn reference(index: usize) -> String {
    format!(r##"{{"$ref":"#/$defs/A{index}"}}"##)
}

const SHAPES: &[Shape] = &[
    Shape {
        what: "a long name around properties that are true",
        small: 500,
        make: |count| {
            let inner = object(&listed(count, |index| format!(r#""{index}":true"#)), "");
            object(&format!(r#""{}":{inner}"#, "x".repeat(10 * count)), "")
        },
    },
    Shape {
        what: "definitions within definitions, all of one name",
        small: 100,
        make: |count| {
            let property = |index: usize| {
                format!(
                    r##""p{index}":{{"type":"object","$defs":{{"A":{{"type":"string"}}}},"properties":{{"q":{{"$ref":"#/properties/p{index}/$defs/A"}}}}}}"##
                )
            };
            object(&listed(count, property), "")
        },
    },
    Shape {
        what: "many nested definitions of one name",
        small: 20,
        make: |count| {
            let many = |index: usize| {
                let inner = (0..20).fold(r##"{"$ref":"#/$defs/A"}"##.to_owned(), |inner, _| {
                    format!(r#"{{"$defs":{{"A":{inner}}},"type":"string"}}"#)
                });
                format!(r#""p{index}":{inner}"#)
            };
            object(&listed(count, many), "")
        },
    },
    Shape {
        what: "old definitions, each moved by itself",
        small: 200,
        make: |count| {
            let property =
                |index: usize| format!(r##""p{index}":{{"$ref":"#/definitions/A{index}"}}"##);
            let old = listed(count, |index| format!(r#""A{index}":{{"type":"string"}}"#));
            object(
                &listed(count, property),
                &format!(r#","definitions":{{{old}}},"$defs":{{"B":{{}}}}"#),
            )
        },
    },
    Shape {
        what: "a chain of references through properties",
        small: 300,
        make: |count| {
            let property = |index: usize| {
                let next = index + 1;
                format!(r##""a{index}":{{"$ref":"#/properties/a{next}"}}"##)
            };
            let properties = listed(count, property);
            object(
                &format!(r#"{properties},"a{count}":{{"type":"string"}}"#),
                "",
            )
        },
    },
    Shape {
        what: "a chain of references through objects",
        small: 200,
        make: |count| {
            let definition = |index: usize| {
                let next = reference((index + 1) % (count + 1));
                object(&format!(r#""n":{next}"#), "")
            };
            let last = definitions(count, definition);
            let last = last.trim_end_matches('}');
            object(
                &format!(r#""p":{},"q":true"#, reference(0)),
                &format!(r#"{last}}}}}}},"A{count}":{{"type":"string"}}}}"#),
            )
        },
    },
    Shape {
        what: "a chain of old definitions",
        small: 300,
        make: |count| {
            let old = |index: usize| {
                let next = (index + 1) % count;
                format!(r##""A{index}":{{"$ref":"#/definitions/A{next}"}}"##)
            };
            object(
                r##""p":{"$ref":"#/definitions/A0"}"##,
                &format!(
                    r#","required":["p"],"definitions":{{{}}}"#,
                    listed(count, old)
                ),
            )
        },
    },
    Shape {
        what: "a chain of references at the root",
        small: 300,
        make: |count| {
            let mut chain = definitions(count, |index| reference(index + 1));
            chain.truncate(chain.len() - 1);
            format!(r##"{{"$ref":"#/$defs/A0"{chain},"A{count}":{{"type":"object"}}}}}}"##)
        },
    },
    Shape {
        what: "a chain of anyOf",
        small: 200,
        make: |count| {
            let definition = |index: usize| {
                let next = reference((index + 1) % count);
                format!(r#"{{"anyOf":[{next},{{"type":"null"}}],"type":["object","null"]}}"#)
            };
            object(
                &format!(r#""p":{}"#, reference(0)),
                &definitions(count, definition),
            )
        },
    },
    Shape {
        what: "references from all to all",
        small: 900,
        make: |count| {
            let side = (count as f64).sqrt() as usize;
            let definition = |_: usize| {
                let all = listed(side, |other| format!(r#""q{other}":{}"#, reference(other)));
                object(&format!(r#"{all},"x":true"#), "")
            };
            let properties = listed(side, |index| format!(r#""p{index}":{}"#, reference(index)));
            object(&properties, &definitions(side, definition))
        },
    },
    Shape {
        what: "properties that are true",
        small: 500,
        make: |count| object(&listed(count, |index| format!(r#""p{index}":true"#)), ""),
    },
    Shape {
        what: "required in reverse order",
        small: 500,
        make: |count| {
            let properties = listed(count, |index| format!(r#""p{index}":{{}}"#));
            let required = listed(count, |index| format!(r#""p{}""#, count - 1 - index));
            object(&properties, &format!(r#","required":[{required}]"#))
        },
    },
    Shape {
        what: "required that nobody defines",
        small: 500,
        make: |count| {
            let required = listed(count, |index| format!(r#""p{index}""#));
            object(
                r#""a":{"description":"some words"},"b":true"#,
                &format!(r#","required":[{required}]"#),
            )
        },
    },
    Shape {
        what: "a tuple",
        small: 200,
        make: |count| {
            let items = listed(count, |index| format!(r#"{{"minimum":{index}}}"#));
            object(
                &format!(r#""a":{{"items":[{items}],"additionalItems":false}}"#),
                "",
            )
        },
    },
    Shape {
        what: "branches at the root",
        small: 100,
        make: |count| {
            let branches = listed(count, |index| {
                object(
                    &format!(r#""k":{{"const":{index}}},"p{index}":{{}}"#),
                    r#","required":["k"],"additionalProperties":false"#,
                )
            });
            format!(r#"{{"anyOf":[{branches}]}}"#)
        },
    },
    Shape {
        what: "references in oneOf to what is wider",
        small: 200,
        make: |count| {
            let property = |index: usize| {
                let reference = reference(index);
                format!(r#""p{index}":{{"oneOf":[{reference},{{"type":"null"}}]}}"#)
            };
            object(
                &listed(count, property),
                &definitions(count, |_| object(r#""a":false"#, "")),
            )
        },
    },
    Shape {
        what: "references that are met in not",
        small: 200,
        make: |count| {
            let property = |index: usize| {
                let reference = reference(index);
                format!(r#""p{index}":{{"not":{reference}}}"#)
            };
            object(
                &listed(count, property),
                &definitions(count, |_| "{}".to_owned()),
            )
        },
    },
    Shape {
        what: "lists of types",
        small: 200,
        make: |count| {
            let property =
                |index: usize| format!(r#""p{index}":{{"type":["string","null"],"default":null}}"#);
            object(&listed(count, property), "")
        },
    },
    Shape {
        what: "elements of data",
        small: 500,
        make: |count| {
            let data = listed(count, |_| "1".to_owned());
            object(&format!(r#""a":true,"b":{{"examples":[{data}]}}"#), "")
        },
    },
    Shape {
        what: "one pointer through the same property again and again",
        small: 500,
        make: |count| {
            let pointer = "/properties/a".repeat(count);
            object(
                &format!(
                    r##""a":{{"properties":{{"a":{{"$ref":"#/properties/a"}}}}}},"b":{{"$ref":"#{pointer}"}}"##
                ),
                "",
            )
        },
    },
];

fn steps(schema: &str) -> (u64, Outcome) {
    let mut budget = Budget::new(PLENTY);
    let outcome = repair(schema, Use::Tool, &mut budget);
    (PLENTY - budget.steps(), outcome)
}

#[test]
fn four_times_as_much_takes_little_more_than_four_times_the_steps() {
    let mut table = String::new();
    let mut failures = String::new();
    for shape in SHAPES {
        let [small, large] = [1, 4].map(|times| (shape.make)(times * shape.small));
        let ((few, outcome), (many, _)) = (steps(&small), steps(&large));
        let growth = many as f64 / few as f64 / (large.len() as f64 / small.len() as f64);
        let line = format!(
            "{:>6} {few:>8} {:>6} {many:>9} {growth:.2} {:.1} {} {}\n",
            small.len(),
            large.len(),
            many as f64 / large.len() as f64,
            shape.what,
            match outcome {
                Outcome::Repaired(_) => "repaired",
                Outcome::Clean => "clean",
                Outcome::Hopeless => "hopeless",
                Outcome::OutOfBudget => "out of budget",
            }
        );
        table.push_str(&line);
        // What is sorted, and what is looked at in large schemas only.
        if growth > 1.5 {
            failures.push_str(&line);
        }
    }
    println!("{table}");
    assert!(failures.is_empty(), "\n{failures}");
}
