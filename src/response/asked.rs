//! What the client asked for, as far as the repair of its answer depends on it.
//!
//! [`ResponseCompat`](super::ResponseCompat) reads no requests.
//! [`MoonshotCompat`](crate::MoonshotCompat), which does, leaves a note in the
//! extensions of the request.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::Extensions;
use memchr::memmem;

use super::members::each_member;
use crate::{
    json::{self, Backend, Error, Kind, Pass, Scanner, Value},
    model::provider_prefix,
    rewrite::{Rule, Settings},
};

/// In the extensions of a request: where the note is left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot(Arc<OnceLock<Asked>>);

/// The note.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The model's name as a JSON string, if it was an alias.
    pub(super) model: Option<Bytes>,
    /// `stream_options.include_usage` is true.
    pub(super) include_usage: bool,
}

impl Slot {
    /// What was noted. Without a note, nothing is known to be asked for.
    pub(super) fn asked(&self) -> Asked {
        self.0.get().cloned().unwrap_or_default()
    }

    /// Leaves a note about a request with this body, if its extensions ask for one.
    pub(crate) fn note(extensions: &Extensions, body: &[u8], settings: &Settings) {
        let Some(slot) = extensions.get::<Self>() else {
            return;
        };
        let has_aliases = settings.is_on(Rule::Model) && !settings.aliases.is_empty();
        // Nearly all bodies need no closer look.
        if has_aliases || memmem::find(body, b"\"include_usage\"").is_some() {
            let asked = Asked::by(body, settings, has_aliases);
            // A second compat layer, further in, sees what the first made of it.
            let _ = slot.0.set(asked);
        }
    }
}

impl Asked {
    fn by(body: &[u8], settings: &Settings, has_aliases: bool) -> Self {
        let Ok((model, options)) = json::scan(body, Look) else {
            return Self::default();
        };
        let mut asked = Self::default();
        if let Some(options) = options {
            each_member(body, options, |key, member| {
                if key == b"include_usage" {
                    asked.include_usage = member.value.kind == Kind::True;
                }
            });
        }
        if let Some(model) = model.filter(|_| has_aliases) {
            let is_alias = model.as_str().is_some_and(|name| {
                let name = name.unescaped(body);
                let is_alias = |name: &[u8]| {
                    std::str::from_utf8(name).is_ok_and(|name| settings.aliases.contains_key(name))
                };
                is_alias(&name) || is_alias(&name[provider_prefix(&name)..])
            });
            asked.model = is_alias.then(|| Bytes::copy_from_slice(model.span.of(body)));
        }
        asked
    }
}

/// Finds `model` and `stream_options`.
struct Look;

impl Pass for Look {
    type Output = Result<(Option<Value>, Option<Value>), Error>;

    #[inline(always)]
    fn run<B: Backend>(self, mut scanner: Scanner<'_, B>) -> Self::Output {
        let (mut model, mut options) = (None, None);
        if scanner.peek()? == Kind::Object && scanner.open()? {
            loop {
                let key = scanner.key()?;
                let value = scanner.skip()?;
                if key.says(b"model", scanner.text()) {
                    model = Some(value);
                } else if key.says(b"stream_options", scanner.text()) {
                    options = Some(value);
                }
                if !scanner.more(b'}')? {
                    break;
                }
            }
        }
        Ok((model, options))
    }
}
