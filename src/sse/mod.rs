//! Reads answers of chat completions while their bytes pass: streams of
//! server-sent events, and plain JSON. Nothing here changes an answer.
//!
//! ```text
//! frames ─→ Splitter ─→ events ─→ data() ─→ JSON ─→ Answer (spans)
//!           └──────────────── Reader ───────────────┘
//! ```
//!
//! - [`Form::of`] says from the head of a response whether its body can be read,
//!   and as what. Compressed bodies and other content types can't.
//! - [`Splitter`] finds where an event ends. Frames may be cut at any byte.
//! - [`data`] finds the data of a complete event.
//! - [`Answer`] holds the spans of what matters in one chunk of a stream, or in
//!   one JSON answer: both have the same fields here.
//! - [`Reader`] does all of this for a body that it only watches.
//!
//! # For a layer that watches
//!
//! A layer that changes nothing forwards each frame at once and shows it to a
//! [`Reader`], which calls back for each [`Part`] that the frame completes:
//!
//! ```ignore
//! // With the head of the response. `None`: the body is not to be read.
//! let mut reader = Form::of(status, headers).map(|form| Reader::new(form, limit));
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
//!     Part::Unread => { /* something was not read: too long, or not JSON */ }
//! });
//!
//! // When the body is over: `poll_frame` gave `None`, or trailers. Not after an
//! // error of the body, and not when the body is dropped.
//! reader.finish(|part| { /* the same */ });
//! ```
//!
//! What to know:
//!
//! - Spans of an [`Answer`] refer to the `text` that comes with it, and both are
//!   valid only within the call. `text` may hold more than the JSON.
//! - A JSON answer is one [`Part::Answer`], at [`Reader::finish`]; its choices have
//!   what `message` holds where those of a stream have what `delta` holds. So the
//!   end of the stream was seen if `finish` was called: there is no `[DONE]`.
//! - A stream is over with [`Part::Done`]. One that ends without it was cut off, or
//!   its host sends none; then only `finish_reason` tells whether a choice is
//!   complete.
//! - [`Answer::error`] is the member `error` of a chunk, unless it is null. An error
//!   in another shape is an [`Answer`] without choices.
//! - Texts that arrive in pieces are spans of JSON strings, with their quotes. Append
//!   what is between those and unescape the whole: a piece may end between the halves
//!   of a surrogate pair.
//! - The memory in use is bounded: an event or a JSON answer longer than the limit
//!   is [`Part::Unread`] and takes no memory. Only an event that is cut by the end
//!   of a frame is copied, until the next frame brings its rest; a JSON answer is
//!   copied as a whole.
//! - After the first events of a stream nothing is allocated, as long as events are
//!   not cut and strings have no escapes.

mod answer;
mod event;
mod form;
mod reader;
mod splitter;

pub(crate) use self::{
    answer::{Answer, Call, Choice},
    event::{Data, data, is_done, is_longer, with_data},
    form::Form,
    reader::{Part, Reader},
    splitter::Splitter,
};
