//! Limits on size, number and time.

use std::{convert::Infallible, future::pending, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use tokio::io::AsyncWriteExt;
use tower::service_fn;
use tower_moonshot::inline_media::{InlineMediaLayer, NotInlined};

use crate::harness::*;

/// Creates an image of this many bytes.
fn png(length: usize) -> Vec<u8> {
    let mut png = PNG.to_vec();
    png.resize(length, 0);
    png
}

#[tokio::test]
async fn the_eleventh_image_is_not_fetched() {
    let origin = Origin::of_images().await;
    let url = |index: usize| origin.url(&format!("/{index}"));
    let mut images: Vec<_> = (0..11).map(|index| image(&url(index))).collect();
    // These parts need no fetch, or no further one.
    images.insert(0, image("http://10.0.0.1/"));
    images.push(image(&url(3)));
    let passed = send(&layer(), chat(images)).await;
    let outcomes: Vec<bool> = passed
        .media()
        .iter()
        .map(|media| media.outcome().is_ok())
        .collect();
    let mut expected = [true; 13];
    expected[0] = false;
    expected[11] = false;
    assert_eq!(outcomes, expected);
    assert!(matches!(
        passed.media()[11].outcome(),
        Err(NotInlined::TooMany { limit: 10, .. })
    ));
    assert_eq!(origin.paths().len(), 10);
    assert!(!origin.paths().contains(&"/10".to_owned()));

    let passed = send(&layer().with_max_items(0), chat([image(&url(0))])).await;
    assert!(matches!(
        passed.outcome(),
        Err(NotInlined::TooMany { limit: 0, .. })
    ));
}

#[tokio::test]
async fn an_image_may_be_as_large_as_the_limit() {
    let origin = Origin::start(|path| {
        let length = path[2..].parse().unwrap();
        let png = png(length);
        match &path[..2] {
            "/l" => ok("image/png", &png),
            // No length: the body ends with the connection.
            _ => [b"HTTP/1.1 200 OK\r\n\r\n", &png[..]].concat(),
        }
    })
    .await;
    let layer = layer().with_max_bytes(1000);
    for way in ["/l", "/c"] {
        for (length, fits) in [(999, true), (1000, true), (1001, false), (100_000, false)] {
            let url = origin.url(&format!("{way}{length}"));
            let passed = send(&layer, chat([image(&url)])).await;
            match passed.outcome() {
                Ok(inlined) => assert!(fits && inlined.bytes() == length),
                Err(why) => {
                    assert!(!fits);
                    assert!(matches!(why, NotInlined::TooLarge { limit: 1000, .. }));
                }
            }
        }
    }
}

#[tokio::test]
async fn content_with_an_announced_length_over_the_limit_is_not_read() {
    let origin = Origin::serve(async |_, mut stream| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n";
        stream.write_all(head).await?;
        pending().await
    })
    .await;
    let passed = send(
        &layer().with_max_bytes(1000),
        chat([image(&origin.url("/"))]),
    )
    .await;
    assert!(matches!(
        passed.outcome(),
        Err(NotInlined::TooLarge { limit: 1000, .. })
    ));
}

/// Only the limit ends these responses.
#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let chunked =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n\x89PNG\r\n\x1a\n\r\n";
    let plain = b"HTTP/1.1 200 OK\r\n\r\n\x89PNG\r\n\x1a\n";
    // A false length that is over the limit.
    let lie = b"HTTP/1.1 200 OK\r\ncontent-length: 1000001\r\n\r\n\x89PNG\r\n\x1a\n";
    for head in [&chunked[..], plain, lie] {
        let origin = Origin::serve(move |_, mut stream| async move {
            stream.write_all(head).await?;
            let chunk = [b"1000\r\n", &[b'a'; 0x1000][..], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk).await?;
            }
        })
        .await;
        let layer = layer()
            .with_max_bytes(1_000_000)
            .with_timeout(Duration::from_secs(3600));
        let passed = send(&layer, chat([image(&origin.url("/"))])).await;
        assert!(matches!(
            passed.outcome(),
            Err(NotInlined::TooLarge {
                limit: 1_000_000,
                ..
            })
        ));
    }
}

/// The order of the responses does not matter.
#[tokio::test]
async fn over_the_total_limit_the_first_images_are_inlined() {
    let origin = Origin::start(|path| {
        let length = path.rsplit('/').next().unwrap().parse().unwrap();
        ok("image/png", &png(length))
    })
    .await;
    let layer = layer().with_max_total_bytes(1000);
    for (lengths, fit) in [
        (&[400, 600][..], 2),
        (&[400, 601], 1),
        (&[1001], 0),
        (&[400, 601, 100, 100], 1),
        (&[100, 200, 300, 400, 500], 4),
    ] {
        let images = lengths
            .iter()
            .enumerate()
            .map(|(index, length)| image(&origin.url(&format!("/{index}/{length}"))));
        let passed = send(&layer, chat(images)).await;
        for (index, media) in passed.media().iter().enumerate() {
            let as_expected = match media.outcome() {
                Ok(_) => index < fit,
                Err(NotInlined::TotalTooLarge { limit: 1000, .. }) => index >= fit,
                Err(_) => false,
            };
            assert!(as_expected, "{lengths:?} {index}");
        }
    }
    // Inlining must not exceed the limit of the whole body.
    let body = chat([image(&origin.url("/300")), image(&origin.url("/301"))]);
    let limit = body.len() + 500;
    let passed = send(&layer.clone().with_max_body_bytes(limit), body).await;
    assert!(passed.media()[0].outcome().is_ok());
    assert!(matches!(
        passed.media()[1].outcome(),
        Err(NotInlined::TotalTooLarge { .. })
    ));
    assert!(passed.body.len() <= limit);
}

/// It is fetched once, and counted once. The new body has it twice, which counts there.
#[tokio::test]
async fn an_image_in_several_parts_is_counted_once() {
    let origin = Origin::start(|path| {
        let length = path[1..].split('#').next().unwrap().parse().unwrap();
        ok("image/png", &png(length))
    })
    .await;
    let layer = layer().with_max_total_bytes(1000).with_max_items(1);
    let url = origin.url("/1000");
    let body = chat([
        image(&url),
        image(&format!("{url}#a")),
        image(&format!("{url}#b")),
    ]);
    let passed = send(&layer, body.clone()).await;
    assert!(passed.media().iter().all(|media| media.outcome().is_ok()));
    assert_eq!(origin.paths().len(), 1);
    // Room for two in the new body is not enough for three.
    let copy = 1000usize.div_ceil(3) * 4 + "\"data:image/png;base64,\"".len();
    let limit = body.len() + 2 * copy;
    let passed = send(&layer.with_max_body_bytes(limit), body.clone()).await;
    assert!(
        passed
            .media()
            .iter()
            .all(|media| matches!(media.outcome(), Err(NotInlined::TotalTooLarge { .. })))
    );
    assert_eq!(passed.body, body);
}

/// The layer does not wait for fetches that were given up.
#[tokio::test]
async fn a_fetch_given_up_for_its_size_takes_no_more_time() {
    let origin = Origin::serve(async |path, mut stream| {
        if path == "/whole" {
            return stream.write_all(&ok("image/png", &png(600))).await;
        }
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 700\r\n\r\n";
        stream.write_all(head).await?;
        stream.write_all(&png(500)).await?;
        pending().await
    })
    .await;
    let layer = layer()
        .with_max_total_bytes(1000)
        .with_timeout(Duration::from_secs(3600));
    let images = [image(&origin.url("/whole")), image(&origin.url("/part"))];
    let passed = send(&layer, chat(images)).await;
    assert!(passed.media()[0].outcome().is_ok());
    assert!(matches!(
        passed.media()[1].outcome(),
        Err(NotInlined::TotalTooLarge { limit: 1000, .. })
    ));
}

#[tokio::test]
async fn the_time_limit_covers_all_fetches() {
    let limit = Duration::from_millis(100);
    // One server never answers, one sends a byte at a time without end, and one redirects
    // slowly to itself without end.
    let origin = Origin::serve(|path, mut stream| async move {
        match &*path {
            "/silent" => pending().await,
            "/drip" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                loop {
                    stream.write_all(b"x").await?;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            _ => {
                tokio::time::sleep(Duration::from_millis(60)).await;
                stream.write_all(&redirect(302, "/")).await
            }
        }
    })
    .await;
    let layer = layer().with_timeout(limit);
    for path in ["/silent", "/drip", "/"] {
        let passed = send(&layer, chat([image(&origin.url(path))])).await;
        let Err(NotInlined::Timeout { limit: told, .. }) = passed.outcome() else {
            panic!("{path}: {:?}", passed.outcome());
        };
        assert_eq!(told, limit, "{path}");
    }
    // The client has no timeout of its own. What was fetched in time is inlined.
    let client = service_fn(async |request: Request<Empty<Bytes>>| {
        if request.uri().path() == "/never" {
            pending::<()>().await;
        }
        Ok::<_, Infallible>(Response::new(Full::from(PNG)))
    });
    let layer = InlineMediaLayer::new()
        .with_client(client)
        .with_timeout(limit);
    let never = "https://example.com/never";
    let passed = send(&layer, chat([image(never), image("https://example.com/")])).await;
    assert_eq!(passed.urls(), [never, PNG_URL]);
}
