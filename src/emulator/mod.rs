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
//! The suite is Kimi-Vendor-Verifier of 2026-08-13, the validator walle of 2026-06-29.
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
//! A message in code font is Moonshot's recorded wording; *1*, *2* and so on refer to the list
//! below the table. Where a table gives no message, none was recorded, and the emulator uses
//! its own. *Newer models* are K3 and K2.8 to K2.5, *older models* are all others.
//!
//! Checks run in the order of the tables and of their rows, unless a text beside a table says
//! otherwise. The first that fails decides the answer.
//!
//! ## Key, body and model
//!
//! | refused | message | source |
//! |---|---|---|
//! | no key, or a malformed one; only with [`with_api_key`] | *1* | reported |
//! | a wrong key; only with [`with_api_key`] | *2* | reported |
//! | a body over 100 000 000 bytes | 413 | documented |
//! | a body that is not a JSON object, or breaks off | | judgement |
//! | no `model` | | judgement |
//! | a model not on sale, or with a router's prefix like `moonshot/` | *3* | reported |
//!
//! 1. 401 `invalid_authentication_error`: `Invalid Authentication`
//! 2. 401 `incorrect_api_key_error`: `Incorrect API key provided`
//! 3. 404 `resource_not_found_error`: `Not found the model X or Permission denied`
//!
//! The first two also apply to `GET` requests for models, the last to `GET …/v1/models/{id}`.
//!
//! [`with_api_key`]: Emulator::with_api_key
//!
//! ## Thinking
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | `thinking` that is not an object | all | *1* | reported on K3, K2.6 |
//! | `thinking.effort` other than `low`, `high`, `max` | K3, K2.8 | | judgement |
//! | `reasoning_effort` that is not a string | all | *2* | reported |
//! | `reasoning_effort` beside `thinking` | K2.6, K2.5 | *3* | reported |
//! | the same | K2.8, K2.7 | *3* | judgement |
//! | `reasoning_effort` other than `low`, `high`, `max` | K3, K2.8 | | reported |
//! | `reasoning_effort` `none` | K2.7 to K2.5 | | reported on K2.7; else judgement |
//! | `thinking.type` `disabled` | K2.7 | *4* | reported |
//! | `thinking.type` other than `enabled`, `disabled` | newer | *5* | reported |
//! | the same | older | *5* | judgement |
//! | `thinking.type` null | all | | judgement |
//! | `thinking.keep` with any value, null too | K2.5 | *6* | reported |
//! | `thinking.keep` other than `all`, null too | K2.7 | | documented |
//! | `thinking.keep` that is neither a string nor null | all others | | judgement |
//!
//! 1. `Invalid request: the thinking field in the request (expected type object) is illegal,
//!    and bool is not acceptable`
//! 2. ``Invalid request: the `reasoning_effort` field in the request (expected type string) is
//!    illegal, and number is not acceptable``
//! 3. `cannot specify both 'thinking' and 'reasoning_effort'`
//! 4. `invalid thinking: only type=enabled is allowed for this model`
//! 5. `invalid value for thinking type: X`
//! 6. `thinking.keep is not supported by model "kimi-k2.5"`
//!
//! ## Sampling
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | temperature other than 1 | newer | *1* | suite, reported |
//! | temperature other than 0.6 while thinking is disabled | newer | *2* | suite, reported |
//! | `top_p` other than 0.95 | newer | *3* | suite, reported |
//! | `n` other than 1 | newer | *4* | suite, reported |
//! | `presence_penalty` other than 0 | newer | *5* | suite, reported |
//! | `frequency_penalty` other than 0 | newer | *6* | suite, reported |
//! | `logprobs` other than false | newer | *7* | reported |
//! | null in one of these fields | newer | | judgement |
//! | `top_logprobs` with any value, null too | newer | | judgement |
//! | temperature outside 0 to 1 | older | | documented |
//! | `n` that is not a whole number from 1 to 5 | older | | documented |
//! | `n` above 1 with a temperature below 0.3 | older | | documented; the bound is LiteLLM's |
//! | `n` above 1 without a temperature | V1 | | judgement |
//!
//! 1. `invalid temperature: only 1 is allowed for this model`
//! 2. `invalid temperature: only 0.6 is allowed for this model`
//! 3. `invalid top_p: only 0.95 is allowed for this model`
//! 4. `invalid n: only 1 is allowed for this model`
//! 5. `invalid presence_penalty: only 0 is allowed for this model`
//! 6. `invalid frequency_penalty: only 0 is allowed for this model`
//! 7. `invalid logprobs: only false is allowed for this model`
//!
//! Moonshot's documentation refuses several answers with a temperature "close to 0". On V1 the
//! documented default is 0, so there an absent temperature counts as 0.
//!
//! ## Messages
//!
//! Messages are checked one by one. The role and the parts of a message are checked first. The
//! tables then apply in this order: tool calls, content, tools, thoughts.
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | no messages | all | *1* | reported |
//! | a role other than system, user, assistant, tool | all | *2* | reported |
//! | no role | all | | judgement |
//! | a part other than `text`, `image_url` and `video_url` | all | | documented |
//! | a part without a type, or without its text or URL | all | | judgement |
//! | a URL that begins with neither `data:` nor `ms://` | all | *3* | documented, reported |
//!
//! 1. `Invalid request: messages must not be empty`
//! 2. `role 'developer' is not allowed`
//! 3. `Invalid request: unsupported image url: https://…`
//!
//! ### Tool calls and their answers
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | a tool call without an id, or with an empty one | all | *1* | reported |
//! | a tool message without an id, or with an empty one | all | *1* | reported; suite on K3 |
//! | two calls with the same id in one message | all | *2* | reported |
//! | two calls with the same id in two messages | all | *2* | judgement |
//! | a call without a function with a name and arguments | all | | judgement |
//! | a tool message where no calls are to be answered | all | *3* | reported |
//! | an answer to a call of another turn, or to an unknown one | all | *4* | judgement |
//! | a second answer to a call | all | | judgement |
//! | a call that is not answered before the next other message | all | *5* | reported |
//!
//! 1. `Invalid request: tool_call_id  is not found`
//! 2. `Invalid request: tool call id X is duplicated`
//! 3. `Invalid request: messages with role 'tool' must be a response to a preceeding message
//!    with 'tool_calls'`
//! 4. `Invalid request: tool_call_id X is not found`
//! 5. `Invalid request: an assistant message with 'tool_calls' must be followed by tool messages
//!    responding to each 'tool_call_id'. The following tool_call_ids did not have response
//!    messages: X`
//!
//! ### Content
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | a system, user or assistant message that is empty | all | *1* | reported |
//! | `[]` beside tool calls, without `partial` | all | *1* | reported |
//! | a tool message without content | all | | judgement |
//! | lists of parts if every part of the request is text | older | | documented |
//! | an empty text part | all | *2* | reported |
//!
//! 1. `Invalid request: the message at position N with role 'system' must not be empty`
//! 2. `text content is empty`
//!
//! A message is empty if its content is `""`, `[]`, null or absent, or if all of its parts
//! are empty texts. Assistant messages may be empty if they have tool calls or
//! `"partial": true`, system messages if they have tools. Tool messages may be `""`, and
//! where lists of parts are accepted also `[]` (judgement). That older models refuse lists
//! of texts is documented for those without vision, and a judgement for the others.
//!
//! ### Tools in messages
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | `tools` in a user or assistant message | all | | suite on K3; else judgement |
//! | `tools` in a tool message | all | | judgement |
//! | `tools` in a system message with content | all | | suite on K3; else judgement |
//! | `tools` in a system message without content | all but K3 | `tokenization failed` | reported |
//!
//! An empty list counts as absent (judgement).
//!
//! ### Thoughts of earlier turns
//!
//! Only while thinking is on. An empty `reasoning_content` counts as missing (judgement).
//!
//! | refused: no `reasoning_content` on … | models | message | source |
//! |---|---|---|---|
//! | a message with tool calls | all that think | *1* | reported |
//! | an assistant message, with `thinking.keep` `all` | all that think | *2* | reported |
//! | an assistant message without tool calls | K2.7 | *2* | documented; wording: judgement |
//!
//! 1. `thinking is enabled but reasoning_content is missing in assistant tool call message at
//!    index N`
//! 2. `preserved thinking (thinking.keep=all) requires reasoning_content on every assistant
//!    message, but assistant message at index N is missing reasoning_content`
//!
//! With `thinking.keep` `all`, the second message is used for messages with tool calls too.
//!
//! ## Tools
//!
//! These checks apply to the tools of the request first, then to those of system messages.
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | a type other than `function` and `builtin_function`, or none | all | | suite |
//! | a tool without a `function` | all | | suite |
//! | a name that does not match `[A-Za-z][A-Za-z0-9_-]*`, or none | all | *1* | reported, suite |
//! | a name over 256 characters | all | | suite |
//! | `parameters` without `"type": "object"` at their root, or null | all | *2* | reported |
//! | `parameters` that [`check_schema`] refuses | all | *3* | reported, validator |
//! | two functions with the same name, also in two places | all | *4* | reported, suite |
//!
//! 1. `Invalid request: function name is invalid, must start with a letter and can contain
//!    letters, numbers, underscores, and dashes`
//! 2. `tools.function.parameters.type is required and must be "object"`
//! 3. `Invalid request: tools.function.parameters is not a valid moonshot flavored json schema,
//!    details: <At path 'P': …>`
//! 4. `function name X is duplicated`
//!
//! The suite tests types, missing fields and the length of names for tools in messages only.
//! Names of the type `builtin_function` may begin with a dollar sign, like `$web_search`
//! (documented).
//!
//! ## Tool choice
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | an unknown word | all | | suite on K3; else judgement |
//! | an object that does not name a function | all | | reported on K3; else judgement |
//! | `required` without tools | all | | suite on K3; else judgement |
//! | `auto` or `none` with `tools: []` and no other tools | all | | judgement |
//! | `auto` or `none` without tools | all but K3 | | judgement |
//! | a named function without tools | all but K3 | | judgement |
//! | `required` while thinking is on | K2.8 to K2.5, K2 thinking | *1* | reported |
//! | a named function while thinking is on | K2.8 to K2.5 | *2* | reported |
//! | `required` | older that do not think | | documented |
//! | a named function that is not among the tools | all but K3 | | judgement |
//!
//! 1. `tool_choice 'required' is incompatible with thinking enabled`
//! 2. `tool_choice 'specified' is incompatible with thinking enabled`
//!
//! An object names a function as `{"type": "function", "function": {"name": …}}`. The report is
//! about `{"type": "any"}`.
//!
//! ## Response format
//!
//! | refused | models | message | source |
//! |---|---|---|---|
//! | a type other than `text`, `json_object` and `json_schema`, or none | all | | suite on K3 |
//! | `json_schema` that is missing, or without a `name` | all | | suite on K3 |
//! | a `strict` that is not a boolean | all | | suite on K3 |
//! | no `schema`, or one that is not an object | all | | suite on K3 |
//! | a `schema` that [`check_schema`] refuses | all | *1* | reported, validator |
//!
//! 1. `Invalid request: response_format.json_schema is not a valid moonshot flavored json schema,
//!    details: <At path 'P': …>`
//!
//! The last row does not apply if `strict` is false. On other models than K3 the rows that the
//! suite requires are judgement.
//!
//! ## Wrong types
//!
//! A value of a wrong JSON type is refused in all fields that the tables name, in the lists
//! `messages`, `tools` and `tool_calls` and their elements, and in `max_tokens`,
//! `max_completion_tokens`, `seed`, `stream`, `stream_options` with its `include_usage`, and
//! `partial` of an assistant message (judgement). Null counts as absent, except where a table
//! says otherwise, and in `model`, `role` and the fields of a part.
//!
//! # What it accepts
//!
//! Some of what is often believed to be refused is accepted:
//!
//! | accepted | models | source |
//! |---|---|---|
//! | ids of tool calls with any characters and length, like `f:0` | all | reported |
//! | `thinking` with `type`, `effort` and `keep`, and beside `reasoning_effort` | K3 | suite |
//! | `thinking.type` `disabled` | K3 | suite |
//! | `thinking.type` `disabled`, without effect | K2 thinking | judgement |
//! | `thinking.keep` other than `all` | all but K2.7, K2.5 | judgement |
//! | temperature 1 | Kimi Code | reported |
//! | `reasoning_effort: null` | all | client |
//! | `reasoning_effort` with any level but `none`, without effect | K2.7 to K2.5 | reported |
//! | `reasoning_effort` with any level, without effect | older | judgement |
//! | plain answers without `reasoning_content` | all but K2.7 | suite on K3, reported on K2.8 |
//! | lists of parts that are all text | newer | client |
//! | system messages with `tools` and no content, also as the last message | K3 | suite |
//! | `tool_choice` `auto` or `none` without a `tools` field | K3 | suite |
//! | a named `tool_choice`, without effect | K3 | suite |
//! | a named `tool_choice` | older | judgement |
//! | a schema outside the dialect if the `strict` beside it is false | all | documented |
//! | more than 128 tools | all | client |
//! | both `max_tokens` and `max_completion_tokens` | all | reported |
//! | unknown fields, like another host's `enable_thinking`, without effect | all | reported |
//!
//! The suite has a test that K3 refuses other values of `thinking.keep`, and skips it. That
//! Kimi Code accepted only temperature 0.6 was an incident of April 2026. A limit of 128 tools
//! was reported in 2025; Moonshot's own clients send up to 140 today.
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
