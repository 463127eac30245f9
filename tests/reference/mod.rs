//! The rewrite once more, slow and plain: what Moonshot accepts, written down on
//! parsed values, without a line of the crate's own. The rules run one after the
//! other, each on what the ones before have left.
//!
//! It knows nothing of bytes, and it leaves schemas as they are: there is more than
//! one right repair, and the tests of schemas judge those.

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

/// Whether the model thinks is decided before anything depends on it. Thoughts leave
/// the content before anybody asks whether it is all text.
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
    /// Returns what the layer must make of a body. A body without an array of
    /// messages is no chat request.
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

    /// The family is that of the id that is sent, so an alias counts only while the
    /// rule is on. A prefix doesn't hide the family from the other rules.
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

/// Returns a member, null if it is absent.
fn get<'a>(object: &'a Object, key: &str) -> &'a Value {
    object.get(key).unwrap_or(&Value::Null)
}

/// Returns the elements of an array, none of anything else.
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

/// Whether a message has calls. Calls of a wrong type are not none: nobody can tell
/// what they are.
fn calls_tools(message: &Object) -> bool {
    let calls = get(message, "tool_calls");
    !calls.is_null() && *calls != json!([])
}
