//! What differs between two JSON values, place by place.

use serde_json::{Map, Value, json};

/// A value that was removed, added or replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// A JSON Pointer: into the new value, or the old one if it was removed.
    pub(super) pointer: String,
    pub(super) old: Option<Value>,
    pub(super) new: Option<Value>,
}

impl Difference {
    /// Compares two values. Of arrays, the elements at the start and at the end that are
    /// equal are left out, and the others are compared one by one.
    pub(super) fn between(old: &Value, new: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        compare(old, new, &mut String::new(), &mut found);
        found
    }

    pub(super) fn json(&self) -> Value {
        let mut members = Map::new();
        members.insert("pointer".to_owned(), json!(self.pointer));
        for (name, value) in [("old", &self.old), ("new", &self.new)] {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.clone());
            }
        }
        Value::Object(members)
    }
}

/// Recurses as deep as the values are nested, at most 127 levels.
fn compare(old: &Value, new: &Value, pointer: &mut String, found: &mut Vec<Difference>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                within(pointer, key, |pointer| match new.get(key) {
                    Some(new) => compare(value, new, pointer, found),
                    None => found.push(difference(pointer, Some(value), None)),
                });
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                within(pointer, key, |pointer| {
                    found.push(difference(pointer, None, Some(value)));
                });
            }
        }
        (Value::Array(old), Value::Array(new)) => arrays(old, new, pointer, found),
        _ if old == new => {}
        _ => found.push(difference(pointer, Some(old), Some(new))),
    }
}

fn arrays(old: &[Value], new: &[Value], pointer: &mut String, found: &mut Vec<Difference>) {
    let same = old.iter().zip(new).take_while(|(old, new)| old == new);
    let start = same.count();
    let (old, new) = (&old[start..], &new[start..]);
    let same = old.iter().rev().zip(new.iter().rev());
    let end = same.take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
    for index in 0..old.len().max(new.len()) {
        let step = (start + index).to_string();
        within(pointer, &step, |pointer| {
            match (old.get(index), new.get(index)) {
                (Some(old), Some(new)) => compare(old, new, pointer, found),
                (old, new) => found.push(difference(pointer, old, new)),
            }
        });
    }
}

/// Goes one step further, and back again.
fn within(pointer: &mut String, step: &str, look: impl FnOnce(&mut String)) {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    look(pointer);
    pointer.truncate(length);
}

fn difference(pointer: &str, old: Option<&Value>, new: Option<&Value>) -> Difference {
    Difference {
        pointer: pointer.to_owned(),
        old: old.cloned(),
        new: new.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_that_differs_is_found() {
        let old = json!({
            "same": [1, {"a": null}], "gone": 1, "a/b": "x",
            "list": [1, 2, 3, 4], "nested": [{"a": 1}, {"b": 2}],
        });
        let new = json!({
            "same": [1, {"a": null}], "new": 2, "a/b": "y",
            "list": [1, 4], "nested": [{"a": 1}, {"b": 3}],
        });
        let found: Vec<Value> = Difference::between(&old, &new)
            .iter()
            .map(Difference::json)
            .collect();
        assert_eq!(
            Value::from(found),
            json!([
                {"pointer": "/a~1b", "old": "x", "new": "y"},
                {"pointer": "/gone", "old": 1},
                {"pointer": "/list/1", "old": 2},
                {"pointer": "/list/2", "old": 3},
                {"pointer": "/nested/1/b", "old": 2, "new": 3},
                {"pointer": "/new", "new": 2},
            ])
        );
    }
}
