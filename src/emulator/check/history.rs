//! Checks the tool calls of earlier turns and the answers to them.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    super::{facts, finding::Findings, place::Place, steps},
    Object, field,
    message::Message,
};
use crate::Rule;

/// The tool calls so far. Ids are looked up by hash, so that a history of any
/// length is checked in linear time.
#[derive(Debug, Default)]
pub(super) struct History<'a> {
    /// The ids of the whole request, each with the number of its last call.
    ids: HashMap<&'a str, usize>,
    /// How many calls there were before those of the last assistant message.
    earlier: usize,
    /// The calls of the last assistant message, without those that have no id.
    calls: Vec<Call<'a>>,
    /// Where that message is in the list.
    message: usize,
    /// Whether it has a call without an id. An answer may belong to such a call.
    has_nameless: bool,
    /// How many answers to it have no id. Each may belong to any of its calls.
    nameless_answers: usize,
}

#[derive(Debug)]
struct Call<'a> {
    id: &'a str,
    /// How many calls of the message have this id.
    calls: usize,
    answers: usize,
}

impl<'a> History<'a> {
    pub(super) fn add(
        &mut self,
        message: &Message<'a>,
        place: &Place<'_>,
        findings: &mut Findings,
    ) {
        if message.role == "tool" {
            return self.answer(message.fields, place, findings);
        }
        self.close(findings);
        if message.role == "assistant" {
            self.message = message.index;
            let place = place.key("tool_calls");
            for (index, call) in message.calls.iter().enumerate() {
                self.call(call, &place.index(index), findings);
            }
        }
    }

    /// Checks that every call has an answer.
    pub(super) fn close(&mut self, findings: &mut Findings) {
        steps::count(self.calls.len());
        let open = self.calls.iter().filter(|call| call.answers < call.calls);
        let open: Vec<&str> = open.map(|call| call.id).collect();
        if open.len() > self.nameless_answers {
            let place = Place::ROOT.key("messages");
            let place = place.index(self.message);
            let place = place.key("tool_calls");
            findings.add(&facts::CALL_UNANSWERED, &place, &[&open.join(", ")]);
        }
        self.earlier += self.calls.len();
        self.calls.clear();
        self.has_nameless = false;
        self.nameless_answers = 0;
    }

    fn answer(&mut self, message: &Object, place: &Place<'_>, findings: &mut Findings) {
        steps::count(1);
        let Ok(id) = field::string(message, "tool_call_id", place, findings) else {
            return;
        };
        let id = id.unwrap_or_default();
        let place = place.key("tool_call_id");
        if id.is_empty() {
            self.nameless_answers += 1;
            let rule = self.has_nameless.then_some(Rule::ToolCallId);
            findings.add_repaired(&facts::ANSWER_WITHOUT_ID, &place, &[id], rule);
            return;
        }
        if self.calls.is_empty() && !self.has_nameless {
            findings.add(&facts::ANSWER_ORPHANED, &place, &[]);
            return;
        }
        let number = self.ids.get(id).copied();
        let position = number.and_then(|number| number.checked_sub(self.earlier));
        let Some(call) = position.and_then(|position| self.calls.get_mut(position)) else {
            findings.add(&facts::ANSWER_UNKNOWN, &place, &[id]);
            return;
        };
        if call.answers == call.calls {
            findings.add(&facts::ANSWER_REPEATED, &place, &[id]);
            return;
        }
        call.answers += 1;
    }

    fn call(&mut self, call: &'a Value, place: &Place<'_>, findings: &mut Findings) {
        steps::count(1);
        let Some(call) = call.as_object() else {
            self.has_nameless = true;
            field::wrong_type("tool_calls[]", "type object", call, place, findings);
            return;
        };
        // Kimi's own ids, like `functions.weather:0`, have dots and colons, so
        // no character is refused, and no length.
        match field::string(call, "id", place, findings) {
            Err(field::Reported) => self.has_nameless = true,
            Ok(None | Some("")) => {
                self.has_nameless = true;
                findings.add(&facts::CALL_WITHOUT_ID, &place.key("id"), &[""]);
            }
            Ok(Some(id)) => self.named(id, &place.key("id"), findings),
        }
        check_function(call, place, findings);
    }

    fn named(&mut self, id: &'a str, place: &Place<'_>, findings: &mut Findings) {
        let number = self.earlier + self.calls.len();
        let before = self.ids.get(id).copied();
        let here = before.and_then(|before| before.checked_sub(self.earlier));
        if let Some(call) = here.and_then(|here| self.calls.get_mut(here)) {
            call.calls += 1;
            findings.add(&facts::CALL_DUPLICATED, place, &[id]);
            return;
        }
        if before.is_some() {
            findings.add(&facts::CALL_REPEATED, place, &[id]);
        }
        self.ids.insert(id, number);
        self.calls.push(Call {
            id,
            calls: 1,
            answers: 0,
        });
    }
}

fn check_function(call: &Object, place: &Place<'_>, findings: &mut Findings) {
    let function = match field::object(call, "function", place, findings) {
        Ok(Some(function)) => function,
        Ok(None) => {
            findings.add(&facts::CALL_WITHOUT_FUNCTION, place, &[]);
            return;
        }
        Err(field::Reported) => return,
    };
    let place = place.key("function");
    for name in ["name", "arguments"] {
        if let Ok(None) = field::string(function, name, &place, findings) {
            findings.add(&facts::CALL_INCOMPLETE, &place.key(name), &[name]);
        }
    }
}
