//! A tree as text again.

use super::tree::{Id, Json, Key, Tree};

/// What is still to be written.
enum Step<'t, 'a> {
    Value(Id),
    /// A comma, if this is not the first member, and the key.
    Key(bool, &'t Key<'a>),
    Text(&'static str),
}

impl Tree<'_> {
    /// Writes a value. What was not changed is written as it stood in the text;
    /// everything else compactly.
    pub(super) fn write(&self, id: Id) -> String {
        let below = self.below(id);
        let mut dirty = std::collections::HashSet::new();
        for &id in below.iter().rev() {
            let changed = self.is_changed(id)
                || match self.json(id) {
                    Json::Object(members) => members.iter().any(|(_, id)| dirty.contains(id)),
                    Json::Array(elements) => elements.iter().any(|id| dirty.contains(id)),
                    Json::Scalar(_) => false,
                };
            if changed {
                dirty.insert(id);
            }
        }
        let mut text = String::new();
        let mut steps = vec![Step::Value(id)];
        while let Some(step) = steps.pop() {
            let id = match step {
                Step::Text(raw) => {
                    text.push_str(raw);
                    continue;
                }
                Step::Key(first, key) => {
                    if !first {
                        text.push(',');
                    }
                    text.push_str(&quoted(key));
                    text.push(':');
                    continue;
                }
                Step::Value(id) => id,
            };
            if let Some(original) = self.original(id).filter(|_| !dirty.contains(&id)) {
                text.push_str(original);
                continue;
            }
            match self.json(id) {
                Json::Scalar(raw) => text.push_str(raw),
                Json::Object(members) => {
                    text.push('{');
                    steps.push(Step::Text("}"));
                    for (index, (key, value)) in members.iter().enumerate().rev() {
                        steps.push(Step::Value(*value));
                        steps.push(Step::Key(index == 0, key));
                    }
                }
                Json::Array(elements) => {
                    text.push('[');
                    steps.push(Step::Text("]"));
                    for (index, value) in elements.iter().enumerate().rev() {
                        steps.push(Step::Value(*value));
                        if index > 0 {
                            steps.push(Step::Text(","));
                        }
                    }
                }
            }
        }
        text
    }
}

/// A key in quotes.
fn quoted<'k>(key: &'k Key<'_>) -> std::borrow::Cow<'k, str> {
    match key.quoted {
        Some(quoted) => quoted.into(),
        None => serde_json::Value::from(&*key.name).to_string().into(),
    }
}

/// A string in quotes.
pub(super) fn quoted_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
