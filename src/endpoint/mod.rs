//! Where a request is sent: regions, base URLs and API keys.
//!
//! Adding a region is a variant of [`Region`] and a row of the table in `region.rs`.
//! Only functions on URIs and headers; nothing here is asynchronous.

mod api_key;
mod base_url;
mod region;
mod target;

pub(crate) use self::target::{is_chat_completions, retarget};
pub use self::{api_key::ApiKey, base_url::BaseUrl, region::Region};

/// The path that asks for a chat completion, under any base.
const CHAT_COMPLETIONS: &str = "/chat/completions";
