//! An offline Moonshot as a tower service, for tests without a key.
//!
//! [`Emulator`] accepts the requests that Moonshot accepts and refuses those that it
//! refuses. A refusal has Moonshot's status and error type, and its wording where
//! somebody has recorded it. Answers have Moonshot's form, as one object or as a
//! stream. The emulator uses no network, needs no async runtime and remembers only
//! how many requests it has seen. It shares no code with the rest of this crate, only
//! the names of its [rules](crate::Rule), so it can judge it.
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
//! For programs in other languages, the example `emulator` serves it on a port.
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
//! Other paths are answered with 404, and other methods with 405 (judgement). Errors are
//! objects like `{"error": {"message": …, "type": …}}`.
//!
//! # How it knows
//!
//! Nothing was measured against the live service for this crate. Each fact below
//! names its source:
//!
//! | source | meaning |
//! |---|---|
//! | documented | Moonshot's documentation says so |
//! | suite | Moonshot's test suite for other hosts of its models requires it |
//! | reported | somebody recorded an answer of the live service |
//! | client | Moonshot's own clients do so |
//! | validator | Moonshot's own schema validator does so |
//! | judgement | nobody has recorded it; it follows from what is known |
//!
//! [`Grade`] has the same names. The suite is Kimi-Vendor-Verifier of 2026-08-13, the validator walle of 2026-06-29.
//! *Else* means: on the other models.
//!
//! # Models
//!
//! A model's family is found by the beginning of its id, in upper or lower case. A
//! number is compared as a number: `kimi-k10` is later than `kimi-k3`.
//!
//! | family | ids | sampling | thinking | tools can be forced |
//! |---|---|---|---|---|
//! | K3 | `kimi-k3…` and later, `k3…` | fixed | on by default | only `required` |
//! | K2.8 | `kimi-k2.8…` and later, `kimi-for-coding…` | fixed | on by default | without thinking |
//! | K2.7 | `kimi-k2.7…` | fixed | always on | no |
//! | K2.6, K2.5 | `kimi-k2.6…`, `kimi-k2.5…` | fixed | on by default | without thinking |
//! | K2 thinking | `kimi-k2-thinking…` | range | always on | named only |
//! | K2 preview | other `kimi-k2-…` | range | none | named only |
//! | V1 | `moonshot-v1…`, `kimi-latest…`, `kimi-thinking-preview…` | range | none | named only |
//! | unknown | all others | range | none | named only |
//!
//! *Fixed* means that each sampling parameter has a single accepted value, *range* that
//! most values are accepted. Thinking that is on by default can be disabled. On K3 a named
//! function is ignored.
//!
//! The families are documented, with these exceptions. That `kimi-for-coding` is K2.8
//! since 2026-09-11 is known from a catalogue of models that cites Moonshot. That K2.8
//! can be forced like K2.6, and that later numbers are like K3 and K2.8, is judgement.
//! So is that a named function is accepted by older models: their documentation calls
//! it unsupported, but no refusal has been recorded. That K3 ignores it is from the
//! suite. Whether disabling takes effect on K3 is disputed: reports differ. Here it
//! does.
//!
//! # What it refuses
//!
//! Unless a table says otherwise, the status is 400 and the type `invalid_request_error`.
//! Messages are Moonshot's recorded wording, with the values of an example; *1*, *2* and so on
//! refer to the list below the table. Where a table gives no message, none was recorded, and
//! the emulator uses its own. *Newer models* are K3 and K2.8 to K2.5, *older models* are all
//! others.
//!
//! Checks run in the order of the tables and of their rows, unless a text beside a table says
//! otherwise. The first that fails decides the answer.
//!
//! The last column names the [`Rule`](crate::Rule) of the layer that repairs it, where that
//! is possible. [`explain`] finds every reason for which a request is refused, and
//! [`facts`](facts()) lists the rows with a request for each.
#![doc = include_str!("facts/facts.md")]
//!
//! The emulator does not know which models can see: all accept images. It does not count
//! tokens either, and never runs out of context.
//!
//! # What it says
//!
//! - `You said: `, followed by the text of the last user message, or `The tool said: `,
//!   if the last message is a tool's.
//! - In JSON mode `{"said": …}`. With a schema, the smallest value of the schema, or the
//!   same as in JSON mode if the schema is outside the dialect.
//! - A tool call. Its arguments are the JSON object that follows the tool's name in the last
//!   user messages, as in `weather {"city": "Oslo"}`, or else the smallest that the schema of
//!   the tool admits. Which tool is called is decided like this:
//!   - With a named `tool_choice`, it is the named tool.
//!   - With `tool_choice: "required"`, it is the first tool that was not called since
//!     the last user message, or the last tool if all were. So every loop over tools
//!     ends.
//!   - The same applies if the last message is exactly `Please select a tool to handle
//!     the current issue.`, which Moonshot's guide to migrating from OpenAI recommends
//!     where `required` is not supported.
//!   - Otherwise, it is the first tool that the last user messages name and that was not
//!     called since. If they give arguments for some tools, the others are not called. The
//!     last message of the request has to be a user's or a tool's.
//!
//! *The last user messages* are the last user message and those directly before it: agents
//! send reminders of their own as separate messages.
//!
//! Tools in system messages come after those of the request. Calls have ids like Kimi's:
//! `functions.weather:0`, with the number of the call in the conversation.
//!
//! Models that think add `reasoning_content`. A request with `n` gets the same answer `n`
//! times. Token counts are bytes divided by four, and nothing is ever cached. Times are
//! fixed and ids are counted, so that a fresh emulator always gives the same answers.
//!
//! [`Emulator::with_quirk`] gives answers the faults that were seen in Moonshot's, and
//! [`Emulator::fail_first`] makes requests fail.

mod api;
mod body;
mod calling;
mod check;
mod config;
mod conversation;
mod error;
mod explain;
mod facts;
mod failure;
mod family;
mod finding;
mod future;
mod instance;
mod parse;
mod place;
mod quirk;
mod reply;
mod schema;
mod service;
mod steps;
mod stream;
mod thoughts;

pub use self::{
    body::EmulatorBody,
    explain::explain,
    facts::{ExpectedAnswer, Fact, Grade, SampleKey, facts},
    failure::Failure,
    finding::{Finding, MAX_FINDINGS},
    future::ResponseFuture,
    parse::parse,
    quirk::Quirk,
    schema::{SchemaError, check_schema},
    service::Emulator,
};
