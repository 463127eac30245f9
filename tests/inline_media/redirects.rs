//! Redirects.

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use tower::service_fn;
use tower_moonshot::inline_media::{InlineMediaLayer, MediaClient, NotInlined, NotPublic};

use crate::harness::*;

#[tokio::test]
async fn redirects_are_followed_up_to_five() {
    let origin = Origin::start(|path| match path {
        "/5" => redirect(301, "4"),
        "/4" => redirect(302, "/3?x"),
        "/3?x" => redirect(303, "//127.0.0.1:PORT/2"),
        "/2" => redirect(307, "?1"),
        "/2?1" => redirect(308, "/0#part"),
        "/6" => redirect(302, "/5"),
        "/0" => ok("image/png", PNG),
        other => redirect(302, other),
    })
    .await;
    // The port of the server is unknown before it is started.
    let port = origin.port;
    let front =
        Origin::start(move |path| redirect(302, &format!("http://127.0.0.1:{port}{path}"))).await;
    let passed = send(
        &layer(),
        chat([image(&origin.url("/4x").replace("4x", "2"))]),
    )
    .await;
    assert_eq!(passed.urls(), [PNG_URL]);
    let passed = send(&layer(), chat([image(&front.url("/2"))])).await;
    assert_eq!(passed.urls(), [PNG_URL]);

    let loops = send(&layer(), chat([image(&origin.url("/loop"))])).await;
    assert!(matches!(
        loops.outcome(),
        Err(NotInlined::TooManyRedirects { limit: 5, .. })
    ));
    let asked = origin
        .paths()
        .iter()
        .filter(|path| *path == "/loop")
        .count();
    assert_eq!(asked, 6);
}

/// An allowed host redirects to addresses that are not allowed.
#[tokio::test]
async fn every_redirect_is_checked() {
    let not_public = |address: &str| {
        let address: IpAddr = address.parse().unwrap();
        NotInlined::NotPublic(NotPublic::new(address))
    };
    let target = Origin::of_images().await;
    let port = target.port;
    for (location, why) in [
        (format!("http://127.0.0.1:{port}/"), not_public("127.0.0.1")),
        (format!("http://localhost:{port}/"), not_public("127.0.0.1")),
        (format!("http://0x7f.1:{port}/"), not_public("127.0.0.1")),
        (format!("//[::1]:{port}/"), not_public("::1")),
        (
            "http://[::ffff:10.0.0.1]/".to_owned(),
            not_public("::ffff:10.0.0.1"),
        ),
        (
            "http://169.254.169.254/latest/meta-data".to_owned(),
            not_public("169.254.169.254"),
        ),
        (
            format!("http://private.test:{port}/"),
            not_public("127.0.0.1"),
        ),
        (
            format!("http://user@origin.test:{port}/"),
            NotInlined::Credentials,
        ),
        ("file:///etc/passwd".to_owned(), NotInlined::InvalidRedirect),
        (
            "data:image/png;base64,AA==".to_owned(),
            NotInlined::InvalidRedirect,
        ),
        ("ftp://origin.test/".to_owned(), NotInlined::InvalidRedirect),
        ("http://".to_owned(), NotInlined::InvalidRedirect),
    ] {
        let origin = Origin::start({
            let location = location.clone();
            move |_| redirect(302, &location)
        })
        .await;
        let resolver =
            service_fn(async |_: String| Ok::<_, Infallible>(vec![IpAddr::from([127, 0, 0, 1])]));
        let layer = InlineMediaLayer::new()
            .with_client(MediaClient::new().with_resolver(resolver))
            .with_allowed_host("origin.test")
            .unwrap();
        let url = format!("http://origin.test:{}/", origin.port);
        let passed = send(&layer, chat([image(&url)])).await;
        assert_eq!(passed.outcome(), Err(why), "{location}");
        assert_eq!(origin.paths(), ["/"]);
    }
    assert_eq!(target.paths(), [""; 0]);
}

#[tokio::test]
async fn a_redirect_without_a_location_is_an_error() {
    let origin = Origin::start(|_| b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".into()).await;
    let passed = send(&layer(), chat([image(&origin.url("/"))])).await;
    assert_eq!(passed.outcome(), Err(NotInlined::InvalidRedirect));
}

/// With a custom client, because no public certificate authority knows this machine.
#[tokio::test]
async fn redirects_may_upgrade_to_https_but_not_downgrade() {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let client = service_fn({
        let asked = Arc::clone(&asked);
        move |request: Request<Empty<Bytes>>| {
            let url = request.uri().to_string();
            asked.lock().unwrap().push(url.clone());
            let response = Response::builder();
            let response = match &*url {
                "http://example.com/up" => response
                    .status(302)
                    .header("location", "https://example.com/a"),
                "https://example.com/down" => response
                    .status(302)
                    .header("location", "http://example.com/a"),
                _ => response,
            };
            async move { Ok::<_, Infallible>(response.body(Full::from(PNG)).unwrap()) }
        }
    });
    let layer = InlineMediaLayer::new().with_client(client);
    let passed = send(&layer, chat([image("http://example.com/up")])).await;
    assert_eq!(passed.urls(), [PNG_URL]);
    let passed = send(&layer, chat([image("https://example.com/down")])).await;
    assert_eq!(passed.outcome(), Err(NotInlined::Downgrade));
    assert_eq!(
        *asked.lock().unwrap(),
        [
            "http://example.com/up",
            "https://example.com/a",
            "https://example.com/down"
        ]
    );
}
