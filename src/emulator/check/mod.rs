//! Decides whether Moonshot accepts a request.
//!
//! The checks are in this order: model, thinking, sampling, messages, tools,
//! response format. The first that fails decides the answer. Keys are checked
//! before the body is read.

mod choice;
mod content;
mod field;
mod history;
mod message;
mod messages;
mod response_format;
mod sampling;
mod thinking;
mod tools;

use serde_json::{Map, Value};

pub(super) use self::{choice::Choice, tools::Tools};
use super::{config::Config, error::ApiError, family::Family};

/// A JSON object.
type Object = Map<String, Value>;

/// An accepted request, and what the answer depends on.
#[derive(Debug)]
pub(super) struct Accepted<'a> {
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

/// Checks a request, and returns why it is refused if it is.
pub(super) fn check<'a>(body: &'a Value, config: &Config) -> Result<Accepted<'a>, ApiError> {
    let Some(body) = body.as_object() else {
        return Err(ApiError::invalid(
            "Invalid request: the request body must be a JSON object",
        ));
    };
    let model = model(body, config)?;
    let family = Family::of(model);
    let thinking = thinking::check(body, model, family)?;
    let choices = sampling::check(body, family, &thinking)?;
    let stream = field::boolean(body, "stream")?.unwrap_or(false);
    let include_usage = match field::object(body, "stream_options")? {
        Some(options) => field::boolean(options, "include_usage")?.unwrap_or(false),
        None => false,
    };
    messages::check(body, family, &thinking)?;
    let tools = tools::check(body, family, &thinking)?;
    response_format::check(body)?;
    Ok(Accepted {
        body,
        model,
        thinks: thinking.on,
        choices,
        stream,
        include_usage,
        tools,
    })
}

fn model<'a>(body: &'a Object, config: &Config) -> Result<&'a str, ApiError> {
    match body.get("model") {
        None => Err(ApiError::invalid("Invalid request: model is required")),
        Some(Value::String(model)) if config.sells(model) => Ok(model),
        Some(Value::String(model)) => Err(ApiError::no_model(model)),
        Some(other) => Err(ApiError::wrong_type("model", "type string", other)),
    }
}
