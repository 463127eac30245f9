//! Optional fields of one JSON type. Null counts as absent.

use serde_json::Value;

use super::{
    super::{error::type_of, facts, finding::Findings, place::Place},
    Object,
};

/// A value was of a wrong type, and there is a finding about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported;

type Field<T> = Result<Option<T>, Reported>;

/// Reads a field if it is of the right type.
fn read<'a, T>(
    object: &'a Object,
    name: &str,
    expected: &str,
    place: &Place<'_>,
    findings: &mut Findings,
    cast: impl FnOnce(&'a Value) -> Option<T>,
) -> Field<T> {
    let Some(value) = object.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let found = cast(value);
    if found.is_none() {
        wrong_type(name, expected, value, &place.key(name), findings);
        return Err(Reported);
    }
    Ok(found)
}

/// Adds a finding about a value of a wrong type.
pub(super) fn wrong_type(
    name: &str,
    expected: &str,
    found: &Value,
    place: &Place<'_>,
    findings: &mut Findings,
) {
    findings.add(&facts::WRONG_TYPE, place, &[name, expected, type_of(found)]);
}

pub(super) fn boolean(
    object: &Object,
    name: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Field<bool> {
    read(object, name, "type bool", place, findings, Value::as_bool)
}

pub(super) fn number(
    object: &Object,
    name: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Field<f64> {
    read(object, name, "type number", place, findings, Value::as_f64)
}

pub(super) fn string<'a>(
    object: &'a Object,
    name: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Field<&'a str> {
    read(object, name, "type string", place, findings, Value::as_str)
}

pub(super) fn array<'a>(
    object: &'a Object,
    name: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Field<&'a [Value]> {
    read(object, name, "type array", place, findings, |value| {
        value.as_array().map(Vec::as_slice)
    })
}

pub(super) fn object<'a>(
    object: &'a Object,
    name: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Field<&'a Object> {
    read(
        object,
        name,
        "type object",
        place,
        findings,
        Value::as_object,
    )
}
