//! Remembers what a model thought, for clients that don't send it back.
//!
//! Moonshot's thinking models need their own earlier thoughts: it is *required* on K3, and
//! *not optional* on K2.7, to return the complete message of the assistant, its
//! `reasoning_content` included (documented). Most clients of OpenAI's API drop that
//! field. [`MoonshotCompat`](crate::MoonshotCompat) then inserts one space, so the request
//! is accepted, but the model has forgotten why it called its tools.
//!
//! [`ReasoningMemoryLayer`] collects the thoughts of each answer while it passes and
//! inserts them where later requests lack them:
//!
//! ```
//! use http::Request;
//! use http_body_util::{BodyExt, Full};
//! use serde_json::{Value, json};
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_moonshot::{
//!     MoonshotCompatLayer, emulator::Emulator,
//!     reasoning_memory::{ReasoningMemoryLayer, ReasoningReport},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In production: hyper-util's client. Here: an offline Moonshot.
//! let moonshot = Emulator::new().with_unique_thoughts();
//! let service = ServiceBuilder::new()
//!     .layer(ReasoningMemoryLayer::new())
//!     .layer(MoonshotCompatLayer::new())
//!     .service(moonshot.clone());
//!
//! let ask = |messages: &Value| {
//!     let body = json!({"model": "kimi-k3", "messages": messages}).to_string();
//!     let request = Request::post("/v1/chat/completions")
//!         .header("authorization", "Bearer sk-the-callers")
//!         .body(Full::from(body));
//!     service.clone().oneshot(request.unwrap())
//! };
//!
//! let mut messages = json!([{"role": "user", "content": "Hi"}]);
//! let response = ask(&messages).await?;
//! let answer: Value = serde_json::from_slice(&response.into_body().collect().await?.to_bytes())?;
//! let message = &answer["choices"][0]["message"];
//! assert_eq!(message["reasoning_content"], "The user wants an answer. This is thought 0.0.");
//!
//! // The client keeps what was said, but not what was thought.
//! let said = json!({"role": "assistant", "content": message["content"]});
//! messages.as_array_mut().unwrap().push(said);
//! messages.as_array_mut().unwrap().push(json!({"role": "user", "content": "Go on."}));
//! let response = ask(&messages).await?;
//!
//! let report = response.extensions().get::<ReasoningReport>().ok_or("no report")?;
//! assert_eq!(report.restored(), 1);
//! let thoughts = &moonshot.returned_thoughts()[1];
//! assert_eq!(thoughts[0].as_deref(), Some("The user wants an answer. This is thought 0.0."));
//! # Ok(())
//! # }
//! ```
//!
//! # Where it belongs
//!
//! Outside of [`MoonshotCompat`](crate::MoonshotCompat), which would insert a space
//! before the thought could be, and inside of authentication, which decides whose thoughts
//! a request may get. Inside of decompression too: a body with a `Content-Encoding` passes
//! untouched, as does a response that has one.
//!
//! # Which messages get their thoughts
//!
//! | model | messages of the assistant |
//! |---|---|
//! | K3, K2.7 | all (documented) |
//! | K2.6, K2.8 and Kimi Code | those of the current loop of tool calls: behind the last message of the user; with `thinking.keep: "all"`, all |
//! | K2.5, K2 thinking | those of the current loop |
//!
//! A message needs its thought if its `reasoning_content` is absent, null or blank, and it
//! has no reasoning in any of the other places from which
//! [`Rule::ReasoningContent`](crate::Rule::ReasoningContent) moves it. What the client
//! sends always wins. A message with `"partial": true` needs none. Nothing is restored
//! while thinking is disabled, nor on models that don't think.
//!
//! With [`ToolChoicePolicy::DisableThinking`](crate::ToolChoicePolicy::DisableThinking), the
//! compat layer may disable thinking after thoughts were restored. Moonshot is known to
//! refuse reasoning that is missing, never reasoning that is present, so they stay
//! (judgement), and the start of the request remains the same for prompt caches. The answer
//! has no thought, so in later requests its message has none.
//!
//! Insertions change no other byte. `Content-Length` is corrected, and digests of the body
//! are removed.
//!
//! # When a thought is found
//!
//! A thought is found by what was said, never by an id: by the whole conversation up to
//! and including the message that it belongs to. Two conversations are the same if they
//! have the same roles, texts, tool calls, answers of tools and media in the same order.
//! Clients write the same conversation in many ways, so these make no difference:
//!
//! - white space around a text, escapes in it, and whether it is one string or several
//!   parts;
//! - whether a content is null, empty or absent;
//! - the spelling of a tool call's arguments: order of keys, white space, escapes, numbers
//!   (compared as doubles); and `{}` or nothing at all;
//! - ids, `name`, reasoning, `cache_control`, and fields that are not mentioned here;
//! - messages of the system or developer, into which many clients write the time.
//!
//! Arguments that are not JSON are compared as text, and media by their URL or data. A
//! client that changes its history, by summarizing or dropping messages, gets a miss for
//! everything behind the change.
//!
//! # Who gets which thoughts
//!
//! Thoughts belong to a scope and to a model family, and never leave them. The scope is
//! the [`ReasoningScope`] in the extensions of a request, or else a digest of its
//! `Authorization`. A request with neither has no memory. Where several users share a key
//! and must not share thoughts, an authentication layer has to insert a scope for each:
//! within a scope, whoever sends the same conversation gets its thoughts.
//!
//! ```
//! use http::Request;
//! use tower::ServiceBuilder;
//! use tower_moonshot::reasoning_memory::{ReasoningMemoryLayer, ReasoningScope};
//! # use tower::{ServiceExt, service_fn};
//! # use tower_moonshot::reasoning_memory::ReasoningReport;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let client = service_fn(|_| async { http::Response::builder().body(String::new()) });
//! let service = ServiceBuilder::new()
//!     // An authentication layer would find the user in the request.
//!     .map_request(|mut request: Request<String>| {
//!         request.extensions_mut().insert(ReasoningScope::new("user 7"));
//!         request
//!     })
//!     .layer(ReasoningMemoryLayer::new())
//!     .service(client);
//! # let request = Request::post("/v1/chat/completions")
//! #     .body(r#"{"model":"kimi-k3","messages":[]}"#.to_owned())?;
//! # let response = service.oneshot(request).await?;
//! # let report = response.extensions().get::<ReasoningReport>().ok_or("no report")?;
//! # assert_eq!(report.no_memory(), None);
//! # Ok(())
//! # }
//! ```
//!
//! # What is kept, where, and for how long
//!
//! - **What**: the `reasoning_content` of complete answers: those with a `finish_reason` of
//!   `stop` or `tool_calls`, whose end was seen. Interrupted, failed and cut answers are
//!   not kept, nor blank thoughts, nor those longer than
//!   [`max_thought_bytes`](ReasoningMemoryLayer::with_max_thought_bytes). Of the
//!   conversation itself, only a digest is kept, the [`StoreKey`].
//! - **Where**: in the layer's [`MemoryStore`], in the memory of this process; or in
//!   [a store of your own](ReasoningStore), which replicas can share.
//! - **How long**: up to an hour after a thought was last used, and up to 64 MiB for all of
//!   them. Callers share this space: a busy one displaces the thoughts that were unused
//!   for longest, whoever they belong to.
//! - **Logs**: none. The library has no logger, and no debug output of a public type shows a
//!   thought or a scope. The [`ReasoningReport`] holds numbers, and the message of the
//!   store's error.
//!
//! To switch it off for everybody, leave the layer out. For one request, insert
//! [`LeaveBody`](crate::LeaveBody), which also keeps the layers inside from reading it.
//! [`MemoryStore::clear`] forgets everything at once.
//!
//! # What it costs
//!
//! The layer reads a request once more before the layers inside do. Responses are not
//! delayed: each frame is forwarded as soon as it was looked at. A store that fails, or
//! that takes longer than [its timeout](ReasoningMemoryLayer::with_store_timeout), is a
//! miss and never an error. After three timeouts in a row, it is not asked for a second, so
//! that a store that hangs doesn't hold up every request. [`MemoryStore`] needs no runtime. A store that doesn't answer
//! at once needs tokio's timer.

mod body;
mod breaker;
mod call;
mod canonical;
mod collected;
mod config;
mod digest;
mod due;
mod future;
mod key;
mod layer;
mod members;
mod memory_store;
mod message;
mod part;
mod plan;
mod report;
mod scope;
mod service;
mod stage;
mod store;
mod transcript;
mod unescape;
mod walk;
mod watch;
mod white_space;
mod words;

pub use self::{
    body::ResponseBody,
    future::ResponseFuture,
    layer::ReasoningMemoryLayer,
    memory_store::MemoryStore,
    report::{Forgotten, Missing, NoMemory, ReasoningReport},
    scope::ReasoningScope,
    service::ReasoningMemory,
    store::{InvalidThought, ReasoningStore, StoreKey, Thought},
};
