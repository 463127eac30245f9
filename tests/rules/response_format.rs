//! The rule `response_format`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

const NAME: &str = "/response_format/json_schema/name";
const STRICT: &str = "/response_format/json_schema/strict";
const A_NAME: &str = "json_schema needs a name";
const A_BOOLEAN: &str = "strict must be a boolean";

#[test]
fn name_and_strict_are_repaired() {
    changes(&[
        (
            "no name",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object"} }}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object"},"name":"response" }}}"#,
            &[(Rule::ResponseFormat, NAME, A_NAME)],
        ),
        (
            "no schema either, which is left to Moonshot",
            r#"{"messages":[],"response_format":{"json_schema":{},"type":"json_schema"}}"#,
            r#"{"messages":[],"response_format":{"json_schema":{"name":"response"},"type":"json_schema"}}"#,
            &[(Rule::ResponseFormat, NAME, A_NAME)],
        ),
        (
            "a null name",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","name":null,"schema":{}}}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"response","schema":{}}}}"#,
            &[(Rule::ResponseFormat, NAME, A_NAME)],
        ),
        (
            "strict is a string",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":"yes","schema":{}}}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{}}}}"#,
            &[(Rule::ResponseFormat, STRICT, A_BOOLEAN)],
        ),
        (
            "strict is null; escaped keys",
            r#"{"messages":[],"response_format":{"typ\u0065":"json_schem\u0061","json_schem\u0061":{"nam\u0065":"a","schema":{},"strict":true,"stri\u0063t":null}}}"#,
            r#"{"messages":[],"response_format":{"typ\u0065":"json_schem\u0061","json_schem\u0061":{"nam\u0065":"a","schema":{}}}}"#,
            &[(Rule::ResponseFormat, STRICT, A_BOOLEAN)],
        ),
        (
            "both",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"strict":0}}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"response"}}}"#,
            &[
                (Rule::ResponseFormat, NAME, A_NAME),
                (Rule::ResponseFormat, STRICT, A_BOOLEAN),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "a name",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"","strict":true,"schema":{"type":"object"}}}}"#,
        ),
        (
            "a name of another type",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":5}}}"#,
        ),
        (
            "other formats",
            r#"{"messages":[],"response_format":{"type":"json_object","json_schema":{"strict":1}}}"#,
        ),
        (
            "the last type wins",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{},"type":"text"}}"#,
        ),
        (
            "the last format wins",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{}},"response_format":{"type":"text"}}"#,
        ),
        (
            "another type",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":[]}}"#,
        ),
        (
            "a string",
            r#"{"messages":[],"response_format":"json_schema"}"#,
        ),
    ]);
}

#[test]
fn a_schema_that_is_not_strict_is_not_repaired() {
    leaves_alone(&[(
        "an enum without a type, which is outside of the dialect",
        r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":false,"schema":{"type":"object","properties":{"a":{"enum":["x"]}}}}}}"#,
    )]);
    changes(&[
        (
            "only $schema is removed",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":false,"schema":{"$schema":"https://json-schema.org/draft/2020-12/schema","enum":["x"]}}}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":false,"schema":{"enum":["x"]}}}}"#,
            &[(
                Rule::ResponseFormat,
                "/response_format/json_schema/schema/$schema",
                "$schema makes some models answer nonsense",
            )],
        ),
        (
            "a strict one is repaired",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"type":"object","properties":{"a":{"enum":["x"]}}}}}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"type":"object","properties":{"a":{"type":"string","enum":["x"]}}}}}}"#,
            &[(
                Rule::ToolSchema,
                "/response_format/json_schema/schema/properties/a/enum",
                "enum needs the type of its values",
            )],
        ),
    ]);
}
