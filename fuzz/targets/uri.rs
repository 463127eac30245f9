//! Base URLs, and where requests are sent under them.
//!
//! An input consists of a byte of settings, a base URL, a newline and the URI of a request.
#![no_main]
#![allow(clippy::unwrap_used, reason = "what cannot go on has failed")]

use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};

use http::{
    HeaderMap, Request, Response, Uri, Version,
    header::{AUTHORIZATION, HOST},
};
use libfuzzer_sys::fuzz_target;
use tower::{Layer, Service};
use tower_moonshot::{ApiKey, MoonshotCompatLayer, Region, RequestBody};
use tower_moonshot_fuzz::body::Script;

/// Returns what it receives.
#[derive(Clone)]
struct Upstream;

impl Service<Request<RequestBody<Script>>> for Upstream {
    type Response = Response<(Uri, HeaderMap, Version)>;
    type Error = u8;
    type Future = Ready<Result<Self::Response, u8>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), u8>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody<Script>>) -> Self::Future {
        let (head, _) = request.into_parts();
        ready(Ok(Response::new((head.uri, head.headers, head.version))))
    }
}

fuzz_target!(|data: &[u8]| {
    let [settings, text @ ..] = data else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let (base, uri) = text
        .split_once('\n')
        .unwrap_or((text, "/v1/chat/completions"));
    let region: Region = match base.parse() {
        Ok(region) => region,
        Err(error) => {
            // What is before an @ may be a password. It is never shown.
            let shown = base.rsplit('@').next().unwrap();
            if let tower_moonshot::ConfigError::BaseUrl { given, .. } = error {
                assert_eq!(given, shown);
            }
            return;
        }
    };
    let shown = region.base_url().to_string();
    assert_eq!(
        shown.parse::<Region>().as_ref(),
        Ok(&region),
        "{base} is shown as {shown}"
    );
    assert_eq!(region.to_string().parse::<Region>().as_ref(), Ok(&region));
    assert!(shown.starts_with("http://") || shown.starts_with("https://"));
    let authority = shown.split('/').nth(2).unwrap();
    assert!(!authority.is_empty() && !authority.contains('@'), "{shown}");
    assert!(
        !shown.ends_with('/') && !shown.contains(['?', '#']),
        "{shown}"
    );

    let Ok(uri) = uri.parse::<Uri>() else {
        return;
    };
    // With another region in the extensions, the layer's key stays here.
    let is_chosen = settings & 1 == 1;
    let of_layer = if is_chosen {
        Region::KimiCode
    } else {
        region.clone()
    };
    let is_other = is_chosen && region != Region::KimiCode;
    let mut service = MoonshotCompatLayer::new()
        .with_region(of_layer)
        .with_api_key(ApiKey::new("sk-layer").unwrap())
        .layer(Upstream);
    let mut send = |uri: &Uri| {
        let mut request = Request::get(uri.clone())
            .version(Version::HTTP_11)
            .header(HOST, "evil.example")
            .header(AUTHORIZATION, "Bearer sk-caller");
        if is_chosen {
            request = request.extension(region.clone());
        }
        let mut response = service.call(request.body(Script::default()).unwrap());
        let response =
            tower_moonshot_fuzz::body::poll(|cx| std::pin::Pin::new(&mut response).poll(cx));
        response.unwrap().into_body()
    };
    let (sent, headers, version) = send(&uri);
    assert_eq!(headers.get(HOST), None);
    assert_eq!(version, Version::default());
    let key = if is_other {
        "Bearer sk-caller"
    } else {
        "Bearer sk-layer"
    };
    assert_eq!(headers[AUTHORIZATION], key);
    assert_eq!(
        sent.to_string(),
        expected(&uri, &shown),
        "{uri} under {shown}"
    );
    // Under a base that ends so, `/completions` looks like a chat. `*` has become the root,
    // which is under no base.
    if shown.ends_with("/chat") || uri.path() == "*" {
        return;
    }
    assert_eq!(send(&sent).0, sent, "{uri} under {shown} is no fixed point");
});

/// Where a request is sent, slowly: whole segments of the path are looked at.
fn expected(uri: &Uri, base: &str) -> String {
    let (scheme, rest) = base.split_once("://").unwrap();
    // Only shown where another one is before it.
    let rest = rest.strip_suffix("/chat/completions").unwrap_or(rest);
    let (authority, base_path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let Some(given) = uri.path_and_query() else {
        return authority.to_owned();
    };
    let (path, query) = match given.as_str().split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (given.as_str(), String::new()),
    };
    if !path.is_empty() && !path.starts_with('/') {
        return format!("{scheme}://{authority}/");
    }
    let is_here = uri.scheme_str() == Some(scheme)
        && uri
            .authority()
            .is_some_and(|own| own.as_str().eq_ignore_ascii_case(authority));
    let under = path
        .strip_prefix(base_path)
        .filter(|rest| is_here && (rest.is_empty() || rest.starts_with('/')));
    let kept = if path.ends_with("/chat/completions") {
        "/chat/completions".to_owned()
    } else if let Some(rest) = under {
        rest.to_owned()
    } else {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let is_version = |segment: &&str| {
            let number = segment.strip_prefix('v').unwrap_or_default();
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        };
        match segments.iter().position(is_version) {
            Some(at) => segments[at + 1..]
                .iter()
                .map(|segment| format!("/{segment}"))
                .collect(),
            None => path.to_owned(),
        }
    };
    let moved = format!("{base_path}{kept}");
    let moved = if moved.is_empty() {
        "/".to_owned()
    } else {
        moved
    };
    format!("{scheme}://{authority}{moved}{query}")
}
