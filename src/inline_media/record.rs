//! What became of each part.

use std::{fmt, sync::Arc, time::Duration};

use http::StatusCode;

use super::{
    address::NotPublic,
    media_type::{MediaKind, MediaType},
};

/// What became of one image or video that was given by a URL: an entry in the
/// [`Report`](crate::Report).
///
/// Displayed in a few words for logs, without the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub(super) place: Place,
    pub(super) outcome: Result<Inlined, NotInlined>,
}

impl Media {
    /// Where: a JSON Pointer (RFC 6901) to the URL in the body as it came, such
    /// as `/messages/3/content/1/image_url/url`.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.place.to_string()
    }

    /// What was put in, or why the part stayed as it came.
    ///
    /// # Errors
    ///
    /// The reason, if the part stayed.
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

/// Where a URL stands in a chat request.
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

/// What was put in the place of a URL.
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

    /// Its size in bytes, as it was fetched. In the body it is a third longer.
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

/// Why a part stayed as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotInlined {
    /// The URL is none.
    InvalidUrl,
    /// The URL has a user or a password in it.
    Credentials,
    /// The host is, or its name resolves to, an address that is not public.
    NotPublic(NotPublic),
    /// There are too many others before it.
    TooMany {
        /// How many are fetched for one request.
        limit: usize,
    },
    /// Fetching took too long.
    Timeout {
        /// How long all of it may take.
        limit: Duration,
    },
    /// The client failed, or its response broke off. In that client's own words.
    Client(Arc<str>),
    /// The server answered with another status than 200.
    Status(StatusCode),
    /// The server redirects to nowhere, or to what is neither http nor https.
    InvalidRedirect,
    /// The server redirects from https to http.
    Downgrade,
    /// The server redirects to a server that redirects, and so on.
    TooManyRedirects {
        /// How many are followed.
        limit: usize,
    },
    /// The server compressed it, though it was asked not to.
    Compressed,
    /// It is too long by itself.
    TooLarge {
        /// How many bytes one may have.
        limit: usize,
    },
    /// It is too long together with the others before it.
    TotalTooLarge {
        /// How many bytes all of one request may have.
        limit: usize,
    },
    /// The server says that it is of another type than those that Moonshot takes.
    ContentType,
    /// Its content is of another type than those that Moonshot takes.
    Content,
}

impl fmt::Display for NotInlined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl => f.write_str("the URL is invalid"),
            Self::Credentials => f.write_str("the URL has a user or a password in it"),
            Self::NotPublic(error) => error.fmt(f),
            Self::TooMany { limit } => write!(f, "only {limit} are fetched for one request"),
            Self::Timeout { limit } => write!(f, "it was not there within {limit:?}"),
            Self::Client(error) => write!(f, "could not be fetched: {error}"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::InvalidRedirect => f.write_str("the server redirects to no http or https URL"),
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
                f.write_str("the server says that it is of a type that Moonshot doesn't take")
            }
            Self::Content => f.write_str("its content is of no type that Moonshot takes"),
        }
    }
}

impl std::error::Error for NotInlined {}
