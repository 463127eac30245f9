//! Parser for answers of chat completions: streams of server-sent events, and plain JSON.
//! Nothing here changes an answer.
//!
//! ```text
//! frames ─→ Splitter ─→ events ─→ data() ─→ JSON ─→ Answer (spans)
//!           └──────────────── Reader ───────────────┘
//! ```
//!
//! - [`BodyKind::of`] decides from the head of a response whether and how its body can be
//!   read. Compressed bodies and other content types cannot.
//! - [`Splitter`] finds the ends of events. Frames may be cut at any byte.
//! - [`data`] finds the data of a complete event.
//! - [`Answer`] holds the spans of the known fields of one chunk of a stream, or of one
//!   JSON answer. Both have the same fields here.
//! - [`Reader`] does all of this for a body that is not changed.
//! - [`Fragment`] and [`SeenCall`] tell to which tool call a fragment belongs.
//!
//! # Reading without changing
//!
//! A layer that changes nothing forwards each frame at once and passes it to a
//! [`Reader`], which calls back for each [`Part`] that the frame completes:
//!
//! ```ignore
//! // With the head of the response. `None`: the body cannot be read.
//! let mut reader = BodyKind::of(status, headers).map(|kind| Reader::new(kind, limit));
//!
//! // With each frame of data, before or after it is forwarded.
//! reader.read(&frame, |part| match part {
//!     Part::Answer(answer, text) => {
//!         if answer.error.is_some() { /* failed */ }
//!         for choice in &answer.choices {
//!             let index: u32 = choice.index;
//!             if let Some(thought) = choice.raw_reasoning_content() { /* append */ }
//!             if let Some(said) = choice.raw_content() { /* append */ }
//!             for call in answer.calls_of(choice) {
//!                 call.index(text); call.id(text); call.name; call.arguments;
//!             }
//!             if choice.finish_reason(text).as_deref() == Some(b"stop") { /* over */ }
//!         }
//!     }
//!     Part::Done => { /* `[DONE]` */ }
//!     Part::Unread => { /* too long, or not a JSON object */ }
//! });
//!
//! // At the end of the body: `poll_frame` returned `None` or trailers. Not after an
//! // error of the body, and not when the body is dropped.
//! reader.finish(|part| { /* the same */ });
//! ```
//!
//! Notes:
//!
//! - Spans of an [`Answer`] refer to the `text` that is passed with it. Both are valid only
//!   within the call. `text` may hold more than the JSON.
//! - A JSON answer is one [`Part::Answer`], which [`Reader::finish`] reports. The fields of
//!   its choices come from `message`, those of a stream from `delta`. There is no
//!   [`Part::Done`].
//! - [`Part::Done`] ends a stream. A stream without it was cut off, or its host sends none;
//!   then only `finish_reason` shows whether a choice is complete.
//! - [`Answer::error`] is the member `error` of a chunk, unless it is null. An error in
//!   another shape is an [`Answer`] without choices.
//! - Texts that arrive in pieces are spans of JSON strings, with their quotes. Append what is
//!   between those and unescape the whole: a piece may end between the halves of a surrogate
//!   pair.
//! - Memory is bounded: an event or a JSON answer longer than the limit is
//!   [`Part::Unread`] and is not buffered. An event is only copied if it continues in the
//!   next frame; a JSON answer is copied as a whole.
//! - After the first events of a stream nothing is allocated, as long as each event is
//!   within one frame and strings have no escapes.

mod answer;
mod body_kind;
mod event;
mod reader;
mod seen_call;
mod splitter;

pub(crate) use self::{
    answer::{Answer, Call, Choice},
    body_kind::BodyKind,
    event::{Data, data, is_done, is_longer, with_data},
    reader::{Part, Reader},
    seen_call::{Fragment, SeenCall, hash},
    splitter::Splitter,
};
