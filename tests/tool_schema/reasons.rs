//! The report says of each change where its cause was, and why it was made.

use bytes::Bytes;
use tower_moonshot::MoonshotCompatLayer;

const PLACE: &str = "/tools/0/function/parameters";

/// The changes of a tool's parameters: places and reasons.
fn changes(schema: &str) -> Vec<(String, String)> {
    let body = format!(
        r#"{{"model":"kimi-k3","messages":[],"tools":[{{"type":"function","function":{{"name":"f","parameters":{schema}}}}}]}}"#
    );
    let (_, report) = MoonshotCompatLayer::new().rewrite(Bytes::from(body));
    let changes = report.changes().iter();
    changes
        .map(|change| {
            assert_eq!(change.rule().name(), "tool_schema");
            let pointer = change.pointer();
            let pointer = pointer.strip_prefix(PLACE).unwrap();
            (pointer.to_owned(), change.why().to_owned())
        })
        .collect()
}

#[test]
fn each_change_has_its_own_reason() {
    let never = "a property that is never admitted is left out";
    let schema = "a subschema must be an object";
    for (text, expected) in [
        (
            r#"{"type":"object","properties":{"a":{"type":"STRING"}}}"#,
            &[("/properties/a/type", "names of types are lower-case")][..],
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":"any"}}}"#,
            &[("/properties/a/type", "Moonshot knows no such type")],
        ),
        // One name that is reserved does not make another reason of the others'.
        (
            r#"{"type":"object","properties":{"required":{},"a":false,"b":false,"c":true}}"#,
            &[
                (
                    "/properties/required",
                    "no property may have the name of this keyword",
                ),
                ("/properties/a", never),
                ("/properties/b", never),
                ("/properties/c", schema),
            ],
        ),
        (
            r#"{"type":"object","properties":{"a":{"enum":["x"]},"b":{"enum":[1,"x"]},"c":{"type":"string","enum":["x",1]}}}"#,
            &[
                (
                    "/properties/c/enum",
                    "a value of enum has none of the types",
                ),
                (
                    "/properties/b/enum",
                    "the values of enum have several types",
                ),
                ("/properties/a/enum", "enum needs the type of its values"),
            ],
        ),
        (
            r#"{"type":"object","properties":{"a":{"items":[{}],"maxItems":1}}}"#,
            &[(
                "/properties/a/items",
                "the items of an array have one schema",
            )],
        ),
        (
            r#"{"type":"object","required":["a"]}"#,
            &[(
                "/required",
                "what is required must be one of the properties",
            )],
        ),
        (
            r#"{"properties":{}}"#,
            &[("/type", "the parameters of a tool are an object")],
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":["string","null"],"maxLength":1}}}"#,
            &[(
                "/properties/a/type",
                "only one type may have other keywords beside it",
            )],
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":"string","anyOf":[{}]}}}"#,
            &[(
                "/properties/a/type",
                "beside anyOf the type belongs in the branches",
            )],
        ),
        (
            r##"{"type":"object","properties":{"a":{"$ref":"#/no"},"b":{"$ref":"#/properties/c"},"c":{}}}"##,
            &[
                (
                    "/properties/b/$ref",
                    "only the root and $defs can be referred to",
                ),
                (
                    "/properties/a/$ref",
                    "a reference that leads nowhere admits everything",
                ),
            ],
        ),
        (
            r##"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"$ref":"#/no","minLength":1}}}"##,
            &[
                (
                    "/properties/a/$ref",
                    "a reference that leads nowhere admits everything",
                ),
                (
                    "/properties/a/minLength",
                    "drafts before 2019-09 ignore it beside a reference",
                ),
            ],
        ),
        (
            r##"{"type":"object","properties":{"a":{"not":{"$ref":"#"}},"b":{"default":{"$ref":"x"}}}}"##,
            &[
                (
                    "/properties/b/default",
                    "Moonshot takes a key $ref in data for a reference",
                ),
                (
                    "/properties/a/not/$ref",
                    "Moonshot refuses this reference outside of allOf",
                ),
            ],
        ),
    ] {
        let found = changes(text);
        let found: Vec<(&str, &str)> = found.iter().map(|(at, why)| (&**at, &**why)).collect();
        assert_eq!(found, expected, "{text}");
    }
}
