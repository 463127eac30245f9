//! Checks `tool_choice`.

use serde_json::Value;

use super::{
    super::{facts, family::Family, finding::Findings, place::Place},
    Object, field,
    thinking::Thinking,
};
use crate::Rule;

/// Which function the model has to call.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Choice<'a> {
    None,
    /// Any, or none at all.
    Auto,
    /// Any.
    Required,
    /// This one.
    Named(&'a Object),
}

/// Checks the choice. `has_faulty` says whether there are tools beside the functions,
/// which were refused.
pub(super) fn check<'a>(
    body: &'a Object,
    functions: &[&'a Object],
    has_faulty: bool,
    family: Family,
    thinking: &Thinking,
    findings: &mut Findings,
) -> Choice<'a> {
    let place = Place::ROOT.key("tool_choice");
    let wish = match body.get("tool_choice") {
        None | Some(Value::Null) => return Choice::Auto,
        Some(choice) => match Wish::of(choice, &place, findings) {
            Some(wish) => wish,
            None => return Choice::Auto,
        },
    };
    if family == Family::K3 && matches!(wish, Wish::Named(_)) {
        return Choice::Auto;
    }
    if functions.is_empty() && !has_faulty {
        let has_list = body.get("tools").is_some_and(Value::is_array);
        let fact = match wish {
            Wish::Required => &facts::REQUIRED_WITHOUT_TOOLS,
            Wish::Named(_) => &facts::NAMED_WITHOUT_TOOLS,
            Wish::None | Wish::Auto if has_list => &facts::AUTO_BESIDE_EMPTY_TOOLS,
            Wish::None | Wish::Auto if family == Family::K3 => return wish.of_functions(functions),
            Wish::None | Wish::Auto => &facts::AUTO_WITHOUT_TOOLS,
        };
        findings.add(fact, &place, &[]);
        return Choice::Auto;
    }
    let choice = wish.of_functions(functions);
    let is_there = !matches!((wish, choice), (Wish::Named(_), Choice::Auto));
    wish.check(family, thinking, is_there || has_faulty, &place, findings);
    if let Wish::Named(wanted) = wish {
        // K2.7 accepts no named function at all.
        if !is_there && !has_faulty && family != Family::K27 {
            findings.add(&facts::NAMED_MISSING, &place, &[wanted]);
        }
    }
    choice
}

/// A `tool_choice` as it is written in the request.
#[derive(Clone, Copy, Debug)]
enum Wish<'a> {
    None,
    Auto,
    Required,
    /// There may be no function with this name.
    Named(&'a str),
}

impl<'a> Wish<'a> {
    fn of(choice: &'a Value, place: &Place<'_>, findings: &mut Findings) -> Option<Self> {
        match choice {
            Value::String(choice) => match choice.as_str() {
                "none" => Some(Self::None),
                "auto" => Some(Self::Auto),
                "required" => Some(Self::Required),
                _ => {
                    let rule = (choice == "any").then_some(Rule::ToolChoice);
                    findings.add_repaired(&facts::CHOICE_WORD, place, &[choice], rule);
                    None
                }
            },
            Value::Object(fields) => {
                let is_function = fields.get("type").and_then(Value::as_str) == Some("function");
                let function = fields.get("function").filter(|_| is_function);
                match function.and_then(|function| function.get("name")) {
                    Some(Value::String(name)) => Some(Self::Named(name)),
                    _ => {
                        let rule = is_of_another_api(fields).then_some(Rule::ToolChoice);
                        findings.add_repaired(&facts::CHOICE_OBJECT, place, &[], rule);
                        None
                    }
                }
            }
            other => {
                let expected = "type string or object";
                field::wrong_type("tool_choice", expected, other, place, findings);
                None
            }
        }
    }

    /// What is chosen among these functions. A function that is missing is not.
    fn of_functions(self, functions: &[&'a Object]) -> Choice<'a> {
        match self {
            Self::None => Choice::None,
            Self::Auto => Choice::Auto,
            Self::Required => Choice::Required,
            Self::Named(wanted) => {
                let has_name = |function: &&&Object| {
                    function.get("name").and_then(Value::as_str) == Some(wanted)
                };
                functions
                    .iter()
                    .find(has_name)
                    .map_or(Choice::Auto, |function| Choice::Named(function))
            }
        }
    }

    /// Whether a family can be forced to call. On older models a named function is
    /// accepted: whether Moonshot does so is not known.
    fn check(
        self,
        family: Family,
        thinking: &Thinking,
        is_there: bool,
        place: &Place<'_>,
        findings: &mut Findings,
    ) {
        let is_named = match self {
            Self::None | Self::Auto => return,
            Self::Required => false,
            Self::Named(_) => true,
        };
        let fact = match family {
            Family::K3 => return,
            Family::K28 | Family::K26 | Family::K25 if !thinking.on => return,
            Family::K28 | Family::K27 | Family::K26 | Family::K25 if is_named => {
                &facts::NAMED_WHILE_THINKING
            }
            _ if is_named => return,
            Family::K28 | Family::K27 | Family::K26 | Family::K25 | Family::K2Thinking => {
                &facts::REQUIRED_WHILE_THINKING
            }
            _ => &facts::REQUIRED_UNSUPPORTED,
        };
        // The rule leaves a choice whose function is missing.
        let rule = is_there.then_some(Rule::ToolChoice);
        findings.add_repaired(fact, place, &[], rule);
    }
}

/// Whether this is a choice of another API, which can be translated.
fn is_of_another_api(choice: &Object) -> bool {
    match choice.get("type").and_then(Value::as_str) {
        Some("auto" | "none" | "required" | "any") => !choice.contains_key("function"),
        Some("tool" | "function") => choice.get("name").is_some_and(Value::is_string),
        Some("allowed_tools") => {
            let allowed = choice
                .get("allowed_tools")
                .and_then(|allowed| allowed.get("tools"));
            allowed
                .and_then(Value::as_array)
                .is_some_and(|tools| !tools.is_empty())
        }
        Some(_) => false,
        None => {
            let function = choice
                .get("function")
                .and_then(|function| function.get("name"));
            function.is_some_and(Value::is_string)
        }
    }
}
