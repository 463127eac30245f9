//! What happens to a request before the layers get it: its key is checked, and an entry
//! is chosen for its model.

use http::{Request, StatusCode, header::AUTHORIZATION};
use moonshot_config::{
    client_key::{ClientKey, Repeated},
    config::MasterKey,
    requested_model::RequestedModel,
    scope::Scopes,
};
use tower_moonshot::MoonshotCompatLayer;

use super::{
    body::{EnvoyBody, Lost},
    entries::{Choice, Entries, Upstream},
    refusal::Refusal,
    route::Route,
};

/// What decides about requests.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) entries: Entries,
    pub(crate) master: Option<MasterKey>,
    pub(crate) scopes: Scopes,
    pub(crate) layer: MoonshotCompatLayer,
    pub(crate) max_body_bytes: usize,
    /// Whether a request for a model that is not configured is refused.
    pub(crate) fails_closed: bool,
}

/// The upstream that a request is sent to.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// To the entry for its model.
    Entry(Choice),
    /// To the upstream that all entries share.
    Shared(Upstream),
    /// Where Envoy's route leads, unchanged.
    Route,
}

/// Why a request doesn't get to the layers.
#[derive(Debug)]
pub(crate) enum Stop {
    Refused(Refusal),
    Lost,
}

impl From<Lost> for Stop {
    fn from(Lost: Lost) -> Self {
        Self::Lost
    }
}

impl Admission {
    /// Requires the master key, if one is configured. The client's key is removed from
    /// the request, and put back in one place only if there is no master key: a master
    /// key must not reach the upstream.
    pub(crate) fn authenticate<B>(&self, request: &mut Request<B>) -> Result<(), Refusal> {
        let refused =
            |status, message: String| Err(Refusal::new(status, "invalid_api_key", message));
        let key = match ClientKey::take(request.headers_mut()) {
            Ok(key) => key,
            Err(Repeated(name)) => {
                let message = format!("the header \"{name}\" appears more than once: send one key");
                return refused(StatusCode::BAD_REQUEST, message);
            }
        };
        self.scopes.mark(request, key.as_ref());
        let Some(master) = &self.master else {
            if let Some(key) = key {
                let key = key.into_authorization();
                request.headers_mut().insert(AUTHORIZATION, key);
            }
            return Ok(());
        };
        let message = match key.as_ref().and_then(ClientKey::token) {
            Some(token) if master.is(token) => return Ok(()),
            Some(_) => "the API key is wrong: it is not the configured master key",
            None => "the API key is missing: send the header \"Authorization: Bearer KEY\"",
        };
        refused(StatusCode::UNAUTHORIZED, message.to_owned())
    }

    /// Chooses where a request goes, and tells the layers so in its extensions. Reads
    /// the body if the layer reads it too.
    pub(crate) async fn direct(
        &self,
        request: &mut Request<EnvoyBody>,
        has_body: bool,
        route: &Route,
    ) -> Result<Destination, Stop> {
        let is_chat = has_body && self.layer.reads(request);
        if is_chat && !self.entries.is_one_for_all() {
            let body = request.body_mut().gather(self.max_body_bytes).await?;
            if let Some(RequestedModel::Name(model)) = body.as_deref().map(RequestedModel::of) {
                if let Some(choice) = self.entries.choose(&model, route) {
                    choice.direct(request.extensions_mut());
                    return Ok(Destination::Entry(choice));
                }
                if self.fails_closed {
                    return Err(Stop::Refused(Refusal::new(
                        StatusCode::NOT_FOUND,
                        "model_not_found",
                        "the model of the request is not configured here",
                    )));
                }
                return Ok(Destination::Route);
            }
        }
        let Some(upstream) = self.entries.only(route) else {
            return Ok(Destination::Route);
        };
        upstream.direct(request.extensions_mut());
        Ok(Destination::Shared(upstream))
    }
}
