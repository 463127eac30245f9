//! Fetches one URL, and follows redirects.

use std::{
    error::Error,
    fmt::Write,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, USER_AGENT},
};
use http_body::Body;
use http_body_util::{Empty, LengthLimitError, Limited};
use pin_project::pin_project;
use tower::{BoxError, Service};
use url::{Position, Url};

use super::{
    address::NotPublic,
    config::Config,
    media_type::{MediaKind, MediaType, announces},
    report::NotInlined,
};
use crate::{
    admission::is_compressed,
    body::{Read, ReadBody},
};

/// The maximum number of redirects. Hosts of images use one or two. Judgement.
const MAX_REDIRECTS: usize = 5;

/// A fetched image or video.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) media_type: MediaType,
    pub(super) content: Bytes,
}

/// A future that fetches one URL.
#[pin_project]
pub(super) struct Fetch<C, D>
where
    C: Service<Request<Empty<Bytes>>>,
{
    client: C,
    url: Url,
    kind: MediaKind,
    config: Arc<Config>,
    redirects: usize,
    #[pin]
    state: State<C::Future, D>,
}

#[pin_project(project = StateProj)]
enum State<F, D> {
    /// The client is not ready yet.
    Waiting,
    /// The client has the request.
    Calling(#[pin] F),
    /// The content is being read.
    Reading(#[pin] ReadBody<Limited<D>>),
}

impl<C, D> Fetch<C, D>
where
    C: Service<Request<Empty<Bytes>>>,
{
    /// Creates a fetch of a URL that was [checked](check).
    pub(super) const fn new(client: C, url: Url, kind: MediaKind, config: Arc<Config>) -> Self {
        Self {
            client,
            url,
            kind,
            config,
            redirects: 0,
            state: State::Waiting,
        }
    }

    /// Returns the number of bytes of the content received so far.
    pub(super) fn received(&self) -> usize {
        match &self.state {
            State::Reading(body) => body.received(),
            _ => 0,
        }
    }
}

impl<C, D> Future for Fetch<C, D>
where
    C: Service<Request<Empty<Bytes>>, Response = Response<D>>,
    C::Error: Into<BoxError>,
    D: Body<Data = Bytes>,
    D::Error: Into<BoxError>,
{
    type Output = Result<Fetched, NotInlined>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let limit = this.config.max_bytes;
        loop {
            match this.state.as_mut().project() {
                StateProj::Waiting => {
                    ready!(this.client.poll_ready(cx)).map_err(failure)?;
                    let request = request(this.url, *this.kind, this.config)?;
                    let future = this.client.call(request);
                    this.state.set(State::Calling(future));
                }
                StateProj::Calling(future) => {
                    let response = ready!(future.poll(cx)).map_err(failure)?;
                    let (parts, body) = response.into_parts();
                    if is_redirect(parts.status) {
                        if *this.redirects == MAX_REDIRECTS {
                            return Poll::Ready(Err(NotInlined::TooManyRedirects {
                                limit: MAX_REDIRECTS,
                            }));
                        }
                        *this.redirects += 1;
                        *this.url = redirected(this.url, &parts.headers, this.config)?;
                        this.state.set(State::Waiting);
                    } else {
                        check_head(parts.status, &parts.headers, *this.kind)?;
                        if announced(&parts.headers) > limit as u64 {
                            return Poll::Ready(Err(NotInlined::TooLarge { limit }));
                        }
                        let body = ReadBody::new(Limited::new(body, limit), limit);
                        this.state.set(State::Reading(body));
                    }
                }
                StateProj::Reading(body) => {
                    let content = match ready!(body.poll_read(cx)) {
                        Read::Complete(content, _) => content,
                        Read::Failed(_, error) if !error.is::<LengthLimitError>() => {
                            return Poll::Ready(Err(failure(error)));
                        }
                        Read::Failed(..) | Read::Longer(..) => {
                            return Poll::Ready(Err(NotInlined::TooLarge { limit }));
                        }
                    };
                    let media_type = MediaType::of_content(&content)
                        .filter(|media_type| media_type.kind() == *this.kind)
                        .ok_or(NotInlined::Content)?;
                    return Poll::Ready(Ok(Fetched {
                        media_type,
                        content,
                    }));
                }
            }
        }
    }
}

/// Checks a URL before it is requested: no credentials, and a permitted host.
pub(super) fn check(url: &Url, config: &Config) -> Result<(), NotInlined> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotInlined::Credentials);
    }
    config.destinations.check(url)
}

fn request(
    url: &Url,
    kind: MediaKind,
    config: &Config,
) -> Result<Request<Empty<Bytes>>, NotInlined> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() =
        Uri::try_from(&url[..Position::AfterQuery]).map_err(|_| NotInlined::InvalidUrl)?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static(kind.accept()));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, config.user_agent.clone());
    request.extensions_mut().insert(config.destinations.clone());
    Ok(request)
}

const fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Returns the checked target of a redirect.
fn redirected(from: &Url, headers: &HeaderMap, config: &Config) -> Result<Url, NotInlined> {
    let location = headers.get(LOCATION).map(HeaderValue::as_bytes);
    let location = location.and_then(|location| std::str::from_utf8(location).ok());
    let to = location
        .and_then(|location| from.join(location).ok())
        .filter(|to| matches!(to.scheme(), "http" | "https"))
        .ok_or(NotInlined::InvalidRedirect)?;
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(NotInlined::Downgrade);
    }
    check(&to, config)?;
    Ok(to)
}

/// Checks the head of a response before its body is read.
fn check_head(status: StatusCode, headers: &HeaderMap, kind: MediaKind) -> Result<(), NotInlined> {
    if status != StatusCode::OK {
        return Err(NotInlined::Status(status));
    }
    if is_compressed(headers) {
        return Err(NotInlined::Compressed);
    }
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if announces(content_type, kind) {
        Ok(())
    } else {
        Err(NotInlined::ContentType)
    }
}

/// Returns the value of `Content-Length`, or 0 if there is no valid one.
fn announced(headers: &HeaderMap) -> u64 {
    headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}

/// Converts a client's error, with its sources, to a reason.
fn failure(error: impl Into<BoxError>) -> NotInlined {
    let error = error.into();
    let mut message = error.to_string();
    let mut next: Option<&(dyn Error + 'static)> = Some(&*error);
    while let Some(cause) = next {
        if let Some(&not_public) = cause.downcast_ref::<NotPublic>() {
            return NotInlined::NotPublic(not_public);
        }
        next = cause.source();
        if let Some(cause) = next {
            // Writing to a string never fails.
            let _ = write!(message, ": {cause}");
        }
    }
    NotInlined::Client(message.into())
}
