//! The keys of a chat request that the walk looks for, and the values of `role` and
//! `type`.

use crate::json::{Backend, Error, Scanner, Str, words::words};

words! {
    /// A member of the request itself.
    Field {
        Messages = "messages",
        Model = "model",
        Tools = "tools",
        ToolChoice = "tool_choice",
        Temperature = "temperature",
        TopP = "top_p",
        N = "n",
        PresencePenalty = "presence_penalty",
        FrequencyPenalty = "frequency_penalty",
        Logprobs = "logprobs",
        TopLogprobs = "top_logprobs",
        Thinking = "thinking",
        ReasoningEffort = "reasoning_effort",
        ResponseFormat = "response_format",
        MaxTokens = "max_tokens",
        MaxCompletionTokens = "max_completion_tokens",
        EnableThinking = "enable_thinking",
        ChatTemplateKwargs = "chat_template_kwargs",
        Reasoning = "reasoning",
    } ":"
}

words! {
    /// A member of `thinking`.
    ThinkingField {
        Type = "type",
        Keep = "keep",
        Effort = "effort",
    } ":"
}

words! {
    /// A member of a message.
    MessageField {
        Role = "role",
        Content = "content",
        ToolCalls = "tool_calls",
        ToolCallId = "tool_call_id",
        ReasoningContent = "reasoning_content",
        Reasoning = "reasoning",
        ReasoningDetails = "reasoning_details",
        ProviderSpecificFields = "provider_specific_fields",
        Partial = "partial",
        Tools = "tools",
    } ":"
}

words! {
    /// Who speaks in a message.
    Role {
        System = "system",
        Developer = "developer",
        User = "user",
        Assistant = "assistant",
        Tool = "tool",
    } ""
}

words! {
    /// A member of a part of a content array.
    PartField {
        Type = "type",
        Text = "text",
        Refusal = "refusal",
        ReasoningContent = "reasoning_content",
    } ":"
}

words! {
    /// The type of a part that holds a text. It is also the key of that text.
    PartType {
        Text = "text",
        Refusal = "refusal",
        Thinking = "thinking",
        Reasoning = "reasoning",
    } ""
}

words! {
    /// A member of a tool call.
    CallField {
        Id = "id",
    } ":"
}

words! {
    /// A member of a tool. All but `function` only matter where there is no `function`.
    ToolField {
        Type = "type",
        Function = "function",
        Name = "name",
        Parameters = "parameters",
    } ":"
}

words! {
    /// The type of a tool.
    ToolType {
        Function = "function",
    } ""
}

words! {
    /// A member of a tool's function.
    FunctionField {
        Name = "name",
        Parameters = "parameters",
    } ":"
}

words! {
    /// A member of `response_format`.
    FormatField {
        Type = "type",
        JsonSchema = "json_schema",
    } ":"
}

words! {
    /// The type of a `response_format` with a schema.
    FormatType {
        JsonSchema = "json_schema",
    } ""
}

words! {
    /// A member of `response_format.json_schema`.
    JsonSchemaField {
        Schema = "schema",
        Name = "name",
        Strict = "strict",
    } ":"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::words::LONGEST;

    #[test]
    fn every_word_is_taken_in_its_usual_spelling() {
        fn check<W: PartialEq + std::fmt::Debug>(
            names: &[&str],
            behind: &str,
            take: impl Fn(&mut Scanner<'_>) -> Option<(W, Str)>,
            of: impl Fn(Str, &[u8]) -> Option<W>,
        ) {
            for name in names {
                let text = format!("\"{name}\"{behind}{}", " ".repeat(LONGEST));
                let mut scanner = Scanner::new(text.as_bytes()).unwrap();
                let (word, string) = take(&mut scanner).expect(name);
                assert_eq!(scanner.pos(), name.len() + 2 + behind.len());
                assert_eq!(string.plain(text.as_bytes()), Some(name.as_bytes()));
                assert_eq!(of(string, text.as_bytes()), Some(word), "{name}");
            }
        }
        check(Field::NAMES, ":", Field::take, Field::of);
        check(
            MessageField::NAMES,
            ":",
            MessageField::take,
            MessageField::of,
        );
        check(Role::NAMES, "", Role::take, Role::of);
        check(PartField::NAMES, ":", PartField::take, PartField::of);
        check(PartType::NAMES, "", PartType::take, PartType::of);
        check(CallField::NAMES, ":", CallField::take, CallField::of);
        check(ToolField::NAMES, ":", ToolField::take, ToolField::of);
        check(ToolType::NAMES, "", ToolType::take, ToolType::of);
        check(
            FunctionField::NAMES,
            ":",
            FunctionField::take,
            FunctionField::of,
        );
        check(
            ThinkingField::NAMES,
            ":",
            ThinkingField::take,
            ThinkingField::of,
        );
        check(FormatField::NAMES, ":", FormatField::take, FormatField::of);
        check(FormatType::NAMES, "", FormatType::take, FormatType::of);
        check(
            JsonSchemaField::NAMES,
            ":",
            JsonSchemaField::take,
            JsonSchemaField::of,
        );
    }
}
