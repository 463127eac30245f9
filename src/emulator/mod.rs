//! An offline Moonshot as a tower service, for tests without a key.
//!
//! [`Emulator`] accepts the requests that Moonshot accepts and refuses those that it
//! refuses. A refusal has Moonshot's status and error type, and its wording where
//! somebody has recorded it. Answers have Moonshot's form, as one object or as a
//! stream. The emulator uses no network, needs no async runtime and remembers only
//! how many requests it has seen. It shares no code with the rest of this crate, so
//! it can judge it.
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
//! Other paths are answered with 404, other methods with 405, and bodies over 100 MB
//! with 413. Errors are objects like `{"error": {"message": …, "type": …}}`.
//!
//! # How it knows
//!
//! Nothing was measured against the live service for this crate. Each fact below
//! names its source:
//!
//! | source | meaning |
//! |---|---|
//! | documented | Moonshot's documentation says so |
//! | suite | the test suite with which Moonshot checks other hosts of its models (Kimi-Vendor-Verifier, 2026-08-13) requires it |
//! | reported | somebody recorded an answer of the live service |
//! | client | Moonshot's own clients do so |
//! | validator | Moonshot's own schema validator (walle, 2026-06-29) does so |
//! | judgement | nobody has recorded it; it follows from what is known |
//!
//! # Models
//!
//! A model's family is found by the beginning of its id, in upper or lower case. A
//! number is compared as a number: `kimi-k10` is later than `kimi-k3`.
//!
//! | family | ids | sampling | thinking | tools can be forced |
//! |---|---|---|---|---|
//! | K3 | `kimi-k3…` and later numbers, `k3…` | fixed | on unless disabled | `required`; a named function is ignored |
//! | K2.8 | `kimi-k2.8…` and later numbers, `kimi-for-coding…` | fixed | on unless disabled | while thinking is disabled |
//! | K2.7 | `kimi-k2.7…` | fixed | always on | no |
//! | K2.6, K2.5 | `kimi-k2.6…`, `kimi-k2.5…` | fixed | on unless disabled | while thinking is disabled |
//! | K2 thinking | `kimi-k2-thinking…` | range | always on | named only |
//! | K2 preview | other `kimi-k2-…` | range | none | named only |
//! | V1 | `moonshot-v1…`, `kimi-latest…`, `kimi-thinking-preview…` | range | none | named only |
//! | unknown | all others | range | none | named only |
//!
//! *Fixed* means that each sampling parameter has a single accepted value, *range* that
//! most values are accepted.
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
//! Unless a table says otherwise, the status is 400 and the type
//! `invalid_request_error`. A message in code font is Moonshot's recorded wording. Where
//! no message is given, none was recorded, and the emulator uses its own. *Newer
//! models* are K3 and K2.8 to K2.5, *older models* are all others.
//!
//! Checks run in the order of the tables, and the first that fails decides the answer.
//! Messages are checked one by one, together with their tool calls.
//!
//! ## Key and model
//!
//! | refused | message | source |
//! |---|---|---|
//! | no key, or a malformed one; only with [`with_api_key`](Emulator::with_api_key) | 401 `invalid_authentication_error`: `Invalid Authentication` | reported |
//! | a wrong key; only with [`with_api_key`](Emulator::with_api_key) | 401 `incorrect_api_key_error`: `Incorrect API key provided` | reported |
//! | a model that is not on sale, also with a router's prefix like `moonshot/` | 404 `resource_not_found_error`: `Not found the model X or Permission denied` | reported |
//!
//! ## Thinking
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | `thinking` that is no object | all | `Invalid request: the thinking field in the request (expected type object) is illegal, and bool is not acceptable` | reported on K3 and K2.6 |
//! | `reasoning_effort` that is no string | all | ``Invalid request: the `reasoning_effort` field in the request (expected type string) is illegal, and number is not acceptable`` | reported |
//! | `reasoning_effort` beside `thinking` | K2.8 to K2.5 | `cannot specify both 'thinking' and 'reasoning_effort'` | reported on K2.6 and K2.5; judgement on K2.8 and K2.7 |
//! | `reasoning_effort` other than `low`, `high` and `max` | K3, K2.8 | | reported |
//! | `thinking.effort` other than `low`, `high` and `max` | K3, K2.8 | | judgement |
//! | `reasoning_effort` `none` | K2.7 to K2.5 | | reported on K2.7; judgement on K2.6 and K2.5 |
//! | `thinking.type` other than `enabled` and `disabled` | all | `invalid value for thinking type: X` | reported on newer models |
//! | `thinking.type` `disabled` | K2.7 | `invalid thinking: only type=enabled is allowed for this model` | reported |
//! | `thinking.keep` | K2.5 | `thinking.keep is not supported by model "kimi-k2.5"` | reported |
//! | `thinking.keep` other than `all` | K2.7 | | documented |
//!
//! ## Sampling
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | temperature other than 1 | newer | `invalid temperature: only 1 is allowed for this model` | suite, reported |
//! | temperature other than 0.6 while thinking is disabled | newer | `invalid temperature: only 0.6 is allowed for this model` | suite, reported |
//! | `top_p` other than 0.95 | newer | `invalid top_p: only 0.95 is allowed for this model` | suite, reported |
//! | `n` other than 1 | newer | `invalid n: only 1 is allowed for this model` | suite, reported |
//! | `presence_penalty` or `frequency_penalty` other than 0 | newer | `invalid presence_penalty: only 0 is allowed for this model` | suite, reported |
//! | `logprobs` other than false | newer | `invalid logprobs: only false is allowed for this model` | reported |
//! | null or another type in one of these fields | newer | | judgement |
//! | `top_logprobs` with any value | newer | | judgement |
//! | temperature outside 0 to 1, `n` outside 1 to 5 | older | | documented |
//! | `n` above 1 with a temperature below 0.3 | older | | documented as "close to 0"; the bound is LiteLLM's |
//! | `n` above 1 without a temperature | V1 | | judgement: the documented default is 0 |
//!
//! ## Messages
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | no messages | all | `Invalid request: messages must not be empty` | reported |
//! | a role other than system, user, assistant and tool | all | `role 'developer' is not allowed` | reported |
//! | a user, system or assistant message that is empty | all | `Invalid request: the message at position N with role 'system' must not be empty` | reported |
//! | an empty list of parts beside tool calls | all | | reported |
//! | an empty text part | all | `text content is empty` | reported |
//! | a part other than `text`, `image_url` and `video_url` | all | | documented |
//! | an image or video whose URL is neither `data:` nor `ms://` | all | `Invalid request: unsupported image url: https://…` | documented, reported |
//! | lists of parts if every part of the request is text | older | | documented for models without vision; otherwise judgement |
//! | a tool message without content | all | | judgement |
//!
//! A message is empty if its content is `""`, `[]`, null or absent, or if all of its parts
//! are empty texts. Assistant messages may be empty if they have tool calls or
//! `"partial": true`, system messages if they have tools. Tool messages may be `""`, and
//! on newer models `[]` (judgement).
//!
//! ## Thoughts and tool calls of earlier turns
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | no `reasoning_content` beside tool calls, while thinking is on | all that think | `thinking is enabled but reasoning_content is missing in assistant tool call message at index N` | reported |
//! | no `reasoning_content` on any assistant message, with `thinking.keep` `all` | all that think | `preserved thinking (thinking.keep=all) requires reasoning_content on every assistant message, but assistant message at index N is missing reasoning_content` | reported |
//! | the same without `thinking.keep` | K2.7 | as above | documented; the wording is judgement |
//! | a tool call or a tool message without an id | all | `Invalid request: tool_call_id  is not found` | reported; suite for tool messages on K3 |
//! | two calls with the same id in one message | all | `Invalid request: tool call id X is duplicated` | reported |
//! | two calls with the same id in two messages | all | as above | judgement |
//! | a call without an answer before the next message that is no answer | all | `Invalid request: an assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: X` | reported |
//! | an answer where no calls are | all | `Invalid request: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'` | reported |
//! | an answer to a call of another turn, or to none | all | `Invalid request: tool_call_id X is not found` | judgement |
//! | a second answer to a call | all | | judgement |
//! | a call without a function, or without a name and arguments that are strings | all | | judgement |
//!
//! ## Tools
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | a tool without `type`, `function` or `name`, or with a type other than `function` and `builtin_function` | all | | suite for tools in messages |
//! | a name outside `[A-Za-z][A-Za-z0-9_-]*` | all | `Invalid request: function name is invalid, must start with a letter and can contain letters, numbers, underscores, and dashes` | reported, suite |
//! | a name over 256 characters | all | | suite for tools in messages |
//! | two functions with the same name, also in two places | all | `function name X is duplicated` | reported, suite |
//! | `parameters` whose root has no `"type": "object"`, or that are null | all | `tools.function.parameters.type is required and must be "object"` | reported |
//! | a schema that [`check_schema`] refuses | all | `Invalid request: tools.function.parameters is not a valid moonshot flavored json schema, details: <At path 'P': …>` | reported, validator |
//! | `tools` in a user, assistant or tool message | all | | suite on K3; judgement for tool messages |
//! | `tools` in a system message with content | all | | suite on K3 |
//! | `tools` in a system message without content | all but K3 | `tokenization failed` | reported |
//!
//! ## Tool choice
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | an unknown word | all | | suite on K3 |
//! | an object other than `{"type": "function", "function": {"name": …}}` | all | | reported on K3 for `{"type": "any"}`; otherwise judgement |
//! | `required` without tools | all | | suite on K3 |
//! | `auto` or `none` with an empty `tools`, or without tools on other models than K3 | all | | judgement |
//! | a named function without tools | all but K3 | | judgement |
//! | `required` while thinking is on | K2.8 to K2.5, K2 thinking | `tool_choice 'required' is incompatible with thinking enabled` | reported |
//! | a named function while thinking is on | K2.8 to K2.5 | `tool_choice 'specified' is incompatible with thinking enabled` | reported |
//! | `required` | older models that don't think | | documented |
//! | a named function that is not among the tools | all but K3 | | judgement |
//!
//! ## Response format
//!
//! | refused | message | source |
//! |---|---|---|
//! | a type other than `text`, `json_object` and `json_schema` | | suite on K3 |
//! | `json_schema` without a `name`, without a `schema`, with a `schema` that is no object or a `strict` that is no boolean | | suite on K3 |
//! | a schema that [`check_schema`] refuses, unless `strict` is false | `Invalid request: response_format.json_schema is not a valid moonshot flavored json schema, details: <At path 'P': …>` | reported, validator |
//!
//! ## Wrong types
//!
//! A value of a wrong JSON type is refused in all fields that the tables name, and in
//! `max_tokens`, `max_completion_tokens`, `seed`, `stream` and `stream_options` (judgement).
//! Null counts as absent, except where a table says otherwise.
//!
//! # What it accepts
//!
//! Some of what is often believed to be refused is not:
//!
//! | accepted | models | source |
//! |---|---|---|
//! | ids of tool calls with any characters and any length, like Kimi's own `functions.weather:0` | all | reported |
//! | `thinking` with `type`, `effort` and `keep`, also `disabled`, and beside `reasoning_effort` | K3 | suite |
//! | `thinking.keep` other than `all` | K3, K2.8, K2.6 | judgement: the suite has a test that it is refused on K3, and skips it |
//! | temperature 1 | Kimi Code | reported; that it accepted only 0.6 was an incident of April 2026 |
//! | `reasoning_effort: null` | all | client |
//! | `reasoning_effort` with any level but `none` | K2.7 to K2.5 | reported; it is ignored |
//! | plain answers without `reasoning_content` | all but K2.7 | suite on K3, reported on K2.8 |
//! | lists of parts that are all text | newer | client |
//! | system messages with `tools` and no content, also as the last message | K3 | suite |
//! | `tool_choice` `auto` or `none` without a `tools` field | K3 | suite |
//! | a named `tool_choice`, which is ignored | K3 | suite |
//! | a schema outside the dialect if `response_format.json_schema.strict` is false | all | documented |
//! | more than 128 tools | all | client: Moonshot's own send up to 140; a limit of 128 was reported in 2025 |
//! | both `max_tokens` and `max_completion_tokens` | all | reported |
//! | unknown fields, like another host's `enable_thinking` | all | reported; they are ignored |
//!
//! The emulator does not know which models can see: all accept images. It doesn't
//! count tokens either, and never runs out of context.
//!
//! # What it says
//!
//! - `You said: `, followed by the text of the last user message, or `The tool said: `,
//!   if the last message is a tool's.
//! - In JSON mode `{"said": …}`. With a schema, the smallest value of the schema, or the
//!   same as in JSON mode if the schema is outside the dialect.
//! - A tool call, with the smallest arguments that the schema of the tool admits. Which
//!   tool is called is decided like this:
//!   - With a named `tool_choice`, it is the named tool.
//!   - With `tool_choice: "required"`, it is the first tool that was not called since
//!     the last user message, or the last tool if all were. So every loop over tools
//!     ends.
//!   - The same applies if the last message is exactly `Please select a tool to handle
//!     the current issue.`, which Moonshot's guide to migrating from OpenAI recommends
//!     where `required` is not supported.
//!   - Otherwise, it is the first tool that the last message of a user names and that
//!     was not called since. The last message has to be that one or a tool's.
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
mod thoughts;

pub use self::{
    body::EmulatorBody,
    failure::Failure,
    future::ResponseFuture,
    quirk::Quirk,
    schema::{SchemaError, check_schema},
    service::Emulator,
};
