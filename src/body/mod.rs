//! Request bodies: [`RequestBody`], which the inner service receives, and [`Rope`], the
//! text of a body that was read.
//!
//! [`Rope`] is a [`bytes::Buf`] and an iterator over [`bytes::Bytes`].

mod read;
mod request_body;

pub(crate) use self::read::{Read, ReadBody};
pub use crate::json::Rope;

pub use self::request_body::{RequestBody, try_clone_request};
