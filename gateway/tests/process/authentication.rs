//! The master key, and the keys that upstreams get.

use crate::harness::{KEY, OK, Setup, get, post, saying};

const BODY: &str = r#"{"model":"kimi-k3","messages":[]}"#;

fn with(headers: &str) -> String {
    post("/v1/chat/completions", headers, BODY)
}

fn guarded(upstream: std::net::SocketAddr) -> Setup {
    Setup::config(&format!(
        "model_list:
  - model_name: kimi-k3
    litellm_params: {{model: moonshot/kimi-k3, api_key: $KEY, api_base: 'http://{upstream}/v1'}}
general_settings: {{master_key: sk-open-sesame}}
"
    ))
}

#[tokio::test]
async fn only_the_master_key_is_accepted() {
    let mut upstream = saying(OK).await;
    let gateway = guarded(upstream.address).start().await;
    for refused in [
        "",
        "authorization: Bearer sk-open-says-me\r\n",
        "authorization: Bearer sk-open-sesam\r\n",
        "authorization: Bearer sk-open-sesame2\r\n",
        "authorization: Bearer \r\n",
        "authorization: Bearer\r\n",
        "authorization: sk-open-sesame\r\n",
        "authorization: Basic sk-open-sesame\r\n",
    ] {
        let answer = gateway.send(with(refused)).await;
        assert_eq!(answer.status, 401, "{refused}");
        assert_eq!(answer.error()["code"], "invalid_api_key");
        assert_eq!(answer.header("www-authenticate"), Some("bearer"));
        assert!(!answer.body.contains("sesam"), "{}", answer.body);
    }
    assert!(upstream.was_asked_nothing());

    for accepted in ["Bearer sk-open-sesame", "bearer  sk-open-sesame"] {
        let answer = gateway
            .send(with(&format!("authorization: {accepted}\r\n")))
            .await;
        assert_eq!(answer.status, 200, "{accepted}");
        let request = upstream.asked().await;
        assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")));
        assert!(!request.contains("sesame"), "{request}");
    }
    let log = gateway.output();
    assert!(!log.contains("sesam") && !log.contains("says-me"), "{log}");
}

#[tokio::test]
async fn every_endpoint_but_health_and_metrics_requires_the_key() {
    let mut upstream = saying(OK).await;
    let gateway = guarded(upstream.address).start().await;
    for path in [
        "/v1/models",
        "/models",
        "/v1/models/kimi-k3",
        "/v1/files",
        "/v1/users/me/balance",
    ] {
        assert_eq!(gateway.send(get(path)).await.status, 401, "{path}");
    }
    for path in ["/health/liveliness", "/health/readiness", "/metrics"] {
        assert_eq!(gateway.send(get(path)).await.status, 200, "{path}");
    }
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn the_master_key_can_be_set_in_the_environment() {
    let upstream = saying(OK).await;
    let config = format!(
        "model_list:
  - model_name: kimi-k3
    litellm_params: {{model: moonshot/kimi-k3, api_base: 'http://{}/v1'}}
",
        upstream.address
    );
    for setup in [Setup::to(upstream.address), Setup::config(&config)] {
        let setup = setup.variable("LITELLM_MASTER_KEY", "sk-open-sesame");
        let gateway = setup.start().await;
        assert_eq!(gateway.send(with("")).await.status, 401);
        let open = with("authorization: Bearer sk-open-sesame\r\n");
        assert_eq!(gateway.send(open).await.status, 200);
    }
}

#[tokio::test]
async fn the_emulator_requires_the_key_too_and_the_printed_command_sends_it() {
    let setup = Setup::default().variable("LITELLM_MASTER_KEY", "sk-open-sesame");
    let gateway = setup.start().await;
    gateway
        .says("-H \"authorization: Bearer $LITELLM_MASTER_KEY\" -d '{")
        .await;
    assert_eq!(gateway.send(with("")).await.status, 401);
    let open = get("/v1/models").replace("host", "authorization: Bearer sk-open-sesame\r\nhost");
    assert_eq!(gateway.send(open).await.status, 200);
}

#[tokio::test]
async fn the_master_key_never_reaches_an_upstream() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::default()
        .variable(
            "MOONSHOT_API_BASE",
            format!("http://{}/v1", upstream.address),
        )
        .variable("LITELLM_MASTER_KEY", "sk-open-sesame")
        .start()
        .await;
    gateway
        .says("\"*\" has no API key, and with a master key clients cannot send their own")
        .await;
    let open = with("authorization: Bearer sk-open-sesame\r\n");
    assert_eq!(gateway.send(open).await.status, 200);
    let request = upstream.asked().await.to_lowercase();
    assert!(!request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn without_a_master_key_the_configured_key_replaces_the_clients() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    let answer = gateway
        .send(with("authorization: Bearer of-the-caller\r\n"))
        .await;
    assert_eq!(answer.status, 200);
    let request = upstream.asked().await;
    assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")));
    assert!(!request.contains("of-the-caller"));
}

#[tokio::test]
async fn without_any_configured_key_the_clients_is_forwarded() {
    let mut upstream = saying(OK).await;
    let base = format!("http://{}/v1", upstream.address);
    let gateway = Setup::default()
        .variable("MOONSHOT_API_BASE", base)
        .start()
        .await;
    let answer = gateway
        .send(with("authorization: Bearer of-the-caller\r\n"))
        .await;
    assert_eq!(answer.status, 200);
    assert!(
        upstream
            .asked()
            .await
            .contains("authorization: Bearer of-the-caller\r\n")
    );
}

#[tokio::test]
async fn nothing_in_a_body_changes_its_upstream_or_key() {
    let mut here = saying(OK).await;
    let mut there = saying(OK).await;
    let gateway = Setup::to(here.address).start().await;
    let there_url = format!("http://{}/v1", there.address);
    let body = serde_json::json!({
        "model": "kimi-k3", "messages": [], "api_key": "sk-mine", "api_base": there_url,
        "base_url": there_url, "custom_llm_provider": "openai", "extra_headers": {"authorization": "x"},
        "headers": {"host": "x"}, "litellm_params": {"api_base": there_url}, "user_config": {},
    })
    .to_string();
    let answer = gateway.send(post("/v1/chat/completions", "", &body)).await;
    assert_eq!(answer.status, 200);
    let request = here.asked().await;
    assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")));
    assert!(request.contains(&format!("host: {}\r\n", here.address)));
    assert!(request.ends_with(&body), "the body is unchanged: {request}");
    assert!(there.was_asked_nothing());
}

#[tokio::test]
async fn the_key_is_sent_to_no_host_that_a_client_names() {
    let mut upstream = saying(OK).await;
    let mut elsewhere = saying(OK).await;
    let base = format!(
        "http://{}/a/base/url/with/quite/a/long/path/v1",
        upstream.address
    );
    let gateway = Setup::default()
        .variable("MOONSHOT_API_BASE", base)
        .variable("MOONSHOT_API_KEY", KEY)
        .start()
        .await;
    let other = elsewhere.address;
    // The form of requests to a forward proxy: short, long, and above the limit on
    // the head.
    let target = |path: &str| {
        format!(
            "GET http://{other}/v1/{path} HTTP/1.1\r\nhost: {other}\r\nconnection: close\r\n\r\n"
        )
    };
    for path in ["models", &"a".repeat(20_000)] {
        assert_eq!(gateway.send(target(path)).await.status, 200);
        assert!(upstream.asked().await.contains(KEY));
    }
    assert_eq!(gateway.send(target(&"a".repeat(40_000))).await.status, 431);
    let connect = format!("CONNECT {other} HTTP/1.1\r\nhost: {other}\r\nconnection: close\r\n\r\n");
    let answer = gateway.send(connect).await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    assert!(elsewhere.was_asked_nothing());
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let upstream = saying(OK).await;
    let gateway = guarded(upstream.address).start().await;
    // More than socket buffers hold, so the client sends before it reads.
    let request = post("/v1/chat/completions", "", &"x".repeat(20_000_000));
    assert_eq!(gateway.send(request).await.status, 401);
}
