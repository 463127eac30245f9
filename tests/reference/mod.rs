//! A second implementation of the rewrite, slow and simple, which shares no code with the
//! crate. It works on parsed values, and applies one rule after the other.
//!
//! It does not check bytes, and leaves schemas unchanged: more than one repair of a schema
//! is right, and other tests judge those.

mod content;
mod effort;
mod family;
mod ids;
mod reasoning;
mod response_format;
mod sampling;
mod thinking;
mod tool_choice;
mod tools;

use serde_json::{Map, Value, json};
use tower_moonshot::{NPolicy, Rule, ToolChoicePolicy};

use self::family::Family;

type Object = Map<String, Value>;

/// The configuration of a layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reference {
    pub(crate) off: Vec<Rule>,
    pub(crate) aliases: Vec<(&'static str, &'static str)>,
    pub(crate) tool_choice: ToolChoicePolicy,
    pub(crate) n: NPolicy,
    pub(crate) min_completion_tokens: u32,
}

/// A rule, and what it does to a request for a model of this family.
type Step = (Rule, fn(&Reference, Family, &mut Object));

/// The rules in order. Whether the model thinks is decided before other rules depend on
/// it. Thoughts are moved out of the content before it is tested for being only text.
const STEPS: [Step; 13] = [
    (Rule::Thinking, thinking::thinking),
    (Rule::ReasoningEffort, effort::reasoning_effort),
    (Rule::Role, content::role),
    (Rule::Tools, tools::tools),
    (Rule::ToolChoice, tool_choice::tool_choice),
    (Rule::MinCompletionTokens, sampling::min_completion_tokens),
    (Rule::Temperature, sampling::temperature),
    (Rule::Sampling, sampling::sampling),
    (Rule::ReasoningContent, reasoning::reasoning_content),
    (Rule::Content, content::content),
    (Rule::EmptyContent, content::empty_content),
    (Rule::ToolCallId, ids::tool_call_id),
    (Rule::ResponseFormat, response_format::response_format),
];

impl Reference {
    /// Returns the body that the layer must send. A body without an array of messages is
    /// not a chat request, and unchanged.
    pub(crate) fn rewrite(&self, body: Value) -> Value {
        let Value::Object(mut request) = body else {
            return body;
        };
        if !get(&request, "messages").is_array() {
            return Value::Object(request);
        }
        let family = self.model(&mut request);
        for (rule, apply) in STEPS {
            if self.has(rule) {
                apply(self, family, &mut request);
            }
        }
        Value::Object(request)
    }

    fn has(&self, rule: Rule) -> bool {
        !self.off.contains(&rule)
    }

    /// Replaces the model. Returns the family of the id that is sent, with or without a
    /// prefix.
    fn model(&self, request: &mut Object) -> Family {
        let Some(id) = get(request, "model").as_str().map(str::to_owned) else {
            return Family::Other;
        };
        if !self.has(Rule::Model) {
            return Family::of(&id);
        }
        let bare = family::without_prefixes(&id);
        let target = |name: &str| self.aliases.iter().find(|alias| alias.0 == name);
        let upstream = target(&id)
            .or_else(|| target(bare))
            .map_or(bare, |alias| alias.1);
        request.insert("model".into(), upstream.into());
        Family::of(upstream)
    }
}

fn disabled() -> Value {
    json!({"type": "disabled"})
}

/// Returns a member, or null if it is absent.
fn get<'a>(object: &'a Object, key: &str) -> &'a Value {
    object.get(key).unwrap_or(&Value::Null)
}

/// Returns the elements of an array, or none if the value is not an array.
fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Returns the messages that are objects.
fn messages(request: &mut Object) -> impl Iterator<Item = &mut Object> {
    let messages = request.get_mut("messages").and_then(Value::as_array_mut);
    messages
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

/// Whether a message has calls. A value of another type counts as calls, because its
/// meaning is unknown.
fn calls_tools(message: &Object) -> bool {
    let calls = get(message, "tool_calls");
    !calls.is_null() && *calls != json!([])
}
