//! Hop-by-hop headers.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName,
        header::{CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE},
    },
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// Removes the headers that a proxy must not forward (RFC 9110, 7.6.1): the known ones
/// and those that `Connection` names.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let proxy: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("proxy-"))
        .cloned()
        .collect();
    let known = [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    for name in named.iter().chain(&proxy).chain(&known) {
        headers.remove(name);
    }
    headers.remove(KEEP_ALIVE);
}

/// Removes the hop-by-hop headers of a request.
pub(crate) fn of_request(mut request: Request) -> Request {
    remove_hop_by_hop(request.headers_mut());
    request
}
