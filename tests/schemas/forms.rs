//! What mutations put into schemas: types, references, names, small schemas, and the
//! forms that common generators write.

use serde_json::{Value, json};

use crate::schemas::{self, generate::Dice};

pub(crate) fn pick<T: Copy>(from: &[T], dice: &mut Dice) -> T {
    from[dice.below(from.len())]
}

pub(crate) fn parsed(texts: &[&str], dice: &mut Dice) -> Value {
    schemas::parse(pick(texts, dice))
}

pub(crate) const TYPES: [&str; 7] = [
    "object", "string", "array", "integer", "null", "number", "boolean",
];

/// References: to the root, to and into definitions under both names, to other
/// parts, escaped and encoded, dangling, remote, and such that are none.
pub(crate) const REFERENCES: [&str; 24] = [
    r##""#""##,
    r##""#""##,
    r##""#/$defs/A""##,
    r##""#/$defs/A""##,
    r##""#/$defs/B""##,
    r##""#/$defs/B""##,
    r##""#/definitions/A""##,
    r##""#/definitions/A""##,
    r##""#/definitions/B""##,
    r##""#/$defs/A/properties/a""##,
    r##""#/$defs/A/items""##,
    r##""#/$defs/A/anyOf/0""##,
    r##""#/$defs/A/$defs/B""##,
    r##""#/properties/a""##,
    r##""#/properties/a/items""##,
    r##""#/$defs/P~1Q""##,
    r##""#/$defs/Box%5Bint%5D""##,
    r##""#/$defs/Missing""##,
    r##""#/$defs/""##,
    r##""#A""##,
    r##""https://example.com/schema.json""##,
    r##""""##,
    "null",
    "1",
];

pub(crate) const NAMES: [&str; 14] = [
    "a",
    "b",
    "c",
    "a",
    "b",
    "items",
    "properties",
    "type",
    "x/y",
    "{id}",
    "a{0}",
    "$ref",
    "anyOf",
    "required",
];

pub(crate) fn name(dice: &mut Dice) -> String {
    pick(&NAMES, dice).to_owned()
}

pub(crate) fn reference(dice: &mut Dice) -> Value {
    json!({"$ref": parsed(&REFERENCES, dice)})
}

/// A small schema.
pub(crate) fn schema(dice: &mut Dice) -> Value {
    match dice.below(12) {
        0..3 => reference(dice),
        3..6 => json!({"type": pick(&TYPES, dice)}),
        6 => json!({"type": "object", "properties": {name(dice): reference(dice)}}),
        7 => {
            let name = name(dice);
            json!({"type": "object", "properties": {&name: reference(dice)}, "required": [name]})
        }
        8 => json!({"type": "array", "items": reference(dice)}),
        9 => json!({"anyOf": [reference(dice), {"type": "null"}]}),
        10 => json!({"oneOf": [reference(dice), {"type": "string"}]}),
        _ => parsed(
            &[
                "{}",
                "true",
                "false",
                r#"{"const":1}"#,
                r#"{"description":"d"}"#,
            ],
            dice,
        ),
    }
}

/// Values that hardly any keyword can have.
pub(crate) const ODD: [&str; 12] = [
    "null",
    "true",
    "false",
    "0",
    "\"x\"",
    "[]",
    "{}",
    "[1]",
    "[\"a\"]",
    "[{}]",
    "[null]",
    r##"{"a":{"$ref":"#"}}"##,
];

pub(crate) const KEYWORDS: [&str; 22] = [
    "type",
    "properties",
    "required",
    "items",
    "anyOf",
    "oneOf",
    "allOf",
    "enum",
    "const",
    "$ref",
    "$defs",
    "definitions",
    "additionalProperties",
    "description",
    "title",
    "default",
    "not",
    "$id",
    "pattern",
    "minItems",
    "prefixItems",
    "format",
];

/// What zod 3 and 4 write: recursion through the root and `definitions`, a single
/// reference in `allOf`, tuples, closed objects.
pub(crate) const ZOD: [&str; 9] = [
    r##"{"type":"object","properties":{"a":{"allOf":[{"$ref":"#"}]},"p":{"$ref":"#"}}}"##,
    r##"{"properties":{"x":{"oneOf":[{"$ref":"#/definitions/A"}]}},"definitions":{"A":{"properties":{"b":{"$ref":"#/definitions/A"}}}}}"##,
    r##"{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/A","definitions":{"A":{"type":"object","properties":{"a":{"type":"array","items":{"$ref":"#/definitions/A"}}},"required":["a"],"additionalProperties":false}}}"##,
    r#"{"type":"array","items":[{"type":"number"},{"type":"number"}],"minItems":2,"maxItems":2}"#,
    r#"{"type":"array","prefixItems":[{"type":"number"},{"type":"string"}],"items":false}"#,
    r#"{"anyOf":[{"type":"string","const":"a"},{"not":{}}],"type":"string"}"#,
    r#"{"type":["string","null"],"enum":["a","b",null],"default":"a"}"#,
    r#"{"type":"object","propertyNames":{"type":"string"},"additionalProperties":{}}"#,
    r#"{"type":"integer","minimum":-9007199254740991,"exclusiveMaximum":9007199254740991}"#,
];

/// What pydantic writes: definitions with titles, optional fields, unions with a
/// discriminator, an `allOf` around a reference with a default.
pub(crate) const PYDANTIC: [&str; 9] = [
    r##"{"$defs":{"A":{"title":"A","type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}],"default":null}}}},"$ref":"#/$defs/A"}"##,
    r##"{"properties":{"a":{"$ref":"#/$defs/A","default":"red","description":"d"}},"$defs":{"A":{"enum":["red",1],"title":"A"}}}"##,
    r##"{"properties":{"a":{"allOf":[{"$ref":"#/$defs/A"}],"default":{}}},"$defs":{"A":{"type":"object","properties":{"b":{"$ref":"#/$defs/A"}},"required":["b"]}}}"##,
    r##"{"oneOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}],"discriminator":{"mapping":{"a":"#/$defs/A","b":"#/$defs/B"},"propertyName":"kind"}}"##,
    r#"{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"T"}"#,
    r#"{"anyOf":[{"format":"uuid","type":"string"},{"pattern":"^a/b$","type":"string"}],"type":"string"}"#,
    r#"{"const":"x","title":"One","enum":["x"]}"#,
    r#"{"additionalProperties":{"anyOf":[{"type":"integer"},true]},"type":"object"}"#,
    r##"{"$defs":{"A/B":{"type":"string"},"Box[int]":{"type":"integer"}},"properties":{"a":{"$ref":"#/$defs/A~1B"},"b":{"$ref":"#/$defs/Box[int]"}}}"##,
];
