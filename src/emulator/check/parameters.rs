//! Checks the `parameters` of a function.

use serde_json::Value;

use super::{
    super::{facts, finding::Findings, place::Place, schema},
    Object,
};
use crate::Rule;

/// How far references and branches are followed to see what a schema is about.
const MAX_DEPTH: usize = 16;

pub(super) fn check(schema: &Value, place: &Place<'_>, findings: &mut Findings) {
    let Some(root) = schema.as_object() else {
        let rule = schema.is_null().then_some(Rule::Tools);
        findings.add_repaired(&facts::PARAMETERS_TYPE, place, &[], rule);
        return;
    };
    let is_object = root.get("type").and_then(Value::as_str) == Some("object");
    // No rule makes an object of what can only be something else.
    let rule = (is_object || may_be_object(root, root, MAX_DEPTH)).then_some(Rule::ToolSchema);
    if !is_object {
        findings.add_repaired(&facts::PARAMETERS_TYPE, place, &[], rule);
    }
    for error in schema::faults(schema, findings.left()) {
        let place = place.pointer(error.pointer());
        let values = [&*error.to_string()];
        findings.add_repaired(&facts::PARAMETERS_DIALECT, &place, &values, rule);
    }
}

/// Whether a schema may admit objects, by its types, branches and values.
fn may_be_object(schema: &Object, root: &Object, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return true;
    };
    // A name that is no type says nothing.
    let is_object = |name: &Value| name.as_str().is_some_and(|name| is_type(name, &["object"]));
    let is_other = |name: &Value| {
        name.as_str()
            .is_some_and(|name| is_type(name, &OTHER_TYPES))
    };
    let types = match schema.get("type") {
        Some(Value::Array(names)) => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
        None => &[],
    };
    if types.iter().any(is_object) {
        return true;
    }
    if !types.is_empty() && types.iter().all(is_other) {
        return false;
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let target = name.strip_prefix('#').and_then(|name| resolve(root, name));
        return target.is_none_or(|target| may_be_object(target, root, depth));
    }
    let may_be = |branch: &Value| match branch.as_object() {
        Some(branch) => may_be_object(branch, root, depth),
        None => true,
    };
    let branches = |keyword: &str| match schema.get(keyword) {
        Some(Value::Array(branches)) => branches.as_slice(),
        _ => &[],
    };
    let has_one = |branches: &[Value]| branches.is_empty() || branches.iter().any(may_be);
    has_one(branches("anyOf"))
        && has_one(branches("oneOf"))
        && branches("allOf").iter().all(may_be)
        && (branches("enum").is_empty() || branches("enum").iter().any(Value::is_object))
        && schema.get("const").is_none_or(Value::is_object)
}

const OTHER_TYPES: [&str; 6] = ["array", "boolean", "integer", "null", "number", "string"];

fn is_type(name: &str, types: &[&str]) -> bool {
    types.iter().any(|other| name.eq_ignore_ascii_case(other))
}

fn resolve<'a>(root: &'a Object, pointer: &str) -> Option<&'a Object> {
    let mut keys = pointer.split('/').skip(1);
    keys.try_fold(root, |schema, key| schema.get(key)?.as_object())
}
