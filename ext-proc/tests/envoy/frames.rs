//! Bodies that are cut at every byte arrive as if they were sent at once.

use axum::body::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::{Body, Client};

use crate::{
    CLIENT_KEY,
    configuration::example,
    envoy, in_time,
    process::{Envoy, ExtProc, directory},
    upstream::{Answer, Upstream},
};

const REQUEST: &str = concat!(
    r#"{"model":"moonshot/kimi-k3","temperature":2,"stream":true,"stream_options":{"include_usage":true},"messages":"#,
    r#"[{"role":"developer","content":"月之暗面"},{"role":"user","content":[{"type":"text","text":"a\u00e9"}]}]}"#,
);

/// What arrives of it.
const REWRITTEN: &str = concat!(
    r#"{"model":"kimi-k3","stream":true,"stream_options":{"include_usage":true},"messages":"#,
    r#"[{"role":"system","content":"月之暗面"},{"role":"user","content":"a\u00e9"}]}"#,
);

/// Moonshot puts the usage into the last choice, where OpenAI's clients don't look.
const EVENTS: &str = concat!(
    "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"kimi-k3\",",
    "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"月\"},\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"kimi-k3\",",
    "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":19,",
    "\"completion_tokens\":21,\"total_tokens\":40}}]}\n\n",
    "data: [DONE]\n\n",
);

/// Cuts a text in two.
fn cut(text: &'static str, at: usize) -> Vec<Bytes> {
    let (first, second) = text.as_bytes().split_at(at);
    vec![Bytes::from_static(first), Bytes::from_static(second)]
}

async fn ask(client: &Client, envoy: &Envoy, pieces: Vec<Bytes>) -> String {
    // A pause, so that Envoy mostly reads each piece on its own.
    let pieces = stream::iter(pieces).then(async |piece| {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Ok::<_, std::io::Error>(piece)
    });
    let request = client
        .post(envoy.url("/v1/chat/completions"))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {CLIENT_KEY}"))
        .body(Body::wrap_stream(pieces));
    let response = in_time(request.send()).await.unwrap();
    assert_eq!(response.status(), 200);
    in_time(response.text()).await.unwrap()
}

#[tokio::test]
async fn requests_and_responses_may_be_cut_anywhere() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    // With a file, the model of each request is read first.
    let file = directory().join("config.yaml");
    let text = "model_list: [{model_name: moonshot/*, litellm_params: {model: moonshot/*}}]";
    std::fs::write(&file, text).unwrap();
    let arguments = ["--clear-route-cache", "--config", file.to_str().unwrap()];
    let processor = ExtProc::start(upstream.address, &arguments).await;
    let text = example(&[processor.address], upstream.address);
    let envoy = Envoy::start(&program, &text).await;
    let client = Client::new();

    upstream.answers(Answer::Stream(vec![EVENTS.into()]));
    let whole = ask(&client, &envoy, vec![REQUEST.into()]).await;
    assert_ne!(whole, EVENTS, "nothing was repaired");
    assert!(whole.contains("\"usage\""), "{whole}");
    upstream.take();
    for at in 0..EVENTS.len().max(REQUEST.len()) {
        upstream.answers(Answer::Stream(cut(EVENTS, at.min(EVENTS.len()))));
        let answer = ask(&client, &envoy, cut(REQUEST, at.min(REQUEST.len()))).await;
        let arrived = upstream.take().pop().unwrap();
        assert_eq!(arrived.body, REWRITTEN, "cut at {at}");
        assert_eq!(answer, whole, "cut at {at}");
    }
}
