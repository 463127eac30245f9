//! The rewrite once more, slow and plain: what Moonshot accepts, written down on
//! parsed values, without a line of the crate's own. The rules run one after the
//! other, each on what the ones before have left.
//!
//! It knows nothing of bytes. Ids of tool calls it leaves as they are, because
//! more than one mapping is right, and schemas of tools too.

use serde_json::{Map, Value, json};
use tower_moonshot::{NPolicy, Rule, ToolChoicePolicy};

const NUDGE: &str = "Please select a tool to handle the current issue.";

/// The configuration of a layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reference {
    pub(crate) off: Vec<Rule>,
    pub(crate) aliases: Vec<(&'static str, &'static str)>,
    pub(crate) tool_choice: ToolChoicePolicy,
    pub(crate) n: NPolicy,
}

type Object = Map<String, Value>;

type Apply = fn(&Reference, Family, &mut Object);

impl Reference {
    /// What the layer must make of a body. One without an array of messages is no
    /// chat request.
    pub(crate) fn rewrite(&self, body: Value) -> Value {
        let Value::Object(mut request) = body else {
            return body;
        };
        if !get(&request, "messages").is_array() {
            return Value::Object(request);
        }
        let family = self.model(&mut request);
        // Whether the model thinks is settled before anything depends on it.
        let rules: [(Rule, Apply); 9] = [
            (Rule::Thinking, Self::thinking),
            (Rule::ReasoningEffort, Self::reasoning_effort),
            (Rule::ToolChoice, Self::tool_choice),
            (Rule::Temperature, Self::temperature),
            (Rule::Sampling, Self::sampling),
            (Rule::Role, Self::role),
            (Rule::Content, Self::content),
            (Rule::EmptyContent, Self::empty_content),
            (Rule::ReasoningContent, Self::reasoning_content),
        ];
        for (rule, apply) in rules {
            if self.has(rule) {
                apply(self, family, &mut request);
            }
        }
        Value::Object(request)
    }

    fn has(&self, rule: Rule) -> bool {
        !self.off.contains(&rule)
    }

    /// The family is that of the id that is sent, so an alias counts only while
    /// the rule is on. A prefix doesn't hide the family from the other rules.
    fn model(&self, request: &mut Object) -> Family {
        let Some(id) = get(request, "model").as_str().map(str::to_owned) else {
            return Family::Other;
        };
        if !self.has(Rule::Model) {
            return Family::of(&id);
        }
        let bare = without_prefixes(&id);
        let target = |name: &str| self.aliases.iter().find(|alias| alias.0 == name);
        let upstream = target(&id)
            .or_else(|| target(bare))
            .map_or(bare, |alias| alias.1);
        request.insert("model".into(), upstream.into());
        Family::of(upstream)
    }

    fn thinking(&self, family: Family, request: &mut Object) {
        let Some(thinking) = request.get_mut("thinking").and_then(Value::as_object_mut) else {
            return;
        };
        match family {
            Family::K3 => {
                let had_type = thinking.remove("type").is_some();
                if had_type && thinking.is_empty() {
                    request.remove("thinking");
                }
            }
            Family::K27 if get(thinking, "type") == "disabled" => {
                request.remove("thinking");
            }
            Family::K25 => {
                thinking.remove("keep");
            }
            _ => {}
        }
    }

    fn reasoning_effort(&self, family: Family, request: &mut Object) {
        let Some(sent) = request.remove("reasoning_effort") else {
            return;
        };
        let effort = match &sent {
            Value::Object(object) => get(object, "effort").as_str(),
            other => other.as_str(),
        };
        // From here on it is absent, and what is to stay is put back.
        let Some(effort) = effort else {
            if !family.is_fixed() {
                request.insert("reasoning_effort".into(), sent);
            }
            return;
        };
        // Null is what some clients send for "not given".
        let has_thinking = !get(request, "thinking").is_null();
        let stays = match (family, effort) {
            (Family::K3, "minimal" | "low" | "none") => Some("low"),
            (Family::K3, "medium" | "high") => Some("high"),
            (Family::K3, "xhigh" | "max") => Some("max"),
            (Family::K3, _) => None,
            (Family::K27, "none") => None,
            (Family::K26 | Family::K25, "none") => {
                if !has_thinking {
                    request.insert("thinking".into(), disabled());
                }
                None
            }
            (Family::K27 | Family::K26 | Family::K25, _) if has_thinking => None,
            (_, effort) => Some(effort),
        };
        if let Some(effort) = stays {
            // The two together are refused; on K3 the effort is what counts.
            if family == Family::K3 && has_thinking {
                request.remove("thinking");
            }
            request.insert("reasoning_effort".into(), effort.into());
        }
    }

    fn tool_choice(&self, family: Family, request: &mut Object) {
        let tools = match get(request, "tools") {
            Value::Null => &[],
            Value::Array(tools) => tools.as_slice(),
            _ => return,
        };
        let choice = get(request, "tool_choice");
        if choice.is_null() {
            return;
        }
        if tools.is_empty() {
            request.remove("tool_choice");
            return;
        }
        let function = choice.get("function");
        let word = choice.as_str().or_else(|| choice["type"].as_str());
        match word {
            Some("function") => {
                let name = &choice["function"]["name"];
                if name.is_string() && tools.iter().any(|tool| tool["function"]["name"] == *name) {
                    self.named(family, request, &name.clone());
                }
            }
            Some("required") if function.is_none() => {
                request.insert("tool_choice".into(), "required".into());
                self.required(family, request);
            }
            Some(word @ ("auto" | "none")) if function.is_none() => {
                let word = Value::from(word);
                request.insert("tool_choice".into(), word);
            }
            _ => {}
        }
    }

    /// The one function that is named, and is among the tools, must be called.
    fn named(&self, family: Family, request: &mut Object, name: &Value) {
        // What the other families make of it is not known.
        let refused = family.is_fixed() && family.thinks(request);
        if !refused || self.disables_thinking(family, request) {
            return;
        }
        if let Some(Value::Array(tools)) = request.get_mut("tools") {
            tools.retain(|tool| tool["function"]["name"] == *name);
        }
        request.insert("tool_choice".into(), "required".into());
        self.required(family, request);
    }

    /// Some tool must be called.
    fn required(&self, family: Family, request: &mut Object) {
        let is_native = family == Family::K3
            || family.can_switch_thinking() && !family.thinks(request)
            || self.disables_thinking(family, request);
        if is_native {
            return;
        }
        request.remove("tool_choice");
        if let Some(Value::Array(messages)) = request.get_mut("messages") {
            // A message behind a prefill would end it.
            let is_prefill =
                |message: &Value| message["role"] == "assistant" && message["partial"] == true;
            let asks = self.tool_choice != ToolChoicePolicy::Auto;
            if asks && !messages.last().is_some_and(is_prefill) {
                messages.push(json!({"role": "user", "content": NUDGE}));
            }
        }
    }

    /// Disables thinking if that is the policy and the model lets it.
    fn disables_thinking(&self, family: Family, request: &mut Object) -> bool {
        let disables =
            self.tool_choice == ToolChoicePolicy::DisableThinking && family.can_switch_thinking();
        if disables {
            request.insert("thinking".into(), disabled());
            // It would now stand beside `thinking`, which is refused.
            if self.has(Rule::ReasoningEffort) {
                request.remove("reasoning_effort");
            }
        }
        disables
    }

    fn temperature(&self, family: Family, request: &mut Object) {
        if family.is_fixed() {
            return;
        }
        let several = get(request, "n").as_f64().is_some_and(|n| n > 1.0);
        let temperature = match get(request, "temperature") {
            // The default of V1 is 0.
            Value::Null if several && family == Family::V1 => json!(0.3),
            Value::Number(number) => match number.as_f64() {
                Some(number) if several && number < 0.3 => json!(0.3),
                Some(number) if number > 1.0 => json!(1),
                _ => return,
            },
            _ => return,
        };
        request.insert("temperature".into(), temperature);
    }

    fn sampling(&self, family: Family, request: &mut Object) {
        if !family.is_fixed() {
            return;
        }
        // The ids of Kimi Code have one temperature, the others one more.
        let temperature = match get(request, "model").as_str() {
            Some(id) if is_kimi_code(id) => 0.6,
            _ if family.thinks(request) => 1.0,
            _ => 0.6,
        };
        let keeps_n = self.n == NPolicy::Keep;
        request.retain(|key, value| {
            let accepted = match key.as_str() {
                "temperature" => temperature,
                "top_p" => 0.95,
                "n" if keeps_n && value.as_f64().is_some_and(|n| n > 1.0) => return true,
                "n" => 1.0,
                "presence_penalty" | "frequency_penalty" => 0.0,
                "logprobs" => return !(value.is_null() || *value == true),
                "top_logprobs" => return !(value.is_null() || value.is_number()),
                _ => return true,
            };
            // Values of another type are for Moonshot to judge.
            !value.is_null() && value.as_f64().is_none_or(|number| number == accepted)
        });
    }

    fn role(&self, _: Family, request: &mut Object) {
        for message in messages(request) {
            if get(message, "role") == "developer" {
                message.insert("role".into(), "system".into());
            }
        }
    }

    fn content(&self, _: Family, request: &mut Object) {
        // One part that is no text anywhere, and all arrays stay.
        let all_text = messages(request)
            .flat_map(|message| elements(get(message, "content")))
            .all(|part| text_of(part).is_some());
        if !all_text {
            return;
        }
        for message in messages(request) {
            if let Some(Value::Array(parts)) = message.get("content") {
                let joined: String = parts.iter().filter_map(text_of).collect();
                message.insert("content".into(), joined.into());
            }
        }
    }

    fn empty_content(&self, _: Family, request: &mut Object) {
        for message in messages(request) {
            let is_assistant = get(message, "role") == "assistant";
            let is_user = get(message, "role") == "user";
            // Calls of a wrong type are not none: nobody can tell what they are.
            let calls = get(message, "tool_calls");
            let no_calls = calls.is_null() || *calls == json!([]);
            let must_speak =
                (is_assistant || is_user) && no_calls && get(message, "partial") != true;
            let content = get(message, "content");
            let is_empty = match content {
                Value::Null => is_assistant,
                Value::String(text) => text.is_empty(),
                Value::Array(parts) => parts.iter().all(is_empty_text),
                _ => false,
            };
            let without_empty_parts = match content {
                _ if is_empty && must_speak => " ".into(),
                // Nothing would be left of the array but its brackets.
                Value::Array(parts) if !parts.is_empty() && is_empty => "".into(),
                Value::Array(parts) => parts
                    .iter()
                    .filter(|part| !is_empty_text(part))
                    .cloned()
                    .collect(),
                _ => continue,
            };
            message.insert("content".into(), without_empty_parts);
        }
    }

    fn reasoning_content(&self, family: Family, request: &mut Object) {
        if !family.thinks(request) {
            return;
        }
        let keeps_all = get(request, "thinking")["keep"] == "all";
        for message in messages(request) {
            let calls_tools = !elements(get(message, "tool_calls")).is_empty();
            let needs = get(message, "role") == "assistant" && (keeps_all || calls_tools);
            let is_missing = match get(message, "reasoning_content") {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                _ => false,
            };
            if needs && is_missing {
                let reasoning = take_text(message, "reasoning").or_else(|| {
                    let fields = message.get_mut("provider_specific_fields")?;
                    take_text(fields.as_object_mut()?, "reasoning_content")
                });
                let reasoning = reasoning.unwrap_or_else(|| " ".into());
                message.insert("reasoning_content".into(), reasoning);
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Family {
    K3,
    K27,
    K26,
    K25,
    K2Thinking,
    V1,
    /// K2 previews, and ids that nobody knows.
    Other,
}

impl Family {
    fn of(id: &str) -> Self {
        let id = without_prefixes(id).to_ascii_lowercase();
        let starts = |prefixes: &[&str]| prefixes.iter().any(|&prefix| id.starts_with(prefix));
        // Versions that nobody has seen yet are taken for the latest known.
        let version = |prefix| id.strip_prefix(prefix).and_then(leading_number);
        let generation = version("kimi-k").or_else(|| version("k"));
        if starts(&["kimi-k3", "k3"]) || matches!(generation, Some(4..=9)) {
            Self::K3
        } else if starts(&["kimi-k2.6"]) {
            Self::K26
        } else if starts(&["kimi-k2.5"]) {
            Self::K25
        } else if starts(&["kimi-k2.7", "kimi-for-coding"])
            || matches!(version("kimi-k2."), Some(8..=99))
        {
            Self::K27
        } else if starts(&["kimi-k2-thinking"]) {
            Self::K2Thinking
        } else if starts(&["moonshot-v1", "kimi-latest", "kimi-thinking-preview"]) {
            Self::V1
        } else {
            Self::Other
        }
    }

    /// Whether each sampling parameter is accepted at one value only.
    fn is_fixed(self) -> bool {
        matches!(self, Self::K3 | Self::K27 | Self::K26 | Self::K25)
    }

    fn can_switch_thinking(self) -> bool {
        matches!(self, Self::K26 | Self::K25)
    }

    fn thinks(self, request: &Object) -> bool {
        match self {
            Self::K3 | Self::K27 | Self::K2Thinking => true,
            Self::K26 | Self::K25 => get(request, "thinking")["type"] != "disabled",
            Self::V1 | Self::Other => false,
        }
    }
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    text[..end.unwrap_or(text.len())].parse().ok()
}

/// Whether the id is one of the coding subscription, which leave out `kimi-`.
fn is_kimi_code(id: &str) -> bool {
    let id = without_prefixes(id).to_ascii_lowercase();
    id.starts_with('k') && !id.starts_with("kimi-k")
}

/// An id without `moonshot/` and `moonshotai/` before it, however often. Of one
/// that is nothing else, the last stays.
fn without_prefixes(id: &str) -> &str {
    for prefix in ["moonshot/", "moonshotai/"] {
        if let Some((start, rest)) = id.split_at_checked(prefix.len()) {
            if start.eq_ignore_ascii_case(prefix) && !rest.is_empty() {
                return without_prefixes(rest);
            }
        }
    }
    id
}

fn disabled() -> Value {
    json!({"type": "disabled"})
}

/// A member, null if it is absent.
fn get<'a>(object: &'a Object, key: &str) -> &'a Value {
    object.get(key).unwrap_or(&Value::Null)
}

/// The elements of an array; none if it is something else.
fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn messages(request: &mut Object) -> impl Iterator<Item = &mut Object> {
    let messages = request.get_mut("messages").and_then(Value::as_array_mut);
    messages
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

/// What a part of a content array says, if it is a text part.
fn text_of(part: &Value) -> Option<&str> {
    match part["type"].as_str()? {
        "text" => part["text"].as_str(),
        "refusal" => part["refusal"].as_str(),
        _ => None,
    }
}

fn is_empty_text(part: &Value) -> bool {
    text_of(part) == Some("")
}

/// Takes a member out if it is a text that says something.
fn take_text(object: &mut Object, key: &str) -> Option<Value> {
    let text = get(object, key).as_str()?;
    if text.is_empty() {
        None
    } else {
        object.remove(key)
    }
}
