//! Schemas that a repair once got wrong, each cut down to what it took.

use super::Place;

pub(crate) const FOUND: &[(Place, &str, &[&str])] = &[
    // What is moved aside, into an `allOf`, meets an `allOf` in a branch.
    (
        Place::Parameters,
        r##"{"type":"object","properties":{"a":{"enum":["x"],"anyOf":[{"type":"string","$ref":"#/$defs/A"}]}},"$defs":{"A":{"type":"string"}}}"##,
        &[r#"{"a":"x"}"#],
    ),
    (
        Place::Parameters,
        r#"{"properties":{"a":{"anyOf":[{"anyOf":[{"minProperties":0}],"minProperties":0}],"enum":["x"]}}}"#,
        &[r#"{"a":"x"}"#],
    ),
    (
        Place::ResponseFormat,
        r##"{"anyOf":[{"definitions":{"A":{"type":"string"}}},{"allOf":[{"type":"string"}]}],"items":{"properties":{"a":{"enum":["x"],"type":"object"}}},"properties":{"a":{"$ref":"#","properties":{}}},"type":"object"}"##,
        &[],
    ),
    // A property is added, or copied, to where no key may have a slash.
    (
        Place::Parameters,
        r#"{"$defs":{"A":{"properties":{},"required":["x/y"]}},"properties":{},"type":"object"}"#,
        &[],
    ),
    (
        Place::Parameters,
        r##"{"definitions":{"A":{"properties":{},"required":["x/y"]}},"properties":{"a":{"anyOf":[{"items":{"$ref":"#/definitions/A"}}]}},"type":"object"}"##,
        &[r#"{"a":[{"x/y":1}]}"#],
    ),
    (
        Place::Parameters,
        r##"{"properties":{"a":{"properties":{"a":{"$ref":"#","properties":{}}}},"b":{"properties":{"x/y":{"type":"string"}}}}}"##,
        &[r#"{"a":{"a":{"b":{"x/y":"s"}}}}"#],
    ),
    // A definition that goes round where Moonshot doesn't look, and has a slash.
    (
        Place::Parameters,
        r##"{"additionalProperties":{"anyOf":[{"$ref":"#/definitions/A"}]},"definitions":{"A":{"properties":{"a":{"items":true,"prefixItems":[{"$ref":"#/definitions/A"}]},"x/y":{"type":"string"}}}},"properties":{},"type":"object"}"##,
        &[r#"{"b":{"a":[{"x/y":"s"}],"x/y":"s"}}"#],
    ),
    (
        Place::ResponseFormat,
        r##"{"$defs":{"A":{"properties":{"a":{"allOf":[{"$ref":"#/$defs/A"}]},"x/y":{"type":"string"}}}},"$ref":"#/$defs/A"}"##,
        &[r#"{"a":{"x/y":"s"}}"#],
    ),
    // A required reference to a definition in which Moonshot sees no end.
    (
        Place::Parameters,
        r##"{"$defs":{"P/Q":{"allOf":[{"type":"string"}],"type":"string"}},"definitions":{"A":{"properties":{}}},"properties":{"$ref":{"type":"string"},"a":{"properties":{"a":{"$ref":"#/definitions/A"}}},"b":{"$ref":"#/$defs/P~1Q","anyOf":[{"type":"string"}]}},"required":["b"],"type":"object"}"##,
        &[r#"{"b":"x"}"#],
    ),
    // Definitions within a definition of the same name.
    (
        Place::ResponseFormat,
        r##"{"$ref":"#/definitions/A","definitions":{"A":{"$defs":{"A":{"type":"string"}}}}}"##,
        &["1"],
    ),
    // A reserved property is no longer evaluated, and nothing else may be.
    (
        Place::Parameters,
        r#"{"type":"object","properties":{"a":{"unevaluatedProperties":false,"anyOf":[{"properties":{"anyOf":{"type":"array"}}}]}}}"#,
        &[r#"{"a":{"anyOf":[1]}}"#],
    ),
    (
        Place::ResponseFormat,
        r##"{"$ref":"#/$defs/A","$defs":{"A":{"properties":{}}},"properties":{"a":{"anyOf":[{"properties":{"anyOf":{"type":"array"}}}],"unevaluatedProperties":false}}}"##,
        &[r#"{"a":{"anyOf":[1]}}"#],
    ),
    (
        Place::ResponseFormat,
        r##"{"$ref":"#/$defs/A","$defs":{"A":{"properties":{}}},"properties":{"a":{"anyOf":[{"patternProperties":{"^[ab]$":{}},"properties":{"anyOf":{"type":"array"}}}],"unevaluatedProperties":false}}}"##,
        &[r#"{"a":{"anyOf":[1]}}"#],
    ),
    // No repair was found.
    (
        Place::Parameters,
        r##"{"properties":{},"anyOf":[{"properties":{"a":{"$ref":"#","anyOf":[{"properties":{},"$ref":"#/$defs/A"}]}}}],"$defs":{"A":{"required":[]}}}"##,
        &["{}"],
    ),
    (
        Place::Parameters,
        r##"{"$defs":{"A":{"anyOf":[{"items":{"$ref":"#"}}]}},"anyOf":[{"additionalProperties":false,"properties":{}}],"definitions":{"A":{"oneOf":[{"else":{"$ref":"#/$defs/A"},"if":{"required":[]},"then":{"type":"string"}}]}},"properties":{}}"##,
        &["{}"],
    ),
    (
        Place::Parameters,
        r##"{"definitions":{"A":{"$ref":"#","properties":{}},"B":{"anyOf":[{"oneOf":[{"$ref":"#"}]}]}},"properties":{"a":{"anyOf":[{"properties":{"a":{"$ref":"#/definitions/A"},"b":{"enum":["x"],"type":["object"]}}}]}}}"##,
        &["{}"],
    ),
    (
        Place::Parameters,
        r##"{"anyOf":[{"properties":{}},{"properties":{"a":{"$ref":"#/definitions/A","properties":{}},"c":{"oneOf":[{"anyOf":[{"$ref":"#/definitions/A"}]}]}}}],"definitions":{"A":{"properties":{"a":{"$ref":"https://example.com/schema.json","properties":{"a":{"$ref":"#"}}}}}},"properties":{}}"##,
        &["{}"],
    ),
    // What is kept for places that Moonshot doesn't look at refers to what is gone.
    (
        Place::Parameters,
        r##"{"anyOf":[{"properties":{}},{"properties":{"a":{"anyOf":[{"items":true,"prefixItems":[{"$ref":"#"}]}]}}},{"properties":{"a":{"additionalProperties":{"properties":{"a":{"$ref":"#/anyOf/0"}}},"properties":{}}}}],"properties":{}}"##,
        &["{}"],
    ),
    (
        Place::ResponseFormat,
        r##"{"anyOf":[{"additionalProperties":{"items":{"anyOf":[{"$ref":"#/properties/a"}]}},"properties":{"a":{"oneOf":[{"$ref":"#"}]}}}],"properties":{"a":{"required":[]}}}"##,
        &["{}"],
    ),
    // A root that is a string stays as it is, whatever else is said of it.
    (
        Place::Parameters,
        r##"{"$ref":"#/definitions/D","definitions":{"D":{"type":"object","properties":{"a":{"type":["string","null"],"default":null}}}},"type":"string"}"##,
        &[],
    ),
    // A reference to a branch that something moves into.
    (
        Place::ResponseFormat,
        r##"{"type":"object","anyOf":[{"properties":{}}],"properties":{"b":{"anyOf":[{"allOf":[{"oneOf":[{"$ref":"#/anyOf/0"}]}]}]}}}"##,
        &[r#"{"b":"ab","d":4}"#],
    ),
    // What is unevaluated, apart from what evaluates it.
    (
        Place::ResponseFormat,
        r##"{"$ref":"#/$defs/A","$defs":{"A":{"unevaluatedProperties":false,"properties":{},"additionalProperties":true}},"unevaluatedProperties":false}"##,
        &[r#"{"b":"ab"}"#],
    ),
    // A definition with a title leads to an empty one.
    (
        Place::ResponseFormat,
        r##"{"properties":{"b":{"$ref":"#/$defs/A"}},"$defs":{"A":{"$ref":"#/$defs/B","title":"x"},"B":{}}}"##,
        &[r#"{"b":1}"#],
    ),
    (
        Place::ResponseFormat,
        r##"{"properties":{"b":{"$ref":"#/$defs/A"},"c":{"$ref":"#/$defs/A"}},"$defs":{"A":{"$ref":"#/$defs/B"},"B":{"$ref":"#/$defs/C","description":"x"},"C":{"$ref":"#/$defs/D"},"D":{}}}"##,
        &[r#"{"b":1,"c":null}"#],
    ),
    // A required name that nobody declares, and a pattern matches.
    (
        Place::Parameters,
        r##"{"type":"object","properties":{},"required":["xa"],"patternProperties":{"a":true},"additionalProperties":{"type":"string"}}"##,
        &[r#"{"xa":1}"#],
    ),
];
