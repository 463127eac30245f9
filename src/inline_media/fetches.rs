//! All that is fetched for one request, side by side.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Empty;
use tokio::time::Sleep;
use tower::{BoxError, Service};
use url::Url;

use super::{
    config::Config,
    data_url,
    fetch::{self, Fetch},
    find::{Found, Part},
    media_type::MediaKind,
    report::{Inlined, Media, NotInlined},
};
use crate::json::Edits;

/// What is fetched for one request, and for which parts.
pub(super) struct Fetches<C, D>
where
    C: Service<Request<Empty<Bytes>>>,
{
    found: Found,
    /// For every part that was found: which item it shows, or why none.
    shown: Vec<Result<usize, NotInlined>>,
    /// As many as may be fetched, at the most.
    items: Vec<Item<C, D>>,
    deadline: Pin<Box<Sleep>>,
    max_total_bytes: usize,
    config: Arc<Config>,
}

/// One URL, whoever shows it.
struct Item<C, D>
where
    C: Service<Request<Empty<Bytes>>>,
{
    /// How many parts show it.
    parts: usize,
    state: State<C, D>,
}

enum State<C, D>
where
    C: Service<Request<Empty<Bytes>>>,
{
    /// In a box, because it may not move once it was polled.
    Fetching(Pin<Box<Fetch<C, D>>>),
    There(Inlined, Bytes),
    Failed(NotInlined),
}

impl<C, D> Fetches<C, D>
where
    C: Service<Request<Empty<Bytes>>> + Clone,
{
    /// Starts what was found in a body of this length.
    pub(super) fn new(found: Found, length: usize, client: &C, config: Arc<Config>) -> Self {
        let room = config.max_body_bytes.saturating_sub(length);
        let room = data_url::content_that_fits(room, found.parts.len());
        let mut fetches = Self {
            max_total_bytes: config.max_total_bytes.min(room),
            shown: Vec::with_capacity(found.parts.len()),
            items: Vec::new(),
            deadline: Box::pin(tokio::time::sleep(config.timeout)),
            config,
            found: Found::default(),
        };
        let mut known = HashMap::new();
        for part in &found.parts {
            let shown = fetches.item_of(part, &mut known, client);
            if let Ok(item) = shown {
                fetches.items[item].parts += 1;
            }
            fetches.shown.push(shown);
        }
        fetches.found = found;
        fetches
    }

    /// The item that a part shows, which may be one that another part shows too.
    fn item_of(
        &mut self,
        part: &Part,
        known: &mut HashMap<(MediaKind, Url), usize>,
        client: &C,
    ) -> Result<usize, NotInlined> {
        let mut url = Url::parse(&part.url).map_err(|_| NotInlined::InvalidUrl)?;
        // No server sees it.
        url.set_fragment(None);
        fetch::check(&url, &self.config)?;
        let key = (part.place.kind, url);
        if let Some(&item) = known.get(&key) {
            return Ok(item);
        }
        let item = self.items.len();
        let limit = self.config.max_items;
        if item == limit {
            return Err(NotInlined::TooMany { limit });
        }
        let config = Arc::clone(&self.config);
        let fetch = Fetch::new(client.clone(), key.1.clone(), key.0, config);
        self.items.push(Item {
            parts: 0,
            state: State::Fetching(Box::pin(fetch)),
        });
        known.insert(key, item);
        Ok(item)
    }
}

impl<C, D> Fetches<C, D>
where
    C: Service<Request<Empty<Bytes>>, Response = Response<D>>,
    C::Error: Into<BoxError>,
    D: Body<Data = Bytes>,
    D::Error: Into<BoxError>,
{
    /// Goes on until all is there, or failed, or the time is up.
    pub(super) fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // All of them every time: they are few.
        for index in 0..self.items.len() {
            let item = &mut self.items[index];
            let State::Fetching(fetch) = &mut item.state else {
                continue;
            };
            match fetch.as_mut().poll(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(fetched)) => {
                    let inlined = Inlined {
                        media_type: fetched.media_type,
                        bytes: fetched.content.len(),
                    };
                    let string = data_url::json_string(fetched.media_type, &fetched.content);
                    item.state = State::There(inlined, string);
                }
                Poll::Ready(Err(why)) => item.state = State::Failed(why),
            }
            self.keep_to_total();
        }
        // Only now: one that is still to come may have been given up since.
        let is_fetching = |item: &Item<C, D>| matches!(item.state, State::Fetching(_));
        if !self.items.iter().any(is_fetching) {
            return Poll::Ready(());
        }
        ready!(self.deadline.as_mut().poll(cx));
        let limit = self.config.timeout;
        for item in self.items.iter_mut().filter(|item| is_fetching(item)) {
            item.state = State::Failed(NotInlined::Timeout { limit });
        }
        Poll::Ready(())
    }

    /// Gives up the last ones while all together are too long. So which ones stay
    /// is told by the body, and not by who answers first: as many from its start
    /// as fit.
    fn keep_to_total(&mut self) {
        let limit = self.max_total_bytes;
        let total =
            |items: &[Item<C, D>]| items.iter().map(Item::bytes).fold(0, usize::saturating_add);
        while total(&self.items) > limit {
            let last = self.items.iter_mut().rev().find(|item| !item.is_over());
            let Some(last) = last else { return };
            last.state = State::Failed(NotInlined::TotalTooLarge { limit });
        }
    }

    /// Puts in what is there, and tells what became of every part.
    pub(super) fn finish(self, edits: &mut Edits) -> Vec<Media> {
        let Self {
            found,
            shown,
            items,
            ..
        } = self;
        let media = found.parts.iter().zip(shown).map(|(part, item)| {
            let outcome = item.and_then(|item| match &items[item].state {
                State::There(inlined, string) => {
                    edits.replace(part.string.span, string.clone());
                    Ok(*inlined)
                }
                State::Failed(why) => Err(why.clone()),
                State::Fetching(_) => unreachable!("nothing is fetched any more"),
            });
            Media {
                place: part.place,
                outcome,
            }
        });
        let media = media.collect();
        edits.remove_duplicates(&found.duplicates);
        media
    }
}

impl<C, D> Item<C, D>
where
    C: Service<Request<Empty<Bytes>>>,
{
    /// What it makes of all its parts, so far.
    fn bytes(&self) -> usize {
        let bytes = match &self.state {
            State::Fetching(fetch) => fetch.received(),
            State::There(inlined, _) => inlined.bytes,
            State::Failed(_) => 0,
        };
        bytes.saturating_mul(self.parts)
    }

    const fn is_over(&self) -> bool {
        matches!(self.state, State::Failed(_))
    }
}
