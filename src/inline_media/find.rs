//! Finds the parts of a chat request that are fetched.

use memchr::memmem;

use super::{media_type::MediaKind, report::Place};
use crate::json::{Error, Kind, Member, Scanner, Span, Str, Value};

/// The parts with http and https URLs, in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) parts: Vec<Part>,
    /// Duplicate keys on the path to a URL: pairs of a later and an earlier member, sorted
    /// by the later one.
    pub(super) duplicates: Vec<(Member, Member)>,
}

/// A part with an http or https URL.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) place: Place,
    /// The span of the URL, with its quotes.
    pub(super) string: Str,
    pub(super) url: Box<str>,
}

/// Finds the parts to fetch. Invalid JSON has none and is left to the inner service.
pub(super) fn find(text: &[u8]) -> Found {
    if !may_have_any(text) {
        return Found::default();
    }
    let Ok(mut found) = Walk::new(text).and_then(Walk::request) else {
        return Found::default();
    };
    found.duplicates.sort_by_key(|(later, _)| later.key.start);
    found
}

/// Whether `text` can contain a key that ends in `_url`, in plain letters or escaped as
/// `\uXXXX`. If not, it need not be parsed.
fn may_have_any(text: &[u8]) -> bool {
    memmem::find(text, b"_url").is_some() || memmem::find(text, b"\\u").is_some()
}

/// The URL of a part, of any scheme.
#[derive(Clone, Copy)]
struct Target {
    string: Str,
    in_object: bool,
}

struct Walk<'a> {
    scanner: Scanner<'a>,
    found: Found,
}

impl<'a> Walk<'a> {
    fn new(text: &'a [u8]) -> Result<Self, Error> {
        Ok(Self {
            scanner: Scanner::new(text)?,
            found: Found::default(),
        })
    }

    fn request(mut self) -> Result<Found, Error> {
        let mut messages = None;
        self.object(|walk, key| {
            if key.says(b"messages", walk.scanner.text()) {
                // If a key appears twice, the last one wins.
                walk.found.parts.clear();
                walk.member(key, &mut messages, Self::messages)
            } else {
                walk.scanner.skip().map(drop)
            }
        })?;
        self.scanner.finish()?;
        Ok(self.found)
    }

    fn messages(&mut self) -> Result<(), Error> {
        self.array(|walk, message| {
            let parts = walk.found.parts.len();
            let mut content = None;
            walk.object(|walk, key| {
                if key.says(b"content", walk.scanner.text()) {
                    walk.found.parts.truncate(parts);
                    walk.member(key, &mut content, |walk| walk.content(message))
                } else {
                    walk.scanner.skip().map(drop)
                }
            })
        })
    }

    fn content(&mut self, message: usize) -> Result<(), Error> {
        self.array(|walk, part| walk.part(message, part))
    }

    fn part(&mut self, message: usize, part: usize) -> Result<(), Error> {
        let mut kind = None;
        let mut targets = [None; 2];
        let mut members = [None; 2];
        self.object(|walk, key| {
            let text = walk.scanner.text();
            if key.says(b"type", text) {
                kind = walk.scanner.skip()?.as_str();
                return Ok(());
            }
            match kind_of(key, text) {
                Some(kind) => {
                    let target = &mut targets[kind as usize];
                    walk.member(key, &mut members[kind as usize], |walk| {
                        *target = walk.target()?;
                        Ok(())
                    })
                }
                None => walk.scanner.skip().map(drop),
            }
        })?;
        // The type of a part is also the key of its URL.
        let text = self.scanner.text();
        let Some(kind) = kind.and_then(|kind| kind_of(kind, text)) else {
            return Ok(());
        };
        let Some(Target { string, in_object }) = targets[kind as usize] else {
            return Ok(());
        };
        let url = string.unescaped(text);
        if let Some(url) = std::str::from_utf8(&url).ok().filter(|url| is_http(url)) {
            self.found.parts.push(Part {
                place: Place {
                    message,
                    part,
                    kind,
                    in_object,
                },
                string,
                url: url.into(),
            });
        }
        Ok(())
    }

    /// Reads the value of `image_url` or `video_url`: an object with a `url`, or the URL
    /// itself.
    fn target(&mut self) -> Result<Option<Target>, Error> {
        let mut url = None;
        if self.scanner.peek()? != Kind::Object {
            let string = self.scanner.skip()?.as_str();
            return Ok(string.map(|string| Target {
                string,
                in_object: false,
            }));
        }
        let mut earlier = None;
        self.object(|walk, key| {
            if key.says(b"url", walk.scanner.text()) {
                walk.member(key, &mut earlier, |walk| {
                    url = walk.scanner.skip()?.as_str();
                    Ok(())
                })
            } else {
                walk.scanner.skip().map(drop)
            }
        })?;
        Ok(url.map(|string| Target {
            string,
            in_object: true,
        }))
    }

    // === Helpers of the walk ===

    /// Reads the value of a member, and records an earlier member with the same key.
    fn member(
        &mut self,
        key: Str,
        last: &mut Option<Member>,
        value: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let kind = self.scanner.peek()?;
        let start = self.scanner.pos();
        value(self)?;
        let member = Member {
            key: key.span,
            value: Value {
                kind,
                span: Span::new(start, self.scanner.pos()),
                escaped: false,
            },
        };
        if let Some(earlier) = last.replace(member) {
            self.found.duplicates.push((member, earlier));
        }
        Ok(())
    }

    /// Reads an object, key by key. Anything else is skipped.
    fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Str) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.scanner.peek()? != Kind::Object {
            return self.scanner.skip().map(drop);
        }
        let mut more = self.scanner.open()?;
        while more {
            let key = self.scanner.key()?;
            member(self, key)?;
            more = self.scanner.more(b'}')?;
        }
        Ok(())
    }

    /// Reads an array, element by element. Anything else is skipped.
    fn array(
        &mut self,
        mut element: impl FnMut(&mut Self, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.scanner.peek()? != Kind::Array {
            return self.scanner.skip().map(drop);
        }
        let mut more = self.scanner.open()?;
        let mut index = 0;
        while more {
            element(self, index)?;
            index += 1;
            more = self.scanner.more(b']')?;
        }
        Ok(())
    }
}

fn kind_of(name: Str, text: &[u8]) -> Option<MediaKind> {
    [MediaKind::Image, MediaKind::Video]
        .into_iter()
        .find(|kind| name.says(kind.key().as_bytes(), text))
}

fn is_http(url: &str) -> bool {
    let Some((scheme, _)) = url.split_once("://") else {
        return false;
    };
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}
