//! Facts about roles, content, and tools in messages.

use super::grade::Grade::Suite;
use super::{
    Section,
    fact::Fact,
    grade::Grade::{Documented, Reported},
    models::{ALL, NOT_K3, OLDER, ONLY_K3},
    table,
    tools::TYPE_MESSAGE,
};
use crate::Rule;

table! { ROLE_FACTS:
    NO_MESSAGES = Fact::refused("no_messages", ALL, "no messages")
        .with(r#"{"messages":[]}"#)
        .says("Invalid request: messages must not be empty", &[])
        .known(&[Reported]);
    ROLE_UNKNOWN = Fact::refused("role_unknown", ALL, "a role other than system, user, assistant, tool")
        .with(r#"{"messages":[{"role":"developer","content":"Hi"}]}"#)
        .says("role '{}' is not allowed", &["developer"])
        .known(&[Reported])
        .repaired_by(Rule::Role);
    ROLE_MISSING = Fact::refused("role_missing", ALL, "no role")
        .with(r#"{"messages":[{"content":"Hi"}]}"#)
        .says_like(TYPE_MESSAGE, &["role", "one of system, user, assistant and tool", "null"]);
    PART_UNKNOWN = Fact::refused("part_unknown", ALL, "a part other than `text`, `image_url` and `video_url`")
        .with(r#"{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{}}]}]}"#)
        .says_like(
            "Invalid request: unsupported content type: {}; only text, image_url and video_url are \
             allowed",
            &["input_audio"],
        )
        .known(&[Documented]);
    PART_INCOMPLETE = Fact::refused("part_incomplete", ALL, "a part without a type, or without its text or URL")
        .with(r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]}"#)
        .says_like(TYPE_MESSAGE, &["image_url.url", "type string", "null"]);
    URL_UNSUPPORTED = Fact::refused("url_unsupported", ALL, "a URL that begins with neither `data:` nor `ms://`")
        .with(r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}"#)
        .says("Invalid request: unsupported {} url: {}", &["image", "https://example.com/a.png"])
        .known(&[Documented, Reported]);
}

pub(super) static ROLES: Section = Section {
    title: "## Messages",
    before: "Messages are checked one by one. The role and the parts of a message are checked first. The\n\
        tables then apply in this order: tool calls, content, tools, thoughts.",
    after: "",
    facts: ROLE_FACTS,
};

table! { CONTENT_FACTS:
    MESSAGE_EMPTY = Fact::refused("message_empty", ALL, "a system, user or assistant message that is empty")
        .with(r#"{"messages":[{"role":"user","content":""}]}"#)
        .says(EMPTY, &["0", "user"])
        .known(&[Reported])
        .repaired_by(Rule::EmptyContent);
    EMPTY_LIST_BESIDE_CALLS = Fact::refused("empty_list_beside_calls", ALL, "`[]` beside tool calls, without `partial`")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[],"reasoning_content":"?","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"}]}"#)
        .says(EMPTY, &["1", "assistant"])
        .known(&[Reported])
        .repaired_by(Rule::EmptyContent);
    ANSWER_WITHOUT_CONTENT = Fact::refused("answer_without_content", ALL, "a tool message without content")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a"}]}"#)
        .says_like(TYPE_MESSAGE, &["content", "type string or array", "null"]);
    TEXT_PARTS = Fact::refused("text_parts", OLDER, "lists of parts if every part of the request is text")
        .with(r#"{"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#)
        .says_like(
            "Invalid request: the content of the message at position {} must be a string, because \
             all parts of the request are text",
            &["0"],
        )
        .known(&[Documented])
        .repaired_by(Rule::Content);
    PART_EMPTY = Fact::refused("part_empty", ALL, "an empty text part")
        .with(r#"{"messages":[{"role":"user","content":[{"type":"text","text":""},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}}]}]}"#)
        .says("text content is empty", &[])
        .known(&[Reported])
        .repaired_by(Rule::EmptyContent);
}

const EMPTY: &str = "Invalid request: the message at position {} with role '{}' must not be empty";

pub(super) static CONTENT: Section = Section {
    title: "### Content",
    before: "",
    after: "A message is empty if its content is `\"\"`, `[]`, null or absent, or if all of its parts\n\
        are empty texts. Assistant messages may be empty if they have tool calls or\n\
        `\"partial\": true`, system messages if they have tools. Tool messages may be `\"\"`, and\n\
        where lists of parts are accepted also `[]` (judgement). That older models refuse lists\n\
        of texts is documented for those without vision, and a judgement for the others.",
    facts: CONTENT_FACTS,
};

table! { TOOL_FACTS:
    TOOLS_OUTSIDE_SYSTEM = Fact::refused("tools_outside_system", ALL, "`tools` in a user, assistant or tool message")
        .with(r#"{"messages":[{"role":"user","content":"Hi","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}]}"#)
        .says_like(
            "Invalid request: the message at position {} with role '{}' must not have tools, only \
             messages with role 'system' may have them",
            &["0", "user"],
        )
        .known_on(ONLY_K3, &[Suite])
        .note("in a tool message: judgement");
    TOOLS_BESIDE_CONTENT = Fact::refused("tools_beside_content", ALL, "`tools` in a system message with content")
        .with(r#"{"messages":[{"role":"system","content":"Hi","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]},{"role":"user","content":"Hi"}]}"#)
        .says_like(
            "Invalid request: the message at position {} must not have both tools and content",
            &["0"],
        )
        .known_on(ONLY_K3, &[Suite]);
    TOOLS_IN_MESSAGE = Fact::refused("tools_in_message", NOT_K3, "`tools` in a system message without content")
        .with(r#"{"messages":[{"role":"system","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]},{"role":"user","content":"Hi"}]}"#)
        .says("tokenization failed", &[])
        .known(&[Reported]);
}

pub(super) static TOOLS: Section = Section {
    title: "### Tools in messages",
    before: "",
    after: "An empty list counts as absent (judgement).",
    facts: TOOL_FACTS,
};
