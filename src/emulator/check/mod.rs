//! Finds out for which reasons Moonshot refuses a request.
//!
//! The checks are in this order: model, thinking, sampling, messages, tools,
//! response format. Keys are checked before the body is read. The first finding
//! decides the answer.
//!
//! A value that is refused counts as absent in later checks, so that what it leads to
//! is not reported as well.

mod choice;
mod content;
mod field;
mod history;
mod message;
mod messages;
mod parameters;
mod response_format;
mod sampling;
#[cfg(test)]
mod tests;
mod thinking;
mod tools;

use serde_json::{Map, Value};

pub(super) use self::{choice::Choice, tools::Tools};
use super::{
    config::{self, Config},
    facts,
    family::Family,
    finding::{Finding, Findings},
    parse::parse,
    place::Place,
};

/// A JSON object.
type Object = Map<String, Value>;

/// A request, and what the answer depends on if it is accepted.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) body: &'a Object,
    pub(super) model: &'a str,
    /// Whether the model thinks before it answers.
    pub(super) thinks: bool,
    pub(super) choices: usize,
    pub(super) stream: bool,
    /// Whether the stream ends with the usage.
    pub(super) include_usage: bool,
    pub(super) tools: Tools<'a>,
}

/// The longest request body that is accepted: 100 MB.
pub(super) const MAX_BODY_BYTES: usize = 100_000_000;

/// Reads a body, which has to be an object.
pub(super) fn read(body: &[u8]) -> Result<Object, Finding> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Finding::new(&facts::BODY_TOO_LONG, &[]));
    }
    match parse(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Finding::new(&facts::BODY_NOT_AN_OBJECT, &[])),
        Err(error) => Err(Finding::new(&facts::BODY_NOT_JSON, &[&error.to_string()])),
    }
}

/// Checks a request. It is accepted if there are no findings.
pub(super) fn check<'a>(body: &'a Object, config: &Config, findings: &mut Findings) -> Request<'a> {
    let model = model(body, config, findings);
    findings.set_family(model.map(Family::of));
    let model = model.unwrap_or_default();
    let family = Family::of(model);
    let thinking = thinking::check(body, model, family, findings);
    let choices = sampling::check(body, family, &thinking, findings);
    let place = Place::ROOT;
    let stream = field::boolean(body, "stream", &place, findings);
    let include_usage = match field::object(body, "stream_options", &place, findings) {
        Ok(Some(options)) => {
            let place = place.key("stream_options");
            field::boolean(options, "include_usage", &place, findings)
        }
        _ => Ok(None),
    };
    messages::check(body, family, &thinking, findings);
    let tools = tools::check(body, family, &thinking, findings);
    response_format::check(body, findings);
    Request {
        body,
        model,
        thinks: thinking.on,
        choices,
        stream: stream.unwrap_or_default().unwrap_or(false),
        include_usage: include_usage.unwrap_or_default().unwrap_or(false),
        tools,
    }
}

/// The model that decides which facts hold, if it is known.
fn model<'a>(body: &'a Object, config: &Config, findings: &mut Findings) -> Option<&'a str> {
    let place = Place::ROOT.key("model");
    match body.get("model") {
        None => findings.add(&facts::MODEL_MISSING, &place, &[]),
        Some(Value::String(model)) if config.sells(model) => return Some(model),
        Some(Value::String(model)) => {
            let id = config::without_routers(model);
            if id.len() == model.len() {
                findings.add(&facts::MODEL_UNKNOWN, &place, &[model]);
            } else {
                // Without the prefix it may still be one that nobody sells.
                findings.add(&facts::MODEL_ROUTED, &place, &[model]);
                return Some(id).filter(|id| config.sells(id));
            }
        }
        Some(other) => field::wrong_type("model", "type string", other, &place, findings),
    }
    None
}
