//! Heads of requests and responses: read from Envoy's messages, and written as mutations
//! of them.

use envoy_types::pb::envoy::{
    config::core::v3::{
        self as core, HeaderValue as Field, HeaderValueOption,
        header_value_option::HeaderAppendAction,
    },
    service::ext_proc::v3::HeaderMutation,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::CONTENT_LENGTH, request,
};

/// The head of a request, as Envoy has it.
#[derive(Clone, Debug)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) path: String,
    authority: Vec<u8>,
    pub(crate) headers: HeaderMap,
}

impl RequestHead {
    /// `None` if the request has no path, as `CONNECT`, or one that is not of HTTP.
    pub(crate) fn read(fields: Option<core::HeaderMap>) -> Option<Self> {
        let mut method = Method::GET;
        let mut path = None;
        let mut authority = Vec::new();
        let headers = fields_of(fields, |name, value| match name {
            ":method" => method = Method::from_bytes(&value).unwrap_or_default(),
            ":path" => path = String::from_utf8(value).ok(),
            ":authority" => authority = value,
            _ => {}
        });
        Some(Self {
            method,
            path: path?,
            authority,
            headers,
        })
    }

    /// Returns the request that the layers get. Its URI has a path only.
    pub(crate) fn request<B>(&self, body: B) -> Option<Request<B>> {
        let uri: Uri = self.path.parse().ok()?;
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        Some(request)
    }

    /// Returns what makes this head that of `parts`. The scheme is Envoy's: its cluster
    /// decides whether there is TLS.
    pub(crate) fn mutation(
        &self,
        parts: &request::Parts,
        length: Length,
    ) -> Option<HeaderMutation> {
        let mut mutation = difference(&self.headers, &parts.headers, length);
        let mut set = |name: &str, value: &[u8]| {
            mutation
                .set_headers
                .push(field(name, value, Action::Replace));
        };
        if let Some(path) = parts.uri.path_and_query()
            && path.as_str() != self.path
        {
            set(":path", path.as_str().as_bytes());
        }
        if let Some(authority) = parts.uri.authority()
            && authority.as_str().as_bytes() != self.authority
        {
            set(":authority", authority.as_str().as_bytes());
        }
        some(mutation)
    }
}

/// Whether `content-length` is part of a mutation. Envoy removes it from heads whose body
/// is streamed, because it can't know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Set,
    Leave,
}

/// Reads the head of a response.
pub(crate) fn response<B>(fields: Option<core::HeaderMap>, body: B) -> Response<B> {
    let mut status = StatusCode::OK;
    let headers = fields_of(fields, |name, value| {
        if name == ":status" {
            status = StatusCode::from_bytes(&value).unwrap_or_default();
        }
    });
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Reads trailers.
pub(crate) fn trailers(fields: Option<core::HeaderMap>) -> HeaderMap {
    fields_of(fields, |_, _| {})
}

/// Returns the length that headers announce.
pub(crate) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads fields. What is no header of HTTP, such as a pseudo-header, is handed to `other`.
fn fields_of(fields: Option<core::HeaderMap>, mut other: impl FnMut(&str, Vec<u8>)) -> HeaderMap {
    let fields = fields.map(|fields| fields.headers).unwrap_or_default();
    let mut headers = HeaderMap::with_capacity(fields.len());
    for Field {
        key,
        value,
        raw_value,
    } in fields
    {
        // Envoy fills one of them, today the second.
        let value = if raw_value.is_empty() {
            value.into_bytes()
        } else {
            raw_value
        };
        if key.starts_with(':') {
            other(&key, value);
        } else if let (Ok(name), Ok(value)) = (
            key.parse::<HeaderName>(),
            HeaderValue::from_maybe_shared(bytes::Bytes::from(value)),
        ) {
            headers.append(name, value);
        }
    }
    headers
}

/// Returns what turns the fields `old` into `new`; `None` if nothing does.
pub(crate) fn changes(old: &HeaderMap, new: &HeaderMap) -> Option<HeaderMutation> {
    some(difference(old, new, Length::Leave))
}

fn some(mutation: HeaderMutation) -> Option<HeaderMutation> {
    let is_some = !mutation.set_headers.is_empty() || !mutation.remove_headers.is_empty();
    is_some.then_some(mutation)
}

fn difference(old: &HeaderMap, new: &HeaderMap, length: Length) -> HeaderMutation {
    let is_left = |name: &HeaderName| *name == CONTENT_LENGTH && length == Length::Leave;
    let removed = old
        .keys()
        .filter(|name| !new.contains_key(*name) && !is_left(name));
    let remove_headers = removed.map(|name| name.as_str().to_owned()).collect();
    let mut set_headers = Vec::new();
    for name in new.keys().filter(|name| !is_left(name)) {
        let values = new.get_all(name);
        if values.iter().eq(old.get_all(name)) {
            continue;
        }
        let mut action = Action::Replace;
        for value in values {
            set_headers.push(field(name.as_str(), value.as_bytes(), action));
            action = Action::Append;
        }
    }
    HeaderMutation {
        set_headers,
        remove_headers,
    }
}

#[derive(Clone, Copy)]
enum Action {
    Replace,
    Append,
}

fn field(name: &str, value: &[u8], action: Action) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(Field {
            key: name.to_owned(),
            raw_value: value.to_vec(),
            ..Field::default()
        }),
        append_action: match action {
            Action::Replace => HeaderAppendAction::OverwriteIfExistsOrAdd,
            Action::Append => HeaderAppendAction::AppendIfExistsOrAdd,
        } as i32,
        // An empty value is a value.
        keep_empty_value: true,
        ..HeaderValueOption::default()
    }
}

/// Returns a mutation that sets one header, for responses of this program.
pub(crate) fn with_header(mut mutation: HeaderMutation, name: &str, value: &str) -> HeaderMutation {
    mutation
        .set_headers
        .push(field(name, value.as_bytes(), Action::Replace));
    mutation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(list: &[(&str, &str)]) -> Option<core::HeaderMap> {
        let headers = list.iter().map(|(key, value)| Field {
            key: (*key).to_owned(),
            raw_value: value.as_bytes().to_vec(),
            ..Field::default()
        });
        Some(core::HeaderMap {
            headers: headers.collect(),
        })
    }

    /// Applies a mutation as Envoy documents it, to a list of fields.
    fn apply(list: &[(&str, &str)], mutation: Option<HeaderMutation>) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut list: Vec<_> = list.iter().map(owned).collect();
        let mutation = mutation.unwrap_or_default();
        list.retain(|(name, _)| !mutation.remove_headers.contains(name));
        for option in mutation.set_headers {
            let Field { key, raw_value, .. } = option.header.unwrap();
            if option.append_action == HeaderAppendAction::OverwriteIfExistsOrAdd as i32 {
                list.retain(|(name, _)| *name != key);
            }
            list.push((key, String::from_utf8(raw_value).unwrap()));
        }
        list.sort();
        list
    }

    const HEAD: [(&str, &str); 6] = [
        (":authority", "gateway:4000"),
        (":method", "POST"),
        (":path", "/chat/completions?x=1"),
        ("content-length", "12"),
        ("digest", "x"),
        ("x-twice", "1"),
    ];

    #[test]
    fn a_mutation_makes_a_head_that_of_the_request() {
        let head = RequestHead::read(fields(&HEAD)).unwrap();
        let (mut parts, ()) = head.request(()).unwrap().into_parts();
        assert_eq!(
            apply(&HEAD, head.mutation(&parts, Length::Set)),
            apply(&HEAD, None)
        );
        assert!(head.mutation(&parts, Length::Set).is_none());

        parts.uri = "https://api.moonshot.ai/v1/chat/completions?x=1"
            .parse()
            .unwrap();
        parts.headers.remove("digest");
        parts
            .headers
            .insert(CONTENT_LENGTH, HeaderValue::from_static("9"));
        parts
            .headers
            .append("x-twice", HeaderValue::from_static("2"));
        parts
            .headers
            .insert("x-empty", HeaderValue::from_static(""));
        let expected = |length| {
            let mut list = vec![
                (":authority", "api.moonshot.ai"),
                (":method", "POST"),
                (":path", "/v1/chat/completions?x=1"),
                ("content-length", length),
                ("x-empty", ""),
                ("x-twice", "1"),
                ("x-twice", "2"),
            ];
            list.sort_unstable();
            apply(&list, None)
        };
        assert_eq!(
            apply(&HEAD, head.mutation(&parts, Length::Set)),
            expected("9")
        );
        assert_eq!(
            apply(&HEAD, head.mutation(&parts, Length::Leave)),
            expected("12")
        );
    }

    #[test]
    fn text_that_is_no_header_is_left_alone() {
        let list = [(":path", "/"), ("bad name", "x"), ("good", "a\u{7f}")];
        let head = RequestHead::read(fields(&list)).unwrap();
        assert!(head.headers.is_empty());
        let (parts, ()) = head.request(()).unwrap().into_parts();
        assert!(head.mutation(&parts, Length::Set).is_none());
    }

    #[test]
    fn a_response_has_its_status() {
        let response = response(fields(&[(":status", "404"), ("server", "x")]), ());
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers().len(), 1);
    }
}
