//! Makes the answer of the emulator.

use serde_json::{Map, Value, json};

use super::{
    calling, check::Request, conversation, instance, schema::check_schema, thoughts::Thoughts,
};

/// 2026-01-01. The time is fixed, so that answers can be compared.
pub(super) const CREATED: u64 = 1_767_225_600;

/// An answer, before it becomes one object or many chunks.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) choices: usize,
    /// One for each choice, if the model thinks.
    thoughts: Vec<String>,
    pub(super) answer: Answer,
    prompt_tokens: usize,
}

/// What every choice says.
#[derive(Debug)]
pub(super) enum Answer {
    Text(String),
    Call {
        /// One for each choice.
        ids: Vec<String>,
        name: String,
        arguments: String,
    },
}

impl Reply {
    /// Answers the request that has this number and length in bytes.
    pub(super) fn to(
        request: &Request<'_>,
        thoughts: &Thoughts,
        number: usize,
        bytes: usize,
    ) -> Self {
        let thinking = if request.thinks { request.choices } else { 0 };
        Self {
            id: format!("chatcmpl-{number:016x}"),
            model: request.model.to_owned(),
            choices: request.choices,
            thoughts: thoughts.of(number, thinking),
            answer: Answer::to(request),
            prompt_tokens: tokens(bytes),
        }
    }

    /// What the model thinks before a choice, if it thinks.
    pub(super) fn thoughts(&self, choice: usize) -> Option<&str> {
        self.thoughts.get(choice).map(String::as_str)
    }

    /// The reason why the answer ends.
    pub(super) fn finish_reason(&self) -> &'static str {
        match self.answer {
            Answer::Text(_) => "stop",
            Answer::Call { .. } => "tool_calls",
        }
    }

    /// The usage of so many choices.
    pub(super) fn usage(&self, choices: usize) -> Value {
        let thoughts = self.thoughts.first().map_or(0, String::len);
        let answer = match &self.answer {
            Answer::Text(text) => text.len(),
            Answer::Call {
                name, arguments, ..
            } => name.len() + arguments.len(),
        };
        let completion_tokens = tokens(thoughts + answer) * choices;
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": self.prompt_tokens + completion_tokens,
            "cached_tokens": 0,
            "prompt_tokens_details": {"cached_tokens": 0},
        })
    }

    /// The answer as one object.
    pub(super) fn to_json(&self) -> Value {
        let choices: Vec<Value> = (0..self.choices)
            .map(|index| {
                json!({
                    "index": index,
                    "message": self.message(index),
                    "finish_reason": self.finish_reason(),
                })
            })
            .collect();
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": CREATED,
            "model": self.model,
            "choices": choices,
            "usage": self.usage(self.choices),
        })
    }

    fn message(&self, choice: usize) -> Value {
        let mut message = match &self.answer {
            Answer::Text(text) => json!({"role": "assistant", "content": text}),
            Answer::Call {
                ids,
                name,
                arguments,
            } => json!({
                "role": "assistant",
                "content": "",
                "tool_calls": [{
                    "id": ids[choice],
                    "type": "function",
                    "function": {"name": name, "arguments": arguments},
                }],
            }),
        };
        if let Some(thoughts) = self.thoughts(choice) {
            message["reasoning_content"] = json!(thoughts);
        }
        message
    }
}

impl Answer {
    fn to(request: &Request<'_>) -> Self {
        let body = request.body;
        let messages = conversation::messages(body);
        if let Some(function) = calling::pick(&request.tools, messages) {
            return Self::call(function, request.choices, messages);
        }
        let said = conversation::last_user_text(messages);
        let format = body.get("response_format").unwrap_or(&Value::Null);
        // A schema that isn't strict may be outside the dialect. Then all that
        // Moonshot promises is an object.
        let schema = format.pointer("/json_schema/schema");
        let schema = schema.filter(|schema| check_schema(schema).is_ok());
        Self::Text(match (format.get("type").and_then(Value::as_str), schema) {
            (Some("json_schema"), Some(schema)) => instance::of(schema).to_string(),
            (Some("json_object" | "json_schema"), _) => json!({"said": said}).to_string(),
            _ => match messages.last().filter(|last| conversation::is_tool(last)) {
                Some(last) => format!("The tool said: {}", conversation::text(last)),
                None => format!("You said: {said}"),
            },
        })
    }

    fn call(function: &Map<String, Value>, choices: usize, messages: &[Value]) -> Self {
        let name = calling::name(function);
        let said = conversation::last_user_turn(messages);
        let arguments = match calling::given_arguments(name, &said) {
            Some(arguments) => arguments.to_owned(),
            None => smallest_arguments(function).to_string(),
        };
        Self::Call {
            ids: calling::ids(choices, name, messages),
            name: name.to_owned(),
            arguments,
        }
    }
}

fn smallest_arguments(function: &Map<String, Value>) -> Value {
    let parameters = function.get("parameters");
    let parameters = parameters.filter(|schema| schema.is_object());
    parameters.map_or_else(|| json!({}), instance::of)
}

/// A token is four bytes.
fn tokens(bytes: usize) -> usize {
    bytes.div_ceil(4)
}
