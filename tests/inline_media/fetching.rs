//! How URLs are fetched.

use std::{
    convert::Infallible,
    rc::Rc,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{Empty, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::{Barrier, mpsc},
};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_moonshot::{
    RequestBody,
    inline_media::{Destinations, InlineMediaLayer, MediaClient, NotInlined},
};

use crate::harness::*;

#[tokio::test]
async fn fetches_contain_nothing_from_the_callers_request() {
    let origin = Origin::of_images().await;
    let url = origin.url("/a%20b?x=%C3%A9&y=é#part");
    let passed = send(&layer(), chat([image(&url)])).await;
    assert_eq!(passed.urls(), [PNG_URL]);
    let heads = origin.heads();
    let [head] = &heads[..] else { panic!() };
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").collect();
    lines.sort_unstable();
    let agent = format!("user-agent: tower-moonshot/{}", env!("CARGO_PKG_VERSION"));
    let host = format!("host: 127.0.0.1:{}", origin.port);
    assert_eq!(
        lines,
        [
            "GET /a%20b?x=%C3%A9&y=%C3%A9 HTTP/1.1",
            "accept-encoding: identity",
            "accept: image/png, image/jpeg, image/webp, image/gif",
            &host,
            &agent,
        ]
    );
}

#[tokio::test]
async fn fetches_have_a_user_agent() {
    let origin = Origin::of_images().await;
    let agent = HeaderValue::from_static("moon-gazer/1.0 (ops@example.com)");
    let layer = layer().with_user_agent(agent);
    send(&layer, chat([image(&origin.url("/a"))])).await;
    let heads = origin.heads();
    assert!(heads[0].contains("\r\nuser-agent: moon-gazer/1.0 (ops@example.com)\r\n"));
}

#[tokio::test]
async fn the_same_url_is_fetched_once() {
    let origin = Origin::of_images().await;
    let (a, b) = (origin.url("/a"), origin.url("/b"));
    let same = a.replace("http", "HTTP") + "#part";
    let passed = send(
        &layer(),
        chat([image(&a), image(&b), image(&same), image(&a)]),
    )
    .await;
    assert_eq!(passed.urls(), [PNG_URL; 4]);
    assert_eq!(passed.media().len(), 4);
    let mut paths = origin.paths();
    paths.sort_unstable();
    assert_eq!(paths, ["/a", "/b"]);
}

#[tokio::test]
async fn urls_are_fetched_concurrently() {
    // No request is answered before all have arrived.
    let all = Arc::new(Barrier::new(3));
    let origin = Origin::serve(move |_, mut stream| {
        let all = Arc::clone(&all);
        async move {
            all.wait().await;
            stream.write_all(&ok("image/png", PNG)).await
        }
    })
    .await;
    let images = ["/a", "/b", "/c"].map(|path| image(&origin.url(path)));
    let passed = send(&layer(), chat(images)).await;
    assert_eq!(passed.urls(), [PNG_URL; 3]);
}

#[tokio::test]
async fn a_failed_fetch_does_not_affect_the_others() {
    let origin = Origin::start(|path| match path {
        "/bad" => b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n".to_vec(),
        _ => ok("image/png", PNG),
    })
    .await;
    let bad = origin.url("/bad");
    let passed = send(
        &layer(),
        chat([
            image(&origin.url("/a")),
            image(&bad),
            image(&origin.url("/b")),
        ]),
    )
    .await;
    assert_eq!(passed.urls(), [PNG_URL, &bad, PNG_URL]);
    let report = passed.report.as_ref().unwrap().to_string();
    assert!(
        report.contains(
            "; not inlined at /messages/0/content/1/image_url/url: the server answered 404 Not Found; "
        ),
        "{report}"
    );
    // The report contains no URLs, because they may be secrets.
    assert!(!report.contains("/bad"));
}

#[tokio::test]
async fn dropping_the_response_future_cancels_its_fetches() {
    let (gone, mut was_gone) = mpsc::unbounded_channel();
    let origin = Origin::serve(move |_, mut stream| {
        let gone = gone.clone();
        async move {
            gone.send(false).unwrap();
            // Returns when the client disconnects.
            let read = stream.read(&mut [0]).await;
            gone.send(matches!(read, Ok(0) | Err(_))).unwrap();
            Ok(())
        }
    })
    .await;
    let inner = service_fn(async |_: Request<RequestBody<Full<Bytes>>>| {
        panic!("called");
        #[expect(unreachable_code, reason = "sets the type of the response")]
        Ok::<_, Infallible>(Response::new(()))
    });
    let request = Request::post("/v1/chat/completions")
        .body(Full::from(chat([image(&origin.url("/a"))])))
        .unwrap();
    let future = tokio::spawn(layer().layer(inner).oneshot(request));
    assert_eq!(in_time(was_gone.recv()).await, Some(false));
    future.abort();
    assert_eq!(in_time(was_gone.recv()).await, Some(true));
}

#[tokio::test]
async fn an_incomplete_response_is_not_inlined() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 99\r\n\r\n\x89PNG\r\n\x1a\n"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n\x89PNG\r\n\x1a\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n\x89PNG\r\n\x1a\n",
        b"nonsense",
        b"",
    ] {
        let origin = Origin::start(|_| answer.to_vec()).await;
        let body = chat([image(&origin.url("/a"))]);
        let passed = send(&layer(), body.clone()).await;
        assert_eq!(passed.body, body);
        let Err(NotInlined::Client(words)) = passed.outcome() else {
            panic!("{:?}", passed.outcome());
        };
        assert!(!words.contains("/a"), "{words}");
    }
}

#[tokio::test]
async fn connection_errors_are_reported() {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let https = format!("https://{}/", plain.local_addr().unwrap());
    let plain = tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        // The connection starts with a TLS handshake, not with plain text.
        let mut hello = [0; 3];
        stream.read_exact(&mut hello).await.unwrap();
        assert_eq!(hello, [22, 3, 1]);
        stream.write_all(&ok("image/png", PNG)).await.unwrap();
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    for url in [https, nobody] {
        let passed = send(&layer(), chat([image(&url)])).await;
        assert!(
            matches!(passed.outcome(), Err(NotInlined::Client(_))),
            "{url}"
        );
    }
    in_time(plain).await.unwrap();
}

#[tokio::test]
async fn invalid_urls_and_urls_with_credentials_are_not_fetched() {
    let origin = Origin::of_images().await;
    let at = |user: &str| origin.url("/").replace("//", &format!("//{user}@"));
    for (url, why) in [
        ("http://".to_owned(), NotInlined::InvalidUrl),
        ("https://[::1/".to_owned(), NotInlined::InvalidUrl),
        ("http://127.0.0.1:99999/".to_owned(), NotInlined::InvalidUrl),
        (at("user:password"), NotInlined::Credentials),
        (at("user"), NotInlined::Credentials),
        (at(":password"), NotInlined::Credentials),
    ] {
        let passed = send(&layer(), chat([image(&url)])).await;
        assert_eq!(passed.outcome(), Err(why), "{url}");
    }
    assert_eq!(origin.paths(), [""; 0]);
}

#[tokio::test]
async fn a_custom_client_receives_the_requests() {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let client = service_fn({
        let asked = Arc::clone(&asked);
        move |request: Request<Empty<Bytes>>| {
            assert!(request.extensions().get::<Destinations>().is_some());
            asked.lock().unwrap().push(request.uri().to_string());
            async { Ok::<_, Infallible>(Response::new(Full::from(PNG))) }
        }
    });
    let layer = InlineMediaLayer::new().with_client(client);
    let passed = send(&layer, chat([image("https://example.com/a?b#c")])).await;
    assert_eq!(passed.urls(), [PNG_URL]);
    assert_eq!(*asked.lock().unwrap(), ["https://example.com/a?b"]);
}

/// A custom client without any check of addresses. The test only checks that it works.
#[tokio::test]
async fn hyper_utils_client_works_as_the_client() {
    let origin = Origin::of_images().await;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let passed = send(
        &layer().with_client(client),
        chat([image(&origin.url("/a"))]),
    )
    .await;
    assert_eq!(passed.urls(), [PNG_URL]);
}

/// A redirect calls the client a second time.
#[tokio::test]
async fn the_client_is_polled_ready_before_each_call() {
    let origin = Origin::start(|path| match path.strip_prefix("/to") {
        Some(path) => redirect(302, path),
        None => ok("image/png", PNG),
    })
    .await;
    let client = ServiceBuilder::new()
        .concurrency_limit(1)
        .service(MediaClient::new());
    let images = ["/to/a", "/b", "/to/c"].map(|path| image(&origin.url(path)));
    let passed = send(&layer().with_client(client), chat(images)).await;
    assert_eq!(passed.urls(), [PNG_URL; 3]);
}

/// A client that is not `Send` makes a future that is not `Send` but works.
#[tokio::test]
async fn a_client_need_not_be_send() {
    let picture = Rc::new(PNG);
    let client = service_fn(move |_: Request<Empty<Bytes>>| {
        let picture = Rc::clone(&picture);
        async move { Ok::<_, Infallible>(Response::new(Full::from(*picture))) }
    });
    let layer = InlineMediaLayer::new().with_client(client);
    let passed = send(&layer, chat([image("https://example.com/")])).await;
    assert_eq!(passed.urls(), [PNG_URL]);
}
