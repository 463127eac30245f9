//! Facts about `response_format`.

use super::{
    Section,
    fact::Fact,
    grade::Grade::{Reported, Suite, Validator},
    models::{ALL, ONLY_K3},
    table,
};
use crate::Rule;

table! { FACTS:
    FORMAT_TYPE = Fact::refused(
            "format_type", ALL,
            "a `response_format` of a type other than `text`, `json_object` and `json_schema`, or of none",
        )
        .with(r#"{"response_format":{"type":"yaml"}}"#)
        .says_like(
            "Invalid request: response_format.type '{}' is unknown, only text, json_object and \
             json_schema are allowed",
            &["yaml"],
        )
        .known_on(ONLY_K3, &[Suite]);
    JSON_SCHEMA_MISSING = Fact::refused("json_schema_missing", ALL, "a `response_format` without its `json_schema`")
        .with(r#"{"response_format":{"type":"json_schema"}}"#)
        .says_like("Invalid request: response_format.json_schema is required", &[])
        .known_on(ONLY_K3, &[Suite]);
    JSON_SCHEMA_NAME = Fact::refused("json_schema_name", ALL, "a `json_schema` without a `name`")
        .with(r#"{"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object","properties":{}}}}}"#)
        .says_like("Invalid request: response_format.json_schema.name is required", &[])
        .known_on(ONLY_K3, &[Suite])
        .repaired_by(Rule::ResponseFormat);
    STRICT_NOT_A_BOOLEAN = Fact::refused("strict_not_a_boolean", ALL, "a `json_schema` whose `strict` is not a boolean")
        .with(r#"{"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":"yes","schema":{"type":"object","properties":{}}}}}"#)
        .says_like(
            "Invalid request: the `strict` field in the request (expected type bool) is illegal, \
             and {} is not acceptable",
            &["string"],
        )
        .known_on(ONLY_K3, &[Suite])
        .repaired_by(Rule::ResponseFormat);
    FORMAT_SCHEMA_MISSING = Fact::refused("format_schema_missing", ALL, "a `json_schema` without a `schema`")
        .with(r#"{"response_format":{"type":"json_schema","json_schema":{"name":"a"}}}"#)
        .says_like("Invalid request: response_format.json_schema.schema is required", &[])
        .known_on(ONLY_K3, &[Suite]);
    FORMAT_SCHEMA_TYPE = Fact::refused("format_schema_type", ALL, "a `json_schema` whose `schema` is not an object")
        .with(r#"{"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":true}}}"#)
        .says_like(
            "Invalid request: the `response_format.json_schema.schema` field in the request \
             (expected type object) is illegal, and {} is not acceptable",
            &["bool"],
        )
        .known_on(ONLY_K3, &[Suite]);
    FORMAT_DIALECT = Fact::refused("format_dialect", ALL, "a `json_schema` whose `schema` [`check_schema`] refuses")
        .with(r#"{"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object","properties":{"a":{"enum":["x"]}}}}}}"#)
        .says(
            "Invalid request: response_format.json_schema is not a valid moonshot flavored json \
             schema, details: <{}>",
            &["At path 'properties.a': type is not defined"],
        )
        .known(&[Reported, Validator])
        .repaired_by(Rule::ToolSchema);
}

pub(super) static SECTION: Section = Section {
    title: "## Response format",
    before: "",
    after: "The last row does not apply if `strict` is false.",
    facts: FACTS,
};
