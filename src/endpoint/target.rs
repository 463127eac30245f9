//! How a request's URI and headers are changed for its region.

use http::{
    Request, Uri, Version,
    header::{AUTHORIZATION, HOST},
    uri::{InvalidUriParts, PathAndQuery},
};

use super::{ApiKey, BaseUrl, CHAT_COMPLETIONS, Region};

/// Whether a path is that of a chat request. Any prefix is allowed, because routers nest.
pub(crate) fn is_chat_completions(path: &str) -> bool {
    path.ends_with(CHAT_COMPLETIONS)
}

/// Points a request to `region` and adds the key that belongs there, unless the
/// request's extensions name others. Traces of the old target are removed: a `Host`
/// header would win over the URI, and the protocol version is that of the incoming
/// connection.
pub(crate) fn retarget<B>(request: &mut Request<B>, region: &Region, key: Option<&ApiKey>) {
    let uri = std::mem::take(request.uri_mut());
    let extensions = request.extensions();
    let chosen = extensions.get::<Region>();
    let key = match extensions.get::<ApiKey>() {
        // The layer's key belongs to the layer's region.
        None if chosen.is_none_or(|chosen| chosen == region) => key,
        own => own,
    };
    let authorization = key.map(|key| key.0.clone());
    let base = chosen.unwrap_or(region).base_url();
    let target = target(uri, base);
    *request.version_mut() = Version::default();
    let headers = request.headers_mut();
    headers.remove(HOST);
    if let Some(authorization) = authorization {
        headers.insert(AUTHORIZATION, authorization);
    }
    if let Ok(target) = target {
        *request.uri_mut() = target;
    }
}

/// The URI under `base` for a request to `uri`. The host is never the one that the
/// caller named, because the layer's key is sent to it.
///
/// Most requests already have the right path. It is neither copied nor parsed again.
fn target(uri: Uri, base: &BaseUrl) -> Result<Uri, InvalidUriParts> {
    let moved = path_under(&uri, base);
    let mut parts = uri.into_parts();
    parts.authority = Some(base.authority.clone());
    if moved.is_some() {
        parts.path_and_query = moved;
    }
    // `CONNECT host:port` has nothing else.
    parts.scheme = parts.path_and_query.as_ref().map(|_| base.scheme.clone());
    Uri::from_parts(parts)
}

/// The path and query of `uri` under the base; `None` if they stay unchanged.
fn path_under(uri: &Uri, base: &BaseUrl) -> Option<PathAndQuery> {
    let incoming = uri.path_and_query()?;
    let path = incoming.path();
    let kept = if is_chat_completions(path) {
        CHAT_COMPLETIONS
    } else if let Some(kept) = after_base(uri, base) {
        kept
    } else {
        after_version(path)
    };
    // `OPTIONS *` asks for the server as a whole. A URI with a host can't say so, and `*`
    // would become a part of the host's name: the root is next to it.
    if !path.starts_with('/') {
        return Some(PathAndQuery::from_static("/"));
    }
    let is_there_already = base.path() == &path[..path.len() - kept.len()];
    if is_there_already {
        return None;
    }
    let kept = &incoming.as_str()[path.len() - kept.len()..];
    if kept == CHAT_COMPLETIONS {
        return Some(base.chat_completions.clone());
    }
    let slash = if base.path().is_empty() && !kept.starts_with('/') {
        "/"
    } else {
        ""
    };
    // Exactly as long as needed: `Bytes` allocates again for a buffer with spare room.
    let mut moved = String::with_capacity(base.path().len() + slash.len() + kept.len());
    for part in [base.path(), slash, kept] {
        moved.push_str(part);
    }
    // A path that is too long for a URI under the base stays unchanged. The region
    // then refuses it, and the caller's host never gets the request.
    PathAndQuery::try_from(moved).ok()
}

/// The rest of the path of a URI that already lies under the base.
fn after_base<'a>(uri: &'a Uri, base: &BaseUrl) -> Option<&'a str> {
    if uri.scheme() != Some(&base.scheme) || uri.authority() != Some(&base.authority) {
        return None;
    }
    let kept = uri.path().strip_prefix(base.path())?;
    (kept.is_empty() || kept.starts_with('/')).then_some(kept)
}

/// The part of a path behind its version segment (`/v1`), or all of a path without
/// one.
fn after_version(path: &str) -> &str {
    let bytes = path.as_bytes();
    let mut pos = 0;
    while let Some(slash) = bytes[pos..].iter().position(|&byte| byte == b'/') {
        pos += slash + 1;
        let Some((b'v', number)) = bytes[pos..].split_first() else {
            continue;
        };
        let digits = number.iter().take_while(|byte| byte.is_ascii_digit());
        let end = pos + 1 + digits.count();
        if end > pos + 1 && matches!(bytes.get(end), None | Some(b'/')) {
            return &path[end..];
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targeted(uri: &str, region: &Region) -> String {
        let target = target(uri.parse().unwrap(), region.base_url());
        target.unwrap().to_string()
    }

    #[test]
    fn every_path_finds_its_place_under_the_base() {
        for (incoming, expected) in [
            (
                "/v1/chat/completions",
                "https://api.moonshot.ai/v1/chat/completions",
            ),
            (
                "/chat/completions",
                "https://api.moonshot.ai/v1/chat/completions",
            ),
            (
                "/openai/v1/chat/completions?a=b",
                "https://api.moonshot.ai/v1/chat/completions?a=b",
            ),
            (
                "/v2/v1/chat/completions",
                "https://api.moonshot.ai/v1/chat/completions",
            ),
            ("/v1/models?x=1", "https://api.moonshot.ai/v1/models?x=1"),
            (
                "/api/v1/files/v1/content",
                "https://api.moonshot.ai/v1/files/v1/content",
            ),
            ("/models", "https://api.moonshot.ai/v1/models"),
            ("/v1", "https://api.moonshot.ai/v1"),
            ("/v1?x", "https://api.moonshot.ai/v1?x"),
            ("/", "https://api.moonshot.ai/v1/"),
            (
                "/version/models",
                "https://api.moonshot.ai/v1/version/models",
            ),
            (
                "/%E6%9C%88?q=%20",
                "https://api.moonshot.ai/v1/%E6%9C%88?q=%20",
            ),
            (
                "http://old.example/v1/models",
                "https://api.moonshot.ai/v1/models",
            ),
            ("http://old.example", "https://api.moonshot.ai/v1/"),
            ("http://old.example?x=1", "https://api.moonshot.ai/v1?x=1"),
            (
                "http://[::1]:80/v1/models",
                "https://api.moonshot.ai/v1/models",
            ),
            (
                "//v1//chat/completions",
                "https://api.moonshot.ai/v1/chat/completions",
            ),
            (
                "/v1/chat%2Fcompletions",
                "https://api.moonshot.ai/v1/chat%2Fcompletions",
            ),
            (
                "/v1/chat/completions/",
                "https://api.moonshot.ai/v1/chat/completions/",
            ),
            ("old.example:443", "api.moonshot.ai"),
            ("*", "https://api.moonshot.ai/"),
        ] {
            assert_eq!(targeted(incoming, &Region::Global), expected);
        }
        let root = Region::custom("http://localhost:1").unwrap();
        assert_eq!(
            targeted("/v1/chat/completions", &root),
            "http://localhost:1/chat/completions"
        );
        assert_eq!(targeted("/v1", &root), "http://localhost:1/");
        assert_eq!(targeted("/v1?x", &root), "http://localhost:1/?x");
        assert_eq!(targeted("http://e?x", &root), "http://localhost:1/?x");
        let ipv6 = Region::custom("http://[::1]/v1").unwrap();
        assert_eq!(targeted("/v1/models", &ipv6), "http://[::1]/v1/models");
        let ipv6 = Region::custom("http://[::1]:8080/v1").unwrap();
        assert_eq!(targeted("/v1/models", &ipv6), "http://[::1]:8080/v1/models");
        assert_eq!(
            targeted("/v1/files/a", &Region::KimiCode),
            "https://api.kimi.ai/coding/v1/files/a"
        );
    }

    #[test]
    fn a_target_is_parsed_as_the_same_uri() {
        for region in [
            Region::Global,
            Region::custom("http://h:8080/api/v1").unwrap(),
            Region::custom("http://[::1]").unwrap(),
        ] {
            for uri in ["*", "/", "/v1/models?x=%20", "http://e?x", "e:443", "/*"] {
                let target = target(uri.parse().unwrap(), region.base_url()).unwrap();
                let parsed: Uri = target.to_string().parse().unwrap();
                assert_eq!(parsed, target, "{uri}");
                let authority = &region.base_url().authority;
                assert_eq!(parsed.authority(), Some(authority), "{uri}");
            }
        }
    }

    #[test]
    fn a_request_never_goes_to_the_host_that_its_sender_named() {
        assert_eq!(
            targeted("evil.example:443", &Region::Global),
            "api.moonshot.ai"
        );
        // Longer than a URI may be under this base.
        let long = format!("http://evil.example/{}", "a".repeat(65_500));
        let deep = Region::custom(&format!("http://h/{}", "b".repeat(100))).unwrap();
        assert!(targeted(&long, &deep).starts_with("http://h/aaa"));
    }

    #[test]
    fn a_target_is_a_fixed_point() {
        for region in [
            Region::Global,
            Region::KimiCodeChina,
            Region::custom("http://h").unwrap(),
            Region::custom("http://h/api").unwrap(),
            Region::custom("http://h/v1/proxy").unwrap(),
        ] {
            for path in [
                "/v1/chat/completions",
                "/v1/models/kimi-k3?x=1",
                "/models",
                "/v1",
                "/v1/files/v1/content",
                "http://e?x",
            ] {
                let once = targeted(path, &region);
                assert_eq!(targeted(&once, &region), once);
            }
        }
    }

    #[test]
    fn a_path_that_gets_too_long_stays_but_its_host_does_not() {
        let elsewhere = "http://e/";
        let longest = "a".repeat(usize::from(u16::MAX) - 1 - elsewhere.len());
        assert_eq!(
            targeted(&format!("{elsewhere}{longest}"), &Region::KimiCode),
            format!("https://api.kimi.ai/{longest}")
        );
    }
}
