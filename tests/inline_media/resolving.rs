//! Names, and the addresses that they resolve to.

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use tower::{Service, ServiceExt, service_fn};
use tower_moonshot::inline_media::{InlineMediaLayer, MediaClient, NotInlined, NotPublic};

use crate::harness::*;

type Addresses = Vec<IpAddr>;

/// Creates a client whose resolver returns these answers in turn. Also returns the number
/// of queries.
fn resolving(answers: &[&[&str]]) -> (MediaClient, Arc<AtomicUsize>) {
    let parse = |answer: &&[&str]| -> Addresses {
        answer
            .iter()
            .map(|address| address.parse().unwrap())
            .collect()
    };
    let answers: Vec<Addresses> = answers.iter().map(parse).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let resolver = service_fn({
        let asked = Arc::clone(&asked);
        move |name: String| {
            assert_eq!(name, "images.test");
            let turn = asked.fetch_add(1, Ordering::Relaxed);
            let answer = answers[turn.min(answers.len() - 1)].clone();
            async move { Ok::<_, Infallible>(answer) }
        }
    });
    (MediaClient::new().with_resolver(resolver), asked)
}

#[tokio::test]
async fn a_name_that_resolves_to_no_public_address_is_not_connected_to() {
    let origin = Origin::of_images().await;
    for addresses in [
        &["127.0.0.1"][..],
        &["::ffff:127.0.0.1"],
        &["10.0.0.1", "169.254.169.254"],
        &["fd00::1"],
    ] {
        let (client, _) = resolving(&[addresses]);
        let layer = InlineMediaLayer::new().with_client(client);
        let url = format!("http://images.test:{}/", origin.port);
        let passed = send(&layer, chat([image(&url)])).await;
        let first = NotPublic::new(addresses[0].parse().unwrap());
        assert_eq!(passed.outcome(), Err(NotInlined::NotPublic(first)));
        assert_eq!(passed.urls(), [url]);
    }
    assert_eq!(origin.paths(), [""; 0]);
}

/// The name is resolved once, and the connection is made to the checked address.
#[tokio::test]
async fn a_name_is_not_resolved_a_second_time() {
    let here = Origin::of_images().await;
    let address = format!("127.0.0.2:{}", here.port);
    let there = Origin::serve_at(&address, async |_, _| Ok(())).await;
    let (client, asked) = resolving(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let layer = InlineMediaLayer::new()
        .with_client(client)
        .with_allowed_network("127.0.0.1")
        .unwrap();
    let url = format!("http://images.test:{}/", here.port);
    let passed = send(&layer, chat([image(&url)])).await;
    assert_eq!(passed.urls(), [PNG_URL]);
    assert_eq!(asked.load(Ordering::Relaxed), 1);

    // The next request resolves and checks the name again, and reuses no connection.
    let passed = send(&layer, chat([image(&url)])).await;
    let second = NotPublic::new([127, 0, 0, 2].into());
    assert_eq!(passed.outcome(), Err(NotInlined::NotPublic(second)));
    assert_eq!(there.paths(), [""; 0]);
}

#[tokio::test]
async fn only_permitted_addresses_of_a_name_are_tried() {
    let here = Origin::of_images().await;
    let address = format!("127.0.0.2:{}", here.port);
    let there = Origin::serve_at(&address, async |_, _| Ok(())).await;
    let (client, _) = resolving(&[&["127.0.0.2", "127.0.0.1"]]);
    let layer = InlineMediaLayer::new()
        .with_client(client)
        .with_allowed_network("127.0.0.1/32")
        .unwrap();
    let url = format!("http://images.test:{}/", here.port);
    let passed = send(&layer, chat([image(&url)])).await;
    assert_eq!(passed.urls(), [PNG_URL]);
    assert_eq!(there.paths(), [""; 0]);
}

#[tokio::test]
async fn an_allowed_host_may_have_any_address() {
    let origin = Origin::of_images().await;
    let url = format!("http://Images.TEST.:{}/", origin.port);
    let resolver = service_fn(async |_: String| Ok::<_, Infallible>(vec![[127, 0, 0, 1].into()]));
    let client = || MediaClient::new().with_resolver(resolver);
    let layer = |host: &str| {
        InlineMediaLayer::new()
            .with_client(client())
            .with_allowed_host(host)
            .unwrap()
    };
    let passed = send(&layer("images.test"), chat([image(&url)])).await;
    assert_eq!(passed.urls(), [PNG_URL]);
    let passed = send(&layer("test"), chat([image(&url)])).await;
    assert!(matches!(passed.outcome(), Err(NotInlined::NotPublic(_))));
    // With the default resolver.
    let localhost = InlineMediaLayer::new()
        .with_allowed_host("localhost")
        .unwrap();
    let url = format!("http://localhost:{}/", origin.port);
    let passed = send(&localhost, chat([image(&url)])).await;
    assert_eq!(passed.urls(), [PNG_URL]);
}

#[tokio::test]
async fn the_client_alone_connects_to_public_addresses_only() {
    let origin = Origin::of_images().await;
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0x7f.1",
    ] {
        let request = Request::get(format!("http://{host}:{}/", origin.port))
            .body(Empty::<Bytes>::new())
            .unwrap();
        let mut client = MediaClient::new();
        let error = in_time(client.ready().await.unwrap().call(request))
            .await
            .unwrap_err();
        let chain = std::iter::successors(
            Some(&*error as &(dyn std::error::Error + 'static)),
            |error| error.source(),
        );
        let refused: Vec<_> = chain
            .filter_map(|error| error.downcast_ref::<NotPublic>())
            .collect();
        assert_eq!(refused.len(), 1, "{host}: {error:?}");
    }
    assert_eq!(origin.paths(), [""; 0]);
}
