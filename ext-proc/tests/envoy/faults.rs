//! What clients see when a part fails: never a wrong or a truncated request upstream, and
//! an error where there is no answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Response};

use crate::{
    CLIENT_KEY, KEY,
    configuration::{buffered, example, replaced},
    envoy, in_time,
    process::{Envoy, ExtProc},
    until,
    upstream::{Answer, COMPLETION, Upstream},
};

const REQUEST: &str =
    r#"{"model":"moonshot/kimi-k3","temperature":2,"messages":[{"role":"user","content":"Hi"}]}"#;
const REWRITTEN: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;

async fn ask(client: &Client, envoy: &Envoy) -> Result<Response, reqwest::Error> {
    let request = client
        .post(envoy.url("/v1/chat/completions"))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {CLIENT_KEY}"))
        .body(REQUEST);
    in_time(request.send()).await
}

fn authorization(arrived: &crate::upstream::Arrived) -> &str {
    arrived.parts.headers["authorization"].to_str().unwrap()
}

#[tokio::test]
async fn without_a_processor_requests_fail_unless_envoy_is_told_otherwise() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let mut processor = ExtProc::start(upstream.address, &["--clear-route-cache"]).await;
    let text = example(&[processor.address], upstream.address);
    let open = [("failure_mode_allow: false", "failure_mode_allow: true")];
    let closed = Envoy::start(&program, &text).await;
    let open = Envoy::start(&program, &replaced(&text, &open)).await;
    let client = Client::new();
    for envoy in [&closed, &open] {
        assert_eq!(ask(&client, envoy).await.unwrap().status(), 200);
        let arrived = upstream.take().pop().unwrap();
        assert_eq!(arrived.body, REWRITTEN);
        assert_eq!(authorization(&arrived), format!("Bearer {KEY}"));
    }
    let port = processor.address.port();
    processor.process.kill().await;
    for envoy in [&closed, &open] {
        // Until then, requests fail in both: some of them was sent to the processor.
        envoy.has_healthy("moonshot_ext_proc", 0).await;
    }

    let status = ask(&client, &closed).await.unwrap().status();
    assert!(status.is_server_error(), "{status}");
    assert!(upstream.take().is_empty());
    assert_eq!(ask(&client, &open).await.unwrap().status(), 200);
    let arrived = upstream.take().pop().unwrap();
    assert_eq!(arrived.body, REQUEST);
    assert_eq!(authorization(&arrived), format!("Bearer {CLIENT_KEY}"));

    let _again = ExtProc::start_at(port, upstream.address, &["--clear-route-cache"]).await;
    for envoy in [&closed, &open] {
        until(async || {
            let is_served = ask(&client, envoy).await.unwrap().status() == 200;
            let arrived = upstream.take().pop();
            is_served && arrived.is_some_and(|arrived| arrived.body == REWRITTEN)
        })
        .await;
    }
}

#[tokio::test]
async fn replicas_may_be_killed_and_restarted_under_load() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let start =
        async |port| ExtProc::start_at(port, upstream.address, &["--clear-route-cache"]).await;
    let mut first = start(0).await;
    let second = start(0).await;
    let text = example(&[first.address, second.address], upstream.address);
    let envoy = Arc::new(Envoy::start(&program, &text).await);
    envoy.has_healthy("moonshot_ext_proc", 2).await;

    let stop = Arc::new(AtomicBool::new(false));
    let served = Arc::new(AtomicUsize::new(0));
    let clients = (0..8).map(|_| {
        let (envoy, stop, served) = (Arc::clone(&envoy), Arc::clone(&stop), Arc::clone(&served));
        tokio::spawn(async move {
            let client = Client::new();
            let mut failed = 0;
            while !stop.load(Ordering::Relaxed) {
                let response = ask(&client, &envoy).await.unwrap();
                if response.status() == 200 {
                    let body = response.text().await;
                    // Loud: a client that gets all of a response got a whole one.
                    match body {
                        Ok(body) => assert_eq!(body, COMPLETION),
                        Err(_) => failed += 1,
                    }
                    served.fetch_add(1, Ordering::Relaxed);
                } else {
                    assert!(response.status().is_server_error());
                    failed += 1;
                }
            }
            failed
        })
    });
    let clients: Vec<_> = clients.collect();
    let port = first.address.port();
    for _ in 0..3 {
        let more = async |count| {
            let goal = served.load(Ordering::Relaxed) + count;
            until(async || served.load(Ordering::Relaxed) >= goal).await;
        };
        more(50).await;
        first.process.kill().await;
        more(50).await;
        first = start(port).await;
        envoy.has_healthy("moonshot_ext_proc", 2).await;
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        in_time(client).await.unwrap();
    }
    // Whatever arrived is whole, and was rewritten.
    let arrived = upstream.take();
    assert!(arrived.len() >= served.load(Ordering::Relaxed));
    for arrived in arrived {
        assert_eq!(arrived.body, REWRITTEN);
        assert_eq!(authorization(&arrived), format!("Bearer {KEY}"));
    }
    // Nothing fails any more.
    for _ in 0..20 {
        assert_eq!(ask(&Client::new(), &envoy).await.unwrap().status(), 200);
    }
}

/// In the mode `BUFFERED`, `message_timeout` ends the wait. In the other, Envoy notices that
/// nothing answers its pings.
#[tokio::test]
async fn a_processor_that_hangs_is_given_up() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let processor = ExtProc::start(upstream.address, &["--clear-route-cache"]).await;
    let text = example(&[processor.address], upstream.address);
    let text = replaced(
        &text,
        &[
            ("message_timeout: 5s", "message_timeout: 0.3s"),
            (
                "{ interval: 5s, timeout: 5s }",
                "{ interval: 0.3s, timeout: 0.3s }",
            ),
        ],
    );
    let streamed = Envoy::start(&program, &text).await;
    let whole = Envoy::start(&program, &buffered(&text)).await;
    let client = Client::new();
    let is_served = async || {
        for envoy in [&streamed, &whole] {
            // Under load from other tests, 0.3 seconds may pass.
            until(async || ask(&client, envoy).await.unwrap().status() == 200).await;
        }
    };
    is_served().await;
    processor.process.signal("-STOP");
    for envoy in [&streamed, &whole] {
        let status = ask(&client, envoy).await.unwrap().status();
        assert!(status.is_server_error(), "{status}");
    }
    processor.process.signal("-CONT");
    is_served().await;
}

#[tokio::test]
async fn a_client_that_leaves_frees_everything() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    upstream.answers(Answer::Never);
    let processor = ExtProc::start(upstream.address, &["--clear-route-cache"]).await;
    let text = example(&[processor.address], upstream.address);
    let envoy = Arc::new(Envoy::start(&program, &text).await);
    let clients = (0..5).map(|_| {
        let envoy = Arc::clone(&envoy);
        tokio::spawn(async move { drop(ask(&Client::new(), &envoy).await) })
    });
    let clients: Vec<_> = clients.collect();
    until(async || upstream.open() == 5).await;
    assert_eq!(processor.metric("open_streams").await, 5.0);
    for client in clients {
        client.abort();
    }
    until(async || upstream.open() == 0).await;
    until(async || processor.metric("open_streams").await == 0.0).await;
}

#[tokio::test]
async fn an_upstream_that_resets_is_an_error_for_the_client() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    upstream.answers(Answer::Reset);
    let processor = ExtProc::start(upstream.address, &["--clear-route-cache"]).await;
    let text = example(&[processor.address], upstream.address);
    let envoy = Envoy::start(&program, &text).await;
    let response = ask(&Client::new(), &envoy).await.unwrap();
    assert_eq!(response.status(), 200);
    // The end of the body never comes.
    let body = tokio::time::timeout(Duration::from_secs(60), response.bytes());
    assert!(body.await.unwrap().is_err());
    until(async || processor.metric("open_streams").await == 0.0).await;
}
