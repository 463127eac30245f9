//! What was done about each image and video that a request names by URL.

use std::{fmt, sync::Arc, time::Duration};

use http::{Extensions, StatusCode};

use super::{
    address::NotPublic,
    media_type::{MediaKind, MediaType},
};

/// What [`InlineMedia`](super::InlineMedia) did about the images and videos that one
/// request names by URL.
///
/// The report is in the extensions of the request, for the inner service, and in those
/// of the response, for the services outside. Requests that name nothing by URL have
/// none.
///
/// Displayed on one line for logs, without the URLs.
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

    /// Every image and video, in the order in which they appear in the body.
    #[must_use]
    pub fn media(&self) -> &[Media] {
        &self.media
    }

    /// Puts the report into the extensions of a request, behind what another of these
    /// layers, outside of this one, has reported.
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

    /// Puts the report into the extensions of a response, unless another of these
    /// layers, inside of this one, has put a fuller one there.
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

/// What was done about one image or video that a request names by URL.
///
/// Displayed in a few words for logs, without the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub(super) place: Place,
    pub(super) outcome: Result<Inlined, NotInlined>,
}

impl Media {
    /// A JSON Pointer (RFC 6901) to the URL in the incoming body, such as
    /// `/messages/3/content/1/image_url/url`.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.place.to_string()
    }

    /// What replaced the URL.
    ///
    /// # Errors
    ///
    /// The reason, if the part was left unchanged.
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
    /// Whether it is the `url` of an object, and not the string itself.
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

/// What replaced a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlined {
    pub(super) media_type: MediaType,
    pub(super) bytes: usize,
}

impl Inlined {
    /// The type of the image or video.
    #[must_use]
    pub const fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// Its size in bytes, as fetched. In the body it is a third longer.
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

/// Why a part was left unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotInlined {
    /// The URL could not be parsed.
    InvalidUrl,
    /// The URL has a user or a password in it.
    Credentials,
    /// The host is, or its name resolves to, an address that is not public.
    NotPublic(NotPublic),
    /// There are too many other URLs before it.
    #[non_exhaustive]
    TooMany {
        /// How many URLs are fetched for one request.
        limit: usize,
    },
    /// Fetching took too long.
    #[non_exhaustive]
    Timeout {
        /// How long fetching for one request may take.
        limit: Duration,
    },
    /// The client failed, or its response was cut off. Holds the client's error as text.
    Client(Arc<str>),
    /// The server answered with another status than 200.
    Status(StatusCode),
    /// The server redirects to nowhere, or to what is neither http nor https.
    InvalidRedirect,
    /// The server redirects from https to http.
    Downgrade,
    /// There are too many redirects in a row.
    #[non_exhaustive]
    TooManyRedirects {
        /// How many redirects are followed.
        limit: usize,
    },
    /// The server compressed the content, although it was asked not to.
    Compressed,
    /// The content is too long.
    #[non_exhaustive]
    TooLarge {
        /// How many bytes one image or video may have.
        limit: usize,
    },
    /// The content is too long together with what was fetched for earlier parts.
    #[non_exhaustive]
    TotalTooLarge {
        /// How many bytes all images and videos of one request may have.
        limit: usize,
    },
    /// The server names a content type that Moonshot does not accept.
    ContentType,
    /// The content is of a type that Moonshot does not accept.
    Content,
}

impl fmt::Display for NotInlined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl => f.write_str("the URL is invalid"),
            Self::Credentials => f.write_str("the URL has a user or a password in it"),
            Self::NotPublic(error) => error.fmt(f),
            Self::TooMany { limit } => write!(f, "only {limit} URLs are fetched for one request"),
            Self::Timeout { limit } => write!(f, "it was not fetched within {limit:?}"),
            Self::Client(error) => write!(f, "could not be fetched: {error}"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::InvalidRedirect => {
                f.write_str("the server redirects to something other than an http or https URL")
            }
            Self::Downgrade => f.write_str("the server redirects from https to http"),
            Self::TooManyRedirects { limit } => {
                write!(f, "the server redirects more than {limit} times")
            }
            Self::Compressed => f.write_str("the server compressed it"),
            Self::TooLarge { limit } => write!(f, "it is longer than {limit} bytes"),
            Self::TotalTooLarge { limit } => {
                write!(
                    f,
                    "together with those before it is longer than {limit} bytes"
                )
            }
            Self::ContentType => {
                f.write_str("the server names a content type that Moonshot does not accept")
            }
            Self::Content => f.write_str("the content is of a type that Moonshot does not accept"),
        }
    }
}

impl std::error::Error for NotInlined {}
