//! Request bodies: [`RequestBody`], which the inner service receives, and [`Rope`], a
//! text in pieces.

mod read;
mod request_body;

pub(crate) use self::read::{Read, ReadBody};
pub use crate::json::Rope;

pub use self::request_body::{RequestBody, try_clone_request};
