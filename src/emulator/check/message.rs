//! Reads and checks one message.

use serde_json::Value;

use super::{
    super::{error::type_of, facts, family::Family, finding::Findings, place::Place},
    Object,
    content::{self, Content},
    field,
    thinking::{Preserved, Thinking},
};
use crate::Rule;

/// The lists of parts of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lists {
    /// Whether the model accepts them.
    pub(super) are_allowed: bool,
    /// Whether each part of all of them is a complete text.
    pub(super) are_text: bool,
}

/// One message and what the checks need to know about it.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) index: usize,
    /// Empty if there is none that Moonshot knows.
    pub(super) role: &'a str,
    pub(super) fields: &'a Object,
    pub(super) calls: &'a [Value],
    declares_tools: bool,
    /// Whether its calls or its tools are something else than a list. Then they may be
    /// what it has in place of content.
    has_faulty_list: bool,
    content: Content<'a>,
}

impl<'a> Message<'a> {
    /// Reads the message at a position of the list, and refuses values of the wrong
    /// type, and roles and parts that Moonshot does not know.
    pub(super) fn read(
        index: usize,
        message: &'a Value,
        place: &Place<'_>,
        thinking: &Thinking,
        findings: &mut Findings,
    ) -> Option<Self> {
        let Some(fields) = message.as_object() else {
            let name = format!("messages[{index}]");
            field::wrong_type(&name, "type object", message, place, findings);
            return None;
        };
        let role = role(fields, place, findings);
        let calls = field::array(fields, "tool_calls", place, findings);
        let tools = field::array(fields, "tools", place, findings);
        let has_thoughts = role == "assistant" && thinking.on;
        let content = fields.get("content");
        Some(Self {
            index,
            role,
            fields,
            calls: calls.unwrap_or_default().unwrap_or_default(),
            has_faulty_list: calls.is_err() || tools.is_err(),
            declares_tools: !tools.unwrap_or_default().unwrap_or_default().is_empty(),
            content: content::read(content, has_thoughts, &place.key("content"), findings),
        })
    }

    /// Every message needs content, except for answers of tools, which may be
    /// empty, assistant messages with tool calls or `partial`, and system messages
    /// with tools.
    pub(super) fn check_content(&self, lists: Lists, place: &Place<'_>, findings: &mut Findings) {
        let partial = match self.role {
            "assistant" => field::boolean(self.fields, "partial", place, findings),
            _ => Ok(None),
        };
        let is_partial = partial.unwrap_or_default().unwrap_or(false);
        let needed = match self.role {
            "user" => true,
            "system" => !self.declares_tools,
            "assistant" => !is_partial && self.calls.is_empty(),
            _ => false,
        };
        let place = place.key("content");
        let position = self.index.to_string();
        let is_missing = needed && !self.has_faulty_list && self.content.is_empty();
        if is_missing {
            findings.add(&facts::MESSAGE_EMPTY, &place, &[&position, self.role]);
        }
        let Content::Parts(parts) = self.content else {
            if matches!(self.content, Content::Absent) && self.role == "tool" {
                let values = ["content", "type string or array", "null"];
                findings.add(&facts::ANSWER_WITHOUT_CONTENT, &place, &values);
            }
            return;
        };
        // An empty list is refused even beside tool calls.
        let is_assistant = self.role == "assistant" && !is_partial;
        let is_empty_list = parts.is_empty() && is_assistant && !needed;
        if is_empty_list {
            let values = [&*position, self.role];
            // Lists that may not stay are made strings before.
            let rule = if lists.are_allowed {
                Rule::EmptyContent
            } else {
                Rule::Content
            };
            let fact = &facts::EMPTY_LIST_BESIDE_CALLS;
            findings.add_repaired(fact, &place, &values, Some(rule));
        }
        if !lists.are_allowed && !is_missing && !is_empty_list {
            let rule = lists.are_text.then_some(Rule::Content);
            findings.add_repaired(&facts::TEXT_PARTS, &place, &[&position], rule);
        }
        if !is_missing {
            let empty = parts.iter().enumerate();
            for (index, _) in empty.filter(|(_, part)| content::is_empty_text(part)) {
                findings.add(&facts::PART_EMPTY, &place.index(index), &[]);
            }
        }
    }

    /// Checks that tools are declared where they may be. The tools themselves are
    /// checked together with those of the request.
    pub(super) fn check_tools(&self, family: Family, place: &Place<'_>, findings: &mut Findings) {
        if !self.declares_tools {
            return;
        }
        let place = place.key("tools");
        let position = self.index.to_string();
        if self.role != "system" {
            // A message without a role may be any.
            if !self.role.is_empty() {
                let values = [&*position, self.role];
                findings.add(&facts::TOOLS_OUTSIDE_SYSTEM, &place, &values);
            }
            return;
        }
        if !self.content.is_empty() {
            findings.add(&facts::TOOLS_BESIDE_CONTENT, &place, &[&position]);
        } else if family != Family::K3 {
            findings.add(&facts::TOOLS_IN_MESSAGE, &place, &[]);
        }
    }

    /// A model that thinks needs its earlier thoughts.
    pub(super) fn check_reasoning(
        &self,
        thinking: &Thinking,
        place: &Place<'_>,
        findings: &mut Findings,
    ) {
        let Ok(reasoning) = field::string(self.fields, "reasoning_content", place, findings) else {
            return;
        };
        let missing = reasoning.unwrap_or_default().is_empty();
        if self.role != "assistant" || !thinking.on || !missing {
            return;
        }
        let place = place.key("reasoning_content");
        let has_calls = !self.calls.is_empty();
        let fact = match thinking.preserved {
            Preserved::ByRequest => &facts::THOUGHT_KEPT,
            _ if has_calls => &facts::THOUGHT_OF_CALLS,
            Preserved::ByModel => &facts::THOUGHT_OF_ANSWER,
            Preserved::Calls => return,
        };
        findings.add(fact, &place, &[&self.index.to_string()]);
    }
}

/// The role of a message, or nothing if Moonshot doesn't know it.
fn role<'a>(message: &'a Object, place: &Place<'_>, findings: &mut Findings) -> &'a str {
    let place = place.key("role");
    match message.get("role") {
        Some(Value::String(role)) => match role.as_str() {
            "system" | "user" | "assistant" | "tool" => return role,
            _ => {
                let rule = (role == "developer").then_some(Rule::Role);
                findings.add_repaired(&facts::ROLE_UNKNOWN, &place, &[role], rule);
            }
        },
        other => {
            let found = type_of(other.unwrap_or(&Value::Null));
            let values = ["role", "one of system, user, assistant and tool", found];
            findings.add(&facts::ROLE_MISSING, &place, &values);
        }
    }
    ""
}
