//! The report: the outcome for each image and video that a request names by URL.

use std::{fmt, sync::Arc, time::Duration};

use http::{Extensions, StatusCode};

use super::{
    address::NotPublic,
    media_type::{MediaKind, MediaType},
};

/// Report of what [`InlineMedia`](super::InlineMedia) fetched and inlined for one request.
///
/// The report is in the extensions of the request, for the inner service, and in those of
/// the response, for outer services. Requests without http and https URLs have none.
///
/// `Display` writes one line for logs, without the URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaReport {
    media: Arc<[Media]>,
}

impl MediaReport {
    pub(super) fn new(media: Vec<Media>) -> Self {
        Self {
            media: media.into(),
        }
    }

    /// Returns an entry for each image and video, in order of appearance in the body.
    #[must_use]
    pub fn media(&self) -> &[Media] {
        &self.media
    }

    /// Inserts the report into the extensions of a request. The entries of an outer
    /// `InlineMedia` come first.
    pub(super) fn file(self, extensions: &mut Extensions) -> Self {
        let report = match extensions.get::<Self>() {
            Some(earlier) => Self {
                media: earlier.media.iter().chain(&*self.media).cloned().collect(),
            },
            None => self,
        };
        extensions.insert(report.clone());
        report
    }

    /// Inserts the report into the extensions of a response, unless an inner `InlineMedia`
    /// has already inserted its own, which includes this one.
    pub(super) fn file_unless_there(self, extensions: &mut Extensions) {
        if extensions.get::<Self>().is_none() {
            extensions.insert(self);
        }
    }
}

impl fmt::Display for MediaReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, media) in self.media.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            media.fmt(f)?;
        }
        Ok(())
    }
}

/// The outcome for one image or video that a request names by URL.
///
/// `Display` writes a few words for logs, without the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub(super) place: Place,
    pub(super) outcome: Result<Inlined, NotInlined>,
}

impl Media {
    /// Returns a JSON Pointer (RFC 6901) to the URL in the incoming body, such as
    /// `/messages/3/content/1/image_url/url`.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.place.to_string()
    }

    /// Returns what replaced the URL.
    ///
    /// # Errors
    ///
    /// Returns the reason if the part was left unchanged.
    pub const fn outcome(&self) -> Result<&Inlined, &NotInlined> {
        self.outcome.as_ref()
    }
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Ok(inlined) => write!(f, "inlined at {}: {inlined}", self.place),
            Err(why) => write!(f, "not inlined at {}: {why}", self.place),
        }
    }
}

/// The place of a URL in a chat request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) message: usize,
    pub(super) part: usize,
    pub(super) kind: MediaKind,
    /// Whether the URL is the `url` of an object, and not the string itself.
    pub(super) in_object: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, part, .. } = self;
        let key = self.kind.key();
        let url = if self.in_object { "/url" } else { "" };
        write!(f, "/messages/{message}/content/{part}/{key}{url}")
    }
}

/// An image or video that replaced its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlined {
    pub(super) media_type: MediaType,
    pub(super) bytes: usize,
}

impl Inlined {
    /// Returns the format of the image or video.
    #[must_use]
    pub const fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// Returns the size in bytes as fetched. In the body, base64 adds a third.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl fmt::Display for Inlined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.media_type, self.bytes)
    }
}

/// The reason why a part was left unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotInlined {
    /// The URL could not be parsed.
    InvalidUrl,
    /// The URL contains a user name or a password.
    Credentials,
    /// The host is an address that is not permitted, or its name resolves to one.
    NotPublic(NotPublic),
    /// The URL is beyond the maximum number of URLs.
    #[non_exhaustive]
    TooMany {
        /// The maximum number of URLs that are fetched for one request.
        limit: usize,
    },
    /// The fetch was not complete within the time limit.
    #[non_exhaustive]
    Timeout {
        /// The time limit for all fetches of one request.
        limit: Duration,
    },
    /// The client returned an error, or the response body ended with one. Holds the error
    /// and its sources as text.
    Client(Arc<str>),
    /// The server returned a status other than 200.
    Status(StatusCode),
    /// The redirect has no valid `Location` with an http or https URL.
    InvalidRedirect,
    /// The server redirects from https to http.
    Downgrade,
    /// The server redirects too many times.
    #[non_exhaustive]
    TooManyRedirects {
        /// The maximum number of redirects that are followed.
        limit: usize,
    },
    /// The server compressed the content, although `Accept-Encoding` forbids it.
    Compressed,
    /// The content is too large.
    #[non_exhaustive]
    TooLarge {
        /// The maximum size in bytes of one image or video.
        limit: usize,
    },
    /// The content is too large together with that of earlier parts.
    #[non_exhaustive]
    TotalTooLarge {
        /// The limit that would be exceeded: that of what is fetched for one request, or
        /// the room for it in the new body, in bytes.
        limit: usize,
    },
    /// The `Content-Type` names a format that Moonshot does not accept.
    ContentType,
    /// The content has a format that Moonshot does not accept.
    Content,
}

impl fmt::Display for NotInlined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl => f.write_str("the URL is invalid"),
            Self::Credentials => f.write_str("the URL contains a user name or a password"),
            Self::NotPublic(error) => error.fmt(f),
            Self::TooMany { limit } => write!(f, "only {limit} URLs are fetched for one request"),
            Self::Timeout { limit } => write!(f, "not fetched within {limit:?}"),
            Self::Client(error) => write!(f, "could not be fetched: {error}"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::InvalidRedirect => {
                f.write_str("the server redirects without a valid http or https URL")
            }
            Self::Downgrade => f.write_str("the server redirects from https to http"),
            Self::TooManyRedirects { limit } => {
                write!(f, "the server redirects more than {limit} times")
            }
            Self::Compressed => f.write_str("the server compressed the content"),
            Self::TooLarge { limit } => write!(f, "the content is larger than {limit} bytes"),
            Self::TotalTooLarge { limit } => {
                write!(
                    f,
                    "the content would bring the total of the request above {limit} bytes"
                )
            }
            Self::ContentType => f.write_str("the content type is not one that Moonshot accepts"),
            Self::Content => f.write_str("the content is not in a format that Moonshot accepts"),
        }
    }
}

impl std::error::Error for NotInlined {}
