//! Whether Moonshot takes a request: everything it refuses, in the order key
//! (judged before the body is read), model, parameters, messages, tools,
//! response format.

mod content;
mod field;
mod history;
mod messages;
mod response_format;
mod sampling;
mod thinking;
mod tools;

use serde_json::{Map, Value};

pub(super) use self::tools::{Choice, Tools};
use super::{config::Config, error::ApiError, family::Family};

/// A JSON object.
type Object = Map<String, Value>;

/// A request that Moonshot takes, and what matters for the answer.
#[derive(Debug)]
pub(super) struct Accepted<'a> {
    pub(super) body: &'a Object,
    pub(super) model: &'a str,
    /// Whether the model thinks before it answers.
    pub(super) thinks: bool,
    pub(super) choices: usize,
    pub(super) stream: bool,
    /// Whether the stream is to end with the usage.
    pub(super) include_usage: bool,
    pub(super) tools: Tools<'a>,
}

/// Judges a request.
pub(super) fn check<'a>(body: &'a Value, config: &Config) -> Result<Accepted<'a>, ApiError> {
    let Some(body) = body.as_object() else {
        return Err(ApiError::invalid(
            "Invalid request: the request body must be a JSON object",
        ));
    };
    let model = model(body, config)?;
    let family = Family::of(model);
    let thinking = thinking::check(body, model, family)?;
    let choices = sampling::check(body, model, family, &thinking)?;
    let stream = field::boolean(body, "stream")?.unwrap_or(false);
    let include_usage = match field::object(body, "stream_options")? {
        Some(options) => field::boolean(options, "include_usage")?.unwrap_or(false),
        None => false,
    };
    messages::check(body, &thinking)?;
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
