//! Which messages of the assistant need their reasoning.

use super::{members::member, walk::Switches};
use crate::{
    ModelAliases,
    json::{Kind, Value},
    model::{Effort, Family, Thinking, ThinkingParam, provider_prefix},
    overrides::Overrides,
};

/// Which messages need their reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The model doesn't think.
    None,
    /// Those behind the last message of the user: the current loop of tool calls.
    CurrentLoop,
    All,
}

impl Switches {
    /// The family of the model that the request is for, once the layer inside of this one
    /// has replaced an alias.
    pub(super) fn family(
        &self,
        text: &[u8],
        overrides: Overrides<'_>,
        aliases: &ModelAliases,
    ) -> &'static Family {
        if let Some(target) = overrides.target {
            return Family::of(target.id());
        }
        let Some(model) = self.model.and_then(Value::as_str) else {
            return Family::unknown();
        };
        let name = model.unescaped(text);
        let aliases = overrides.aliases.unwrap_or(aliases);
        let target = std::str::from_utf8(&name).ok().and_then(|name| {
            let id = &name[provider_prefix(name)..];
            aliases.get(name).or_else(|| aliases.get(id))
        });
        match target {
            Some(target) => Family::of(target),
            None => Family::of(&*name),
        }
    }

    /// Which messages need their reasoning on a model of this family.
    pub(super) fn due(&self, family: &Family, text: &[u8]) -> Due {
        if family.thinking == Thinking::Never
            || family.thinking == Thinking::Switchable && self.is_off(family, text)
        {
            return Due::None;
        }
        match family.thinking_param {
            // K3, and K2.7: every message (documented).
            ThinkingParam::OnOrOff | ThinkingParam::AlwaysKept => Due::All,
            // K2.6 and K2.8: all with preserved thinking.
            ThinkingParam::NotAdaptive if self.keeps_all(text) => Due::All,
            // Else, and on K2.5 and K2 thinking, the current loop.
            _ => Due::CurrentLoop,
        }
    }

    /// Whether thinking is switched off, in one of the ways that
    /// [`MoonshotCompat`](crate::MoonshotCompat) translates.
    fn is_off(&self, family: &Family, text: &[u8]) -> bool {
        let given = |value: Option<Value>| value.filter(|value| value.kind != Kind::Null);
        if let Some(thinking) = given(self.thinking) {
            return thinking.kind == Kind::False || member_is(thinking, b"type", "disabled", text);
        }
        let none_disables = matches!(
            family.effort,
            Effort::Levels {
                none_disables: true,
                ..
            } | Effort::Ignored {
                none_disables: true
            }
        );
        if none_disables
            && self
                .reasoning_effort
                .is_some_and(|effort| is(effort, "none", text))
        {
            return true;
        }
        if !family.thinking_param.has_foreign_switch() {
            return false;
        }
        let is_false = |value: Option<Value>| value.is_some_and(|value| value.kind == Kind::False);
        let template = self.chat_template_kwargs;
        is_false(self.enable_thinking)
            || template.is_some_and(|object| {
                member_is_false(object, b"thinking", text)
                    || member_is_false(object, b"enable_thinking", text)
            })
            || self.reasoning.is_some_and(|object| {
                member_is_false(object, b"enabled", text)
                    || member_is(object, b"effort", "none", text)
            })
    }

    fn keeps_all(&self, text: &[u8]) -> bool {
        self.thinking
            .is_some_and(|thinking| member_is(thinking, b"keep", "all", text))
    }
}

fn is(value: Value, what: &str, text: &[u8]) -> bool {
    value
        .as_str()
        .is_some_and(|string| string.says(what.as_bytes(), text))
}

fn member_is(object: Value, name: &[u8], what: &str, text: &[u8]) -> bool {
    let raw = object.span.of(text);
    member(raw, name).is_some_and(|value| is(value, what, raw))
}

fn member_is_false(object: Value, name: &[u8], text: &[u8]) -> bool {
    member(object.span.of(text), name).is_some_and(|value| value.kind == Kind::False)
}
