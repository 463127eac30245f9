//! Whether the model will think, and the edits of `thinking` that decide it.

use super::{Draft, Field, ThinkingField};
use crate::{
    json::{Kind, Member, Value},
    model::{Thinking, ThinkingParam},
    rewrite::{Rule, change::Place},
};

const ASKED_ELSEWHERE: &str = "Moonshot ignores other hosts' switches for thinking";

impl Draft<'_> {
    /// Whether the model thinks, by its family and the request's `thinking`.
    pub(super) fn asked_to_think(&self) -> bool {
        match self.family.thinking {
            Thinking::Always => true,
            Thinking::Never => false,
            Thinking::Switchable => !self.thinking_type_is("disabled"),
        }
    }

    /// Whether `thinking` will be sent. Null is the same as absent.
    pub(in crate::rewrite) fn thinking_is_given(&self) -> bool {
        self.thinking_is_replaced || self.given(Field::Thinking).is_some()
    }

    /// The `thinking` object of the request, unless a rule has replaced it.
    pub(in crate::rewrite) fn thinking(&self) -> Option<Value> {
        self.field(Field::Thinking)
            .map(|thinking| thinking.value)
            .filter(|thinking| thinking.kind == Kind::Object && !self.thinking_is_replaced)
    }

    /// A member of that object, unless a rule has removed it.
    pub(in crate::rewrite) fn thinking_member(&self, field: ThinkingField) -> Option<Member> {
        let thinking = self.thinking()?;
        let removed = self.thinking_removed & field.bit() != 0;
        let member = || self.member(thinking, field.name());
        (!removed).then(member)?
    }

    /// Whether that object has this `type`.
    pub(in crate::rewrite) fn thinking_type_is(&self, kind: &str) -> bool {
        self.thinking_member(ThinkingField::Type)
            .is_some_and(|found| self.is_string(found.value, kind))
    }

    /// Whether Moonshot requires the reasoning of every earlier answer.
    pub(in crate::rewrite) fn keeps_all_reasoning(&self) -> bool {
        self.family.thinking_param == ThinkingParam::AlwaysKept
            || self
                .thinking_member(ThinkingField::Keep)
                .is_some_and(|keep| self.is_string(keep.value, "all"))
    }

    /// Disables thinking.
    pub(in crate::rewrite) fn disable_thinking(&mut self, why: &'static str) {
        if let Some(removed) = self.removed_thinking.take() {
            self.spans.fields[Field::Thinking as usize] = Some(removed);
        }
        self.set(Field::Thinking, r#"{"type":"disabled"}"#, why);
        self.thinking_is_replaced = true;
        self.thinks = false;
    }

    /// Removes `thinking`, or disables thinking where another host's switch asks for
    /// that.
    pub(in crate::rewrite) fn remove_thinking(&mut self, why: &'static str) {
        if self.is_off_elsewhere() {
            self.disable_thinking(ASKED_ELSEWHERE);
        } else {
            self.removed_thinking = self.spans.fields[Field::Thinking as usize].take();
            self.note(Place::Field(Field::Thinking), why);
        }
    }

    /// Disables thinking if `thinking` is not given and another host's switch asks for
    /// it.
    #[inline]
    pub(in crate::rewrite) fn follow_other_switches(&mut self) {
        let can = self.family.thinking_param.has_foreign_switch();
        if can && !self.thinking_is_given() && self.is_off_elsewhere() {
            self.disable_thinking(ASKED_ELSEWHERE);
        }
    }

    /// Whether another host's switch disables thinking, and rules translate it for this
    /// model. Moonshot itself ignores those switches.
    fn is_off_elsewhere(&self) -> bool {
        if !self.family.thinking_param.has_foreign_switch() || !self.settings.is_on(Rule::Thinking)
        {
            return false;
        }
        let value = |field| self.field(field).map(|found| found.value);
        let is_false = |value: Option<Value>| value.is_some_and(|value| value.kind == Kind::False);
        let member = |object: Option<Value>, name| Some(self.member(object?, name)?.value);

        let template = value(Field::ChatTemplateKwargs);
        let reasoning = value(Field::Reasoning);
        is_false(value(Field::EnableThinking))
            || is_false(member(template, "thinking"))
            || is_false(member(template, "enable_thinking"))
            || is_false(member(reasoning, "enabled"))
            || member(reasoning, "effort").is_some_and(|effort| self.is_string(effort, "none"))
    }

    /// Replaces a member of `thinking`, or inserts it.
    pub(in crate::rewrite) fn set_in_thinking(
        &mut self,
        field: ThinkingField,
        value: &'static str,
        why: &'static str,
    ) {
        let Some(thinking) = self.thinking() else {
            return;
        };
        if self.member(thinking, field.name()).is_some() {
            self.replace_members(thinking, field.name(), value);
            self.thinking_removed &= !field.bit();
        } else {
            self.edits()
                .append_member(thinking.span, field.key(), value);
        }
        self.note(Place::Thinking(field), why);
    }

    /// Removes a member of `thinking`, and `thinking` itself if no other is left.
    pub(in crate::rewrite) fn remove_from_thinking(
        &mut self,
        field: ThinkingField,
        why: &'static str,
    ) {
        let Some(thinking) = self.thinking() else {
            return;
        };
        self.thinking_removed |= field.bit();
        let mut is_empty = true;
        super::members::for_each_member(self.text, thinking, |key, _| {
            let removed = ThinkingField::named(key)
                .is_some_and(|field| self.thinking_removed & field.bit() != 0);
            is_empty &= removed;
        });
        if is_empty {
            self.remove_thinking(why);
        } else {
            self.note(Place::Thinking(field), why);
        }
    }

    /// Edits the body where rules have removed `thinking` or members of it. This comes
    /// last, because a later rule may have set another value.
    pub(super) fn finish_thinking(&mut self) {
        if let Some(removed) = self.removed_thinking {
            self.edits().remove(removed.span());
        } else if let Some(thinking) = self.thinking() {
            for field in [
                ThinkingField::Type,
                ThinkingField::Keep,
                ThinkingField::Effort,
            ] {
                if self.thinking_removed & field.bit() != 0 {
                    self.remove_members(thinking, field.name());
                }
            }
        }
    }
}
