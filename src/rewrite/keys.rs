//! The keys of a chat request that the walk looks for, and the values of `role` and
//! `type`.

use crate::json::{Backend, Scanner, Str};

/// Declares the words of one kind, such as the keys of a message, and what follows
/// each: a colon after a key, nothing after a value.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $( $word:ident = $text:literal, )+ } $behind:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name {
            $( $word, )+
        }

        // Each word is one bit of a set.
        const _: () = assert!($name::NAMES.len() <= u32::BITS as usize);
        // Each word fits in the bytes that `take` compares at once.
        $( const _: () = assert!(concat!("\"", $text, "\"", $behind).len() <= LONGEST); )+

        #[allow(dead_code, reason = "not every kind of word is written")]
        impl $name {
            pub(super) const NAMES: &'static [&'static str] = &[ $( $text, )+ ];

            pub(super) const fn name(self) -> &'static str {
                Self::NAMES[self as usize]
            }

            /// The word as a quoted key with its colon, for a new member.
            pub(super) const fn key(self) -> &'static str {
                const KEYS: &[&str] = &[ $( concat!("\"", $text, "\":"), )+ ];
                KEYS[self as usize]
            }

            /// The bit of this word in a set.
            pub(super) const fn bit(self) -> u32 {
                1 << self as u32
            }

            /// Takes the next word and what follows it, if it is one of these and
            /// spelled without escapes and spaces. Nearly all are, and
            /// comparing bytes is cheaper than reading a string.
            #[inline(always)]
            pub(super) fn take<B: Backend>(scanner: &mut Scanner<'_, B>) -> Option<(Self, Str)> {
                #[allow(non_upper_case_globals, reason = "named as the words")]
                mod heads {
                    $( pub(super) const $word: u32 = super::head(concat!("\"", $text, "\": ")); )+
                }
                let window: &[u8; LONGEST] = scanner.upcoming()?;
                // The first four bytes tell which word it may be.
                let (word, length) = match u32::from_le_bytes(*window.first_chunk()?) {
                    $(
                        heads::$word if window.starts_with(concat!("\"", $text, "\"", $behind).as_bytes()) => {
                            (Self::$word, $text.len() + 2)
                        }
                    )+
                    _ => return None,
                };
                let span = scanner.pass(length, $behind.len());
                Some((word, Str { span, escaped: false }))
            }

            /// The word that a string in `text` spells, with or without escapes.
            #[inline(always)]
            pub(super) fn of(string: Str, text: &[u8]) -> Option<Self> {
                match string.plain(text) {
                    Some(name) => Self::named(name),
                    None => Self::of_escaped(string, text),
                }
            }

            #[cold]
            fn of_escaped(string: Str, text: &[u8]) -> Option<Self> {
                Self::named(&string.unescaped(text))
            }

            /// The word with this name.
            pub(super) fn named(name: &[u8]) -> Option<Self> {
                $(
                    if name == $text.as_bytes() {
                        return Some(Self::$word);
                    }
                )+
                None
            }
        }
    };
}

/// The first four bytes of a text, as one number.
const fn head(text: &str) -> u32 {
    match text.as_bytes().first_chunk() {
        Some(head) => u32::from_le_bytes(*head),
        None => panic!("shorter than a head"),
    }
}

/// The most bytes that a word takes with its quotes and what follows it. So many are
/// compared at once.
const LONGEST: usize = 32;

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
