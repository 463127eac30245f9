//! Concurrent fetches for one request, within its limits.

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

/// The fetches for one request.
pub(super) struct Fetches<C, D>
where
    C: Service<Request<Empty<Bytes>>>,
{
    found: Found,
    /// For each part, the index of its item, or the reason why it has none.
    shown: Vec<Result<usize, NotInlined>>,
    /// The URLs that are fetched, in order of appearance. Limited by `max_items`.
    items: Vec<Item<C, D>>,
    deadline: Pin<Box<Sleep>>,
    /// How many bytes of content the new body has room for, as often as parts show them.
    room: usize,
    config: Arc<Config>,
}

/// One URL, which several parts may show.
struct Item<C, D>
where
    C: Service<Request<Empty<Bytes>>>,
{
    /// The number of parts that show it.
    parts: usize,
    state: State<C, D>,
}

enum State<C, D>
where
    C: Service<Request<Empty<Bytes>>>,
{
    /// Boxed, because a future must not move once it was polled.
    Fetching(Pin<Box<Fetch<C, D>>>),
    /// The item was fetched. Holds the JSON string that replaces the URL.
    Fetched(Inlined, Bytes),
    Failed(NotInlined),
}

impl<C, D> Fetches<C, D>
where
    C: Service<Request<Empty<Bytes>>> + Clone,
{
    /// Prepares the fetches for the parts of a body. `length` is its length in bytes.
    pub(super) fn new(found: Found, length: usize, client: &C, config: Arc<Config>) -> Self {
        let room = config.max_body_bytes.saturating_sub(length);
        let mut fetches = Self {
            room: data_url::content_that_fits(room, found.parts.len()),
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

    /// Returns the index of the item that a part shows, and adds the item if it is new.
    fn item_of(
        &mut self,
        part: &Part,
        known: &mut HashMap<(MediaKind, Url), usize>,
        client: &C,
    ) -> Result<usize, NotInlined> {
        let mut url = Url::parse(&part.url).map_err(|_| NotInlined::InvalidUrl)?;
        // A fragment is not sent to the server.
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
    /// Completes when every item was fetched or has failed, at the latest at the deadline.
    pub(super) fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Polls all of them on every wake-up, because they are few.
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
                    item.state = State::Fetched(inlined, string);
                }
                Poll::Ready(Err(why)) => item.state = State::Failed(why),
            }
            self.keep_to_total();
        }
        // After the loop, because `keep_to_total` may give up later items.
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

    /// Gives up items from the end while the total is too large. So the order in the body
    /// decides which items are kept, and not the order of the responses.
    fn keep_to_total(&mut self) {
        while let Some(limit) = self.exceeded() {
            let last = self.items.iter_mut().rev().find(|item| !item.has_failed());
            let Some(last) = last else { return };
            last.state = State::Failed(NotInlined::TotalTooLarge { limit });
        }
    }

    /// Returns the limit that the items received so far exceed.
    fn exceeded(&self) -> Option<usize> {
        let total = |bytes: fn(&Item<C, D>) -> usize| {
            self.items.iter().map(bytes).fold(0, usize::saturating_add)
        };
        let limit = self.config.max_total_bytes;
        if total(Item::received) > limit {
            return Some(limit);
        }
        (total(Item::inlined) > self.room).then_some(self.room)
    }

    /// Replaces the URLs of fetched items and returns the outcome of every part.
    pub(super) fn finish(self, edits: &mut Edits) -> Vec<Media> {
        let Self {
            found,
            shown,
            items,
            ..
        } = self;
        let media = found.parts.iter().zip(shown).map(|(part, item)| {
            let outcome = item.and_then(|item| match &items[item].state {
                State::Fetched(inlined, string) => {
                    edits.replace(part.string.span, string.clone());
                    Ok(*inlined)
                }
                State::Failed(why) => Err(why.clone()),
                State::Fetching(_) => unreachable!("all fetches are done"),
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
    /// Returns the bytes received so far.
    fn received(&self) -> usize {
        match &self.state {
            State::Fetching(fetch) => fetch.received(),
            State::Fetched(inlined, _) => inlined.bytes,
            State::Failed(_) => 0,
        }
    }

    /// Returns the bytes received so far, as often as the new body has them.
    fn inlined(&self) -> usize {
        self.received().saturating_mul(self.parts)
    }

    const fn has_failed(&self) -> bool {
        matches!(self.state, State::Failed(_))
    }
}
