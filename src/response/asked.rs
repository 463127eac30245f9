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
    ModelAliases, TargetModel,
    json::{self, Backend, Error, Kind, Pass, Scanner, Value},
    model::provider_prefix,
    overrides::Overrides,
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
    pub(crate) fn note(
        extensions: &Extensions,
        body: &[u8],
        settings: &Settings,
        overrides: Overrides<'_>,
    ) {
        let Some(slot) = extensions.get::<Self>() else {
            return;
        };
        let names = Names {
            target: overrides.target,
            aliases: overrides.aliases.unwrap_or(&settings.aliases),
        };
        let may_be_alias = settings.is_on(Rule::Model) && names.any();
        // Nearly all bodies need no closer look.
        if may_be_alias || memmem::find(body, b"\"include_usage\"").is_some() {
            let asked = Asked::by(body, may_be_alias.then_some(names));
            // A second compat layer, further in, sees what the first made of it.
            let _ = slot.0.set(asked);
        }
    }
}

impl Asked {
    fn by(body: &[u8], names: Option<Names<'_>>) -> Self {
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
        if let (Some(model), Some(names)) = (model, names) {
            let name = model.as_str().map(|name| name.unescaped(body));
            let is_alias = name.is_some_and(|name| {
                std::str::from_utf8(&name).is_ok_and(|name| names.replace(name))
            });
            asked.model = is_alias.then(|| Bytes::copy_from_slice(model.span.of(body)));
        }
        asked
    }
}

/// The models that names stand for.
struct Names<'a> {
    target: Option<&'a TargetModel>,
    aliases: &'a ModelAliases,
}

impl Names<'_> {
    fn any(&self) -> bool {
        self.target.is_some() || !self.aliases.is_empty()
    }

    /// Whether a name is replaced by another. The removal of a prefix does not count.
    fn replace(&self, name: &str) -> bool {
        let plain = &name[provider_prefix(name)..];
        match self.target {
            Some(target) => target.id() != plain,
            None => self.aliases.get(name).or(self.aliases.get(plain)).is_some(),
        }
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
