//! `response_format`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

const NAME: &[(Rule, &str)] = &[(Rule::ResponseFormat, "/response_format/json_schema/name")];
const STRICT: &[(Rule, &str)] = &[(Rule::ResponseFormat, "/response_format/json_schema/strict")];

#[test]
fn a_schema_has_a_name_and_is_strict_or_not() {
    changes(&[
        (
            "no name",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object"} }}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object"},"name":"response" }}}"#,
            NAME,
        ),
        (
            "no schema either, which is for Moonshot to judge",
            r#"{"messages":[],"response_format":{"json_schema":{},"type":"json_schema"}}"#,
            r#"{"messages":[],"response_format":{"json_schema":{"name":"response"},"type":"json_schema"}}"#,
            NAME,
        ),
        (
            "null is no name",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","name":null,"schema":{}}}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"response","schema":{}}}}"#,
            NAME,
        ),
        (
            "strict is a string",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":"yes","schema":{}}}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{}}}}"#,
            STRICT,
        ),
        (
            "strict is null; the keys are in escapes",
            r#"{"messages":[],"response_format":{"typ\u0065":"json_schem\u0061","json_schem\u0061":{"nam\u0065":"a","schema":{},"strict":true,"stri\u0063t":null}}}"#,
            r#"{"messages":[],"response_format":{"typ\u0065":"json_schem\u0061","json_schem\u0061":{"nam\u0065":"a","schema":{}}}}"#,
            STRICT,
        ),
        (
            "both",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"strict":0}}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"response"}}}"#,
            &[
                (Rule::ResponseFormat, "/response_format/json_schema/name"),
                (Rule::ResponseFormat, "/response_format/json_schema/strict"),
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
            "the last type counts",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{},"type":"text"}}"#,
        ),
        (
            "the last format counts",
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
fn a_schema_that_is_not_strict_says_what_it_wants() {
    leaves_alone(&[(
        "an enum without a type, which the dialect refuses",
        r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":false,"schema":{"type":"object","properties":{"a":{"enum":["x"]}}}}}}"#,
    )]);
    changes(&[
        (
            "but not what dialect it is of",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":false,"schema":{"$schema":"https://json-schema.org/draft/2020-12/schema","enum":["x"]}}}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":false,"schema":{"enum":["x"]}}}}"#,
            &[(
                Rule::ResponseFormat,
                "/response_format/json_schema/schema/$schema",
            )],
        ),
        (
            "a strict one is repaired",
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"type":"object","properties":{"a":{"enum":["x"]}}}}}}"#,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"type":"object","properties":{"a":{"type":"string","enum":["x"]}}}}}}"#,
            &[(
                Rule::ToolSchema,
                "/response_format/json_schema/schema/properties/a/enum",
            )],
        ),
    ]);
}
