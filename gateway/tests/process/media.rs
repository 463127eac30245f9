//! Images given by URL.

use axum::{Router, routing::get};
use tower_moonshot::emulator::Emulator;

use crate::harness::{OK, Setup, chat, emulated, saying, serve};

/// The signature of a PNG file.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n";

async fn picture() -> String {
    let picture = get(|| async { ([("content-type", "image/png")], PICTURE) });
    format!(
        "http://{}/moon.png",
        serve(Router::new().route("/moon.png", picture)).await
    )
}

fn what_is(url: &str) -> String {
    chat(&format!(
        r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":[
            {{"type":"image_url","image_url":{{"url":"{url}"}}}},{{"type":"text","text":"?"}}]}}]}}"#
    ))
}

#[tokio::test]
async fn with_inline_media_a_picture_is_fetched_and_sent_inline() {
    let moonshot = emulated(Emulator::new()).await;
    let gateway = Setup::to(moonshot)
        .arguments(["--inline-media", "--media-network", "127.0.0.0/8"])
        .start()
        .await;
    let answer = gateway.send(what_is(&picture().await)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    gateway.says("media_inlined=1 media_left=0").await;
}

#[tokio::test]
async fn without_inline_media_a_url_is_left_to_moonshot() {
    let moonshot = emulated(Emulator::new()).await;
    let gateway = Setup::to(moonshot).start().await;
    let answer = gateway.send(what_is(&picture().await)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.message().contains("unsupported image url"));
}

#[tokio::test]
async fn a_picture_in_a_private_network_is_not_fetched() {
    let moonshot = emulated(Emulator::new()).await;
    let gateway = Setup::to(moonshot)
        .arguments(["--inline-media"])
        .start()
        .await;
    let url = picture().await;
    let answer = gateway.send(what_is(&url)).await;
    assert_eq!(answer.status, 400);
    gateway.says("media_inlined=0 media_left=1").await;
}

/// A proxy would resolve names itself, which bypasses the check of addresses.
#[tokio::test]
async fn proxies_in_the_environment_are_not_used() {
    let mut proxy = saying(OK).await;
    let moonshot = emulated(Emulator::new()).await;
    let mut setup =
        Setup::to(moonshot).arguments(["--inline-media", "--media-network", "127.0.0.0/8"]);
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        setup = setup.variable(name, format!("http://{}", proxy.address));
    }
    let gateway = setup.start().await;
    let answer = gateway.send(what_is(&picture().await)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    gateway.says("media_inlined=1 media_left=0").await;
    assert!(proxy.was_asked_nothing());
}

#[tokio::test]
async fn an_invalid_network_is_an_error_that_names_it() {
    let moonshot = emulated(Emulator::new()).await;
    let arguments = ["--inline-media", "--media-network", "10.0.0.0/99"];
    let (started, output) = Setup::to(moonshot).arguments(arguments).run().await;
    assert!(!started);
    assert!(
        output.contains("--media-network: \"10.0.0.0/99\""),
        "{output}"
    );
}
