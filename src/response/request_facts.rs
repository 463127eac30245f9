//! Facts about the request that the repair of its answer depends on.
//!
//! [`ResponseCompat`](super::ResponseCompat) does not read request bodies. It puts an empty
//! slot into the request's extensions, which [`MoonshotCompat`](crate::MoonshotCompat)
//! fills when it reads the body.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::Extensions;
use memchr::memmem;

use super::object_members::each_member;
use crate::{
    ModelAliases, TargetModel,
    json::{self, Backend, Error, Kind, Pass, Scanner, Value},
    model::provider_prefix,
    overrides::Overrides,
    rewrite::{Rule, Settings},
};

/// The slot in the extensions of a request. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestFactsSlot(Arc<OnceLock<RequestFacts>>);

/// The facts. The default is that of a request that was not read.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestFacts {
    /// The client's name for the model as a JSON string, if it was an alias.
    pub(super) model: Option<Bytes>,
    /// Whether `stream_options.include_usage` is true.
    pub(super) include_usage: bool,
}

impl RequestFactsSlot {
    /// Returns the recorded facts, or the default if none were recorded.
    pub(super) fn facts(&self) -> RequestFacts {
        self.0.get().cloned().unwrap_or_default()
    }

    /// Records the facts of a request with this body, if its extensions hold a slot.
    pub(crate) fn record(
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
        let may_be_alias = settings.is_on(Rule::Model) && names.may_replace();
        // Two cheap checks save nearly all bodies a second scan.
        if may_be_alias || memmem::find(body, b"\"include_usage\"").is_some() {
            let facts = RequestFacts::read(body, may_be_alias.then_some(names));
            // Only the outermost compat layer sees the client's own body.
            let _ = slot.0.set(facts);
        }
    }
}

impl RequestFacts {
    fn read(body: &[u8], names: Option<Names<'_>>) -> Self {
        let Ok((model, options)) = json::scan(body, FindFields) else {
            return Self::default();
        };
        let mut facts = Self::default();
        if let Some(options) = options {
            each_member(body, options, |key, member| {
                if key == b"include_usage" {
                    facts.include_usage = member.value.kind == Kind::True;
                }
            });
        }
        if let (Some(model), Some(names)) = (model, names) {
            let name = model.as_str().map(|name| name.unescaped(body));
            let is_alias = name.is_some_and(|name| {
                std::str::from_utf8(&name).is_ok_and(|name| names.replace(name))
            });
            facts.model = is_alias.then(|| Bytes::copy_from_slice(model.span.of(body)));
        }
        facts
    }
}

/// The settings that replace model names.
struct Names<'a> {
    target: Option<&'a TargetModel>,
    aliases: &'a ModelAliases,
}

impl Names<'_> {
    fn may_replace(&self) -> bool {
        self.target.is_some() || !self.aliases.is_empty()
    }

    /// Whether a name is replaced. The removal of a provider's prefix does not count.
    fn replace(&self, name: &str) -> bool {
        let plain = &name[provider_prefix(name)..];
        match self.target {
            Some(target) => target.id() != plain,
            None => self.aliases.get(name).or(self.aliases.get(plain)).is_some(),
        }
    }
}

/// Finds the values of `model` and `stream_options`.
struct FindFields;

impl Pass for FindFields {
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
