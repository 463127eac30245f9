//! The keys that the memory looks for in a request.

use crate::json::{Backend, Error, Scanner, Str, words::words};

words! {
    /// A member of the request itself.
    RequestKey {
        Messages = "messages",
        Model = "model",
        Thinking = "thinking",
        ReasoningEffort = "reasoning_effort",
        EnableThinking = "enable_thinking",
        ChatTemplateKwargs = "chat_template_kwargs",
        Reasoning = "reasoning",
    } ":"
}

words! {
    /// A member of a message.
    MessageKey {
        Role = "role",
        Content = "content",
        ToolCalls = "tool_calls",
        ReasoningContent = "reasoning_content",
        Reasoning = "reasoning",
        ReasoningDetails = "reasoning_details",
        ProviderSpecificFields = "provider_specific_fields",
        Partial = "partial",
    } ":"
}

words! {
    /// A member of a tool call.
    CallKey {
        Function = "function",
        Custom = "custom",
    } ":"
}

words! {
    /// A member of what a tool call calls. OpenAI's custom tools have an input instead of
    /// arguments.
    FunctionKey {
        Name = "name",
        Arguments = "arguments",
        Input = "input",
    } ":"
}
