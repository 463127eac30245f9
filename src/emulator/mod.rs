//! An offline Moonshot as a tower service, for tests without a key.
//!
//! [`Emulator`] takes the requests that Moonshot takes, refuses those that it
//! refuses, with its status, error type and wording as far as anybody has
//! recorded them, and answers in its form, as one object or as a stream. It runs
//! on no network, needs no async runtime and remembers only how many requests it
//! has seen. It shares no code with the rest of this crate, so it can judge it.
//!
//! ```
//! use http::{Request, StatusCode};
//! use http_body_util::BodyExt;
//! use serde_json::{Value, json};
//! use tower::ServiceExt;
//! use tower_moonshot::emulator::Emulator;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! async fn ask(request: Value) -> (StatusCode, Value) {
//!     let request = Request::post("https://api.moonshot.ai/v1/chat/completions")
//!         .header("authorization", "Bearer sk-test")
//!         .body(request.to_string())
//!         .unwrap();
//!     let moonshot = Emulator::new().with_api_key("sk-test");
//!     let response = moonshot.oneshot(request).await.unwrap();
//!     let status = response.status();
//!     let body = response.into_body().collect().await.unwrap().to_bytes();
//!     (status, serde_json::from_slice(&body).unwrap())
//! }
//!
//! let mut request = json!({
//!     "model": "kimi-k2.5",
//!     "messages": [{"role": "user", "content": "Hello"}],
//! });
//! let (status, answer) = ask(request.clone()).await;
//! assert_eq!(status, StatusCode::OK);
//! assert_eq!(answer["choices"][0]["message"]["content"], "You said: Hello");
//!
//! request["temperature"] = json!(0.2);
//! let (status, answer) = ask(request).await;
//! assert_eq!(status, StatusCode::BAD_REQUEST);
//! assert_eq!(
//!     answer["error"]["message"],
//!     "invalid temperature: only 1 is allowed for this model",
//! );
//! # }
//! ```
//!
//! For programs in other languages the example `emulator` serves it on a port.
//!
//! # Where it answers
//!
//! At any authority, and behind any path prefix:
//!
//! | request | answer |
//! |---|---|
//! | `POST …/v1/chat/completions` | an answer of a model |
//! | `GET …/v1/models` | the models |
//! | `GET …/v1/models/{id}` | one model |
//!
//! Other paths are 404, other methods 405, a body over 100 MB is 413. Errors are
//! objects like `{"error": {"message": …, "type": …}}` throughout.
//!
//! # What it refuses
//!
//! The first of these that applies, with 400 `invalid_request_error` unless said
//! otherwise. *Documented* means by Moonshot; *reported* means that somebody
//! recorded a live answer, and then the wording is the recorded one; *judgement*
//! means that the emulator goes further than what is known. Nothing was measured
//! against the live service for this crate.
//!
//! | of | refused | known from |
//! |---|---|---|
//! | key | missing or malformed, 401 `invalid_authentication_error`; wrong, 401 `incorrect_api_key_error`; only with [`with_api_key`](Emulator::with_api_key) | reported |
//! | model | not on sale, 404 `resource_not_found_error`; router prefixes like `moonshot/` | reported |
//! | thinking | K3: `thinking.type`; K2.7: disabled; K2.5: `keep` | documented; K2.7, K2.5 reported |
//! | effort | not a string; beside `thinking`; K3: other than low, high, max; K2.x: `none` | reported; `none` on K2.6 and K2.5 judgement |
//! | sampling, K3 and K2.5 to K2.7 | other than temperature 1, `top_p` 0.95, `n` 1, penalties 0, `logprobs` false; temperature is 0.6 while thinking is disabled, and for ids of Kimi Code | reported; null and `top_logprobs` judgement |
//! | sampling, older models | temperature outside 0 to 1; `n` outside 1 to 5; several answers at a temperature close to 0 | documented; the bound 0.3 and moonshot-v1's default of 0 counting too are judgement |
//! | messages | none; roles like `developer`; empty user and assistant messages; empty text parts | reported |
//! | content | parts of unknown types; image and video URLs other than `data:` and `ms://` | documented, reported |
//! | content | lists of parts while no part of the request is anything but text | documented for models without vision, for the others judgement |
//! | history | `reasoning_content` missing beside tool calls while thinking is on, or anywhere with `thinking.keep` set to `all` | reported |
//! | history | answers to unknown tool calls; calls without an answer; ids twice, or of other characters than `[A-Za-z0-9_-]{1,64}` | unknown answers reported, the rest judgement |
//! | tools | invalid or repeated function names; `parameters` whose `type` isn't `"object"`; schemas that [`check_schema`] turns down | reported |
//! | `tool_choice` | without tools; objects without a function; `required` except on K3 and on K2.6 and K2.5 with thinking disabled; named except on the latter two and, untested, on older models | reported for models that think, documented for older ones |
//! | `response_format` | unknown types; schemas that [`check_schema`] turns down | reported |
//!
//! Values of a wrong JSON type are refused in all of these fields. Fields that
//! aren't named here are ignored, and it does not know which models can see:
//! all take pictures.
//!
//! # What it says
//!
//! - `You said: `, followed by the text of the last user message, or `The tool
//!   said: `, if the last message is a tool's.
//! - The smallest value of the schema, if `response_format` has one, and
//!   `{"said": …}` in JSON mode.
//! - A call of a tool, with the smallest arguments that its schema allows: of
//!   the named one; of one that the last message, if it is a user's, has the
//!   name of; or of the first that wasn't called since a user spoke (the last,
//!   if all were), if the model has to call one. So whoever runs a loop with
//!   tools sees it end. The model has to with `tool_choice: "required"`, or if
//!   the last message is exactly `Please select a tool to handle the current
//!   issue.`, which Moonshot's guide to migrating from OpenAI advises to send
//!   instead.
//!
//! Models that think say `reasoning_content` as well. A request with `n` gets
//! the same answer `n` times. Token counts are bytes divided by four, and nothing
//! is ever cached. Times are fixed and ids are counted up, so that a fresh
//! emulator always gives the same answers.
//!
//! [`Emulator::with_quirk`] gives answers the faults that Moonshot's were seen to have,
//! and [`Emulator::fail_first`] makes requests fail.

mod body;
mod calling;
mod check;
mod config;
mod conversation;
mod error;
mod failure;
mod family;
mod future;
mod instance;
mod quirk;
mod reply;
mod schema;
mod service;
mod stream;

pub use self::{
    body::EmulatorBody,
    failure::Failure,
    future::ResponseFuture,
    quirk::Quirk,
    schema::{SchemaError, check_schema},
    service::Emulator,
};
