//! What keywords are there for.

use super::types::Types;

/// Names that no property may have, because Moonshot takes them for keywords.
pub(super) const RESERVED: [&str; 5] =
    ["$ref", "$defs", "anyOf", "required", "additionalProperties"];

/// What says which properties an object has; these need each other.
pub(super) const OBJECT_GROUP: [&str; 4] = [
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
];

/// Keywords that mean something else without one another.
const GROUPS: [&[&str]; 6] = [
    &OBJECT_GROUP,
    &["prefixItems", "items"],
    &["contains", "minContains", "maxContains"],
    &["if", "then", "else"],
    &["type", "enum"],
    &["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"],
];

/// Whether a keyword may stand on both sides of an `anyOf` or a `$ref`.
pub(super) fn may_stand_twice(keyword: &str) -> bool {
    matches!(keyword, "title" | "description")
}

/// The keywords that have to move together with this one, itself among them.
pub(super) fn group<'k>(keyword: &'k &'k str) -> &'k [&'k str] {
    GROUPS
        .into_iter()
        .find(|group| group.contains(keyword))
        .unwrap_or(std::slice::from_ref(keyword))
}

/// Whether a keyword decides which values are admitted. All others annotate, and
/// nothing depends on which side of a schema they stand.
pub(super) fn asserts(keyword: &str) -> bool {
    applies_to(keyword).is_some()
        || matches!(
            keyword,
            "type"
                | "enum"
                | "const"
                | "allOf"
                | "anyOf"
                | "oneOf"
                | "not"
                | "if"
                | "then"
                | "else"
                | "$ref"
                | "$dynamicRef"
                | "$recursiveRef"
                | "unevaluatedItems"
                | "unevaluatedProperties"
        )
}

/// The types of the values that a keyword judges, where it judges some only and
/// can move into a branch for them. (What is unevaluated depends on the keywords
/// beside it, so that stays.)
pub(super) fn applies_to(keyword: &str) -> Option<Types> {
    Some(match keyword {
        "minLength" | "maxLength" | "pattern" | "contentEncoding" | "contentMediaType"
        | "contentSchema" => Types::STRING,
        "format" => Types::STRING.or(Types::NUMBER).or(Types::INTEGER),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            Types::NUMBER.or(Types::INTEGER)
        }
        "items" | "prefixItems" | "additionalItems" | "minItems" | "maxItems" | "uniqueItems"
        | "contains" | "minContains" | "maxContains" => Types::ARRAY,
        "properties"
        | "required"
        | "additionalProperties"
        | "patternProperties"
        | "propertyNames"
        | "minProperties"
        | "maxProperties"
        | "dependentRequired"
        | "dependentSchemas"
        | "dependencies" => Types::OBJECT,
        _ => return None,
    })
}
