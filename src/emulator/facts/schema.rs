//! Facts about Moonshot's dialect of JSON Schema: one request for each of its rules. The
//! checks report all of them as [`PARAMETERS_DIALECT`](super::PARAMETERS_DIALECT).

use super::{Section, fact::Fact, grade::Grade::Validator, models::ALL, table, tools::DIALECT};
use crate::Rule;

table! { FACTS:
    TYPE_BESIDE_ANY_OF = Fact::refused("schema_type_beside_any_of", ALL, "`type` beside `anyOf`")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string","anyOf":[{"const":"x"}]}}}}}]}"##)
        .says(DIALECT, &["At path 'properties.a': when using anyOf, type should be defined in anyOf items instead of the parent schema"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    TYPE_BESIDE_REF = Fact::refused("schema_type_beside_ref", ALL, "`type` beside `$ref`")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string","$ref":"#/$defs/S"}},"$defs":{"S":{"type":"string"}}}}}]}"##)
        .says(DIALECT, &["At path 'properties.a': when using $ref, type should be defined in the referenced schema instead of the parent schema"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    ANY_OF_CONFLICT = Fact::refused("schema_any_of_conflict", ALL, "a keyword both beside `anyOf` and in a branch")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"format":"date","anyOf":[{"type":"string","format":"date"}]}}}}}]}"##)
        .says(DIALECT, &["At path 'properties.a': conflicting keywords found in anyOf with parent: keywords (format) are defined on the parent schema and inside anyOf; remove them from the parent or from anyOf branches"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    REF_ELSEWHERE = Fact::refused("schema_ref_elsewhere", ALL, "a `$ref` that leads elsewhere than to `#` or into `#/$defs/`")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"$ref":"#/definitions/S"}},"definitions":{"S":{"type":"string"}}}}}]}"##)
        .says(DIALECT, &["At path 'properties.a.$ref': references must start with #/$defs/"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    REF_DANGLING = Fact::refused("schema_ref_dangling", ALL, "a `$ref` that leads nowhere")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"$ref":"#/$defs/T"}},"$defs":{"S":{"type":"string"}}}}}]}"##)
        .says(DIALECT, &["At path 'root': invalid $ref path: #/$defs/T"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    REF_MISPLACED = Fact::refused("schema_ref_misplaced", ALL, "a `$ref` where none may be")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string","not":{"$ref":"#/$defs/S"}}},"$defs":{"S":{"type":"string"}}}}}]}"##)
        .says(DIALECT, &["At path 'properties.a.not': $ref is not allowed in this schema."])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    RECURSION_ENDLESS = Fact::refused("schema_recursion_endless", ALL, "a recursion that is not seen to end")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}}}]}"##)
        .says(DIALECT, &["At path 'properties.a': detected infinite recursion without termination condition"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    ENUM_EMPTY = Fact::refused("schema_enum_empty", ALL, "an `enum` without values")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string","enum":[]}}}}}]}"##)
        .says(DIALECT, &["At path 'properties.a.enum': enum array cannot be empty"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    ENUM_OTHER_TYPE = Fact::refused("schema_enum_other_type", ALL, "an `enum` with a value of another type")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string","enum":["x",1]}}}}}]}"##)
        .says(DIALECT, &["At path 'properties.a.enum': enum value (1) does not match any type in [string]"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    ITEMS_BOOLEAN = Fact::refused("schema_items_boolean", ALL, "`items` that are not an object")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"array","items":true}}}}}]}"##)
        .says(DIALECT, &["At path 'properties.a.items': items must be an object"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    PROPERTY_BOOLEAN = Fact::refused("schema_property_boolean", ALL, "a property that is not an object")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":true}}}}]}"##)
        .says(DIALECT, &["At path 'properties': property schema for 'a' must be an object"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    REQUIRED_UNDEFINED = Fact::refused("schema_required_undefined", ALL, "a required property that is not defined")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{},"required":["a"]}}}]}"##)
        .says(DIALECT, &["At path 'required': required property 'a' is not defined in properties"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    TYPES_WITH_KEYWORDS = Fact::refused("schema_types_with_keywords", ALL, "several types with a keyword besides `title` and `description`")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":["string","null"],"format":"date"}}}}}]}"##)
        .says(DIALECT, &["At path 'properties.a': keyword format is not allowed in combination with multiple types"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    TYPE_UNKNOWN = Fact::refused("schema_type_unknown", ALL, "an unknown type")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"String"}}}}}]}"##)
        .says(DIALECT, &["At path 'properties.a': invalid type"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
    PROPERTY_RESERVED = Fact::refused("schema_property_reserved", ALL, "a property called `$ref`, `$defs`, `anyOf`, `required` or `additionalProperties`")
        .with(r##"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"anyOf":{"type":"string"}}}}}]}"##)
        .says(DIALECT, &["At path 'properties': property name 'anyOf' is reserved for JSON Schema keywords"])
        .known(&[Validator])
        .repaired_by(Rule::ToolSchema);
}

pub(super) static SECTION: Section = Section {
    title: "### The dialect of schemas",
    before: "One example for each rule of [`check_schema`]. They apply to `response_format` too.",
    after: "",
    facts: FACTS,
};
