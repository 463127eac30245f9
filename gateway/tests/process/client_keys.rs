//! The headers that hold a client's key, and those that are forwarded.

use tower_moonshot::emulator::Emulator;

use crate::{
    harness::{KEY, OK, Setup, emulated, get, post, saying},
    thoughts::{Conversation, restored},
};

const BODY: &str = r#"{"model":"kimi-k3","messages":[]}"#;

fn with(headers: &str) -> String {
    post("/v1/chat/completions", headers, BODY)
}

const RIGHT: &str = "sk-open-sesame";

#[tokio::test]
async fn the_master_key_is_accepted_in_each_place_of_litellm_and_forwarded_from_none() {
    let mut upstream = saying(OK).await;
    let setup = Setup::to(upstream.address).variable("LITELLM_MASTER_KEY", RIGHT);
    let gateway = setup.start().await;
    for headers in [
        "authorization: Bearer sk-open-sesame\r\n",
        "x-api-key: sk-open-sesame\r\n",
        "X-Api-Key: Bearer sk-open-sesame\r\n",
        "x-litellm-api-key: sk-open-sesame\r\n",
        "x-litellm-api-key: bearer sk-open-sesame\r\n",
        // What OpenAI's clients send if the key is configured as a header.
        "x-litellm-api-key: sk-open-sesame\r\nauthorization: Bearer unused\r\n",
        "authorization: Bearer sk-open-sesame\r\nx-api-key: unused\r\n",
        "authorization: Bearer\r\nx-api-key: sk-open-sesame\r\n",
        "x-litellm-api-key: \r\nauthorization: Bearer sk-open-sesame\r\n",
    ] {
        let files = get("/v1/files").replace("host:", &format!("{headers}host:"));
        for request in [with(headers), files] {
            assert_eq!(gateway.send(request).await.status, 200, "{headers}");
            let request = upstream.asked().await;
            assert!(
                request.contains(&format!("authorization: Bearer {KEY}\r\n")),
                "{request}"
            );
            assert_eq!(request.matches("authorization:").count(), 1, "{request}");
            for gone in ["sesame", "unused", "api-key"] {
                assert!(!request.contains(gone), "{request}");
            }
        }
    }
    for headers in [
        "x-api-key: sk-open-says-me\r\n",
        "x-litellm-api-key: wrong\r\nauthorization: Bearer sk-open-sesame\r\n",
        "authorization: Bearer wrong\r\nx-api-key: sk-open-sesame\r\n",
        "authorization: sk-open-sesame\r\n",
        "api-key: sk-open-sesame\r\n",
        "cookie: key=sk-open-sesame\r\n",
    ] {
        let answer = gateway.send(with(headers)).await;
        assert_eq!(answer.status, 401, "{headers}");
        assert_eq!(answer.error()["code"], "invalid_api_key");
    }
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn a_header_with_a_key_that_is_repeated_is_a_400() {
    let mut upstream = saying(OK).await;
    for setup in [
        Setup::to(upstream.address).variable("LITELLM_MASTER_KEY", RIGHT),
        Setup::to(upstream.address),
    ] {
        let gateway = setup.start().await;
        for (name, scheme) in [
            ("authorization", "Bearer "),
            ("x-api-key", ""),
            ("x-litellm-api-key", ""),
        ] {
            for second in [RIGHT, "other"] {
                let headers = format!("{name}: {scheme}{RIGHT}\r\n{name}: {scheme}{second}\r\n");
                let answer = gateway.send(with(&headers)).await;
                assert_eq!(answer.status, 400, "{headers}");
                assert!(answer.message().contains(name), "{answer:?}");
                assert!(!answer.body.contains("sesame"));
            }
        }
    }
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn a_clients_own_key_is_forwarded_as_a_bearer_token_from_each_place() {
    let mut upstream = saying(OK).await;
    let base = format!("http://{}/v1", upstream.address);
    let gateway = Setup::default()
        .variable("MOONSHOT_API_BASE", base)
        .start()
        .await;
    for (headers, sent) in [
        ("x-api-key: sk-mine\r\n", "Bearer sk-mine"),
        ("x-litellm-api-key: Bearer sk-mine\r\n", "Bearer sk-mine"),
        ("authorization: bearer  sk-mine\r\n", "bearer  sk-mine"),
        ("authorization: Basic eDp5\r\n", "Basic eDp5"),
        (
            "x-litellm-api-key: sk-mine\r\nauthorization: Bearer b\r\n",
            "Bearer sk-mine",
        ),
    ] {
        assert_eq!(gateway.send(with(headers)).await.status, 200);
        let request = upstream.asked().await;
        assert!(
            request.contains(&format!("authorization: {sent}\r\n")),
            "{request}"
        );
        assert_eq!(request.matches("authorization:").count(), 1, "{request}");
        assert!(!request.contains("api-key"), "{request}");
    }
    assert_eq!(
        gateway
            .send(with("authorization: Bearer \r\n"))
            .await
            .status,
        200
    );
    assert!(!upstream.asked().await.contains("authorization"));
}

/// A client may send its key in another header than before.
#[tokio::test]
async fn thoughts_follow_a_key_into_each_of_its_places_and_no_other_key_gets_them() {
    let moonshot = Emulator::new().with_unique_thoughts();
    let gateway = Setup::to(emulated(moonshot.clone()).await).start().await;
    let mut alices = Conversation::of("kimi-k3", "authorization: Bearer sk-alice\r\n");
    alices.say_thrice(&gateway).await;
    assert_eq!(restored(&moonshot), [0, 1, 2]);
    for (headers, thoughts) in [
        ("x-api-key: sk-alice\r\n", 3),
        ("x-litellm-api-key: Bearer sk-alice\r\n", 3),
        (
            "x-litellm-api-key: sk-alice\r\nauthorization: Bearer sk-bob\r\n",
            3,
        ),
        ("authorization: Bearer sk-alice\r\nx-api-key: sk-bob\r\n", 3),
        // A key that loses has no influence.
        (
            "x-litellm-api-key: sk-bob\r\nauthorization: Bearer sk-alice\r\n",
            0,
        ),
        ("authorization: Bearer sk-bob\r\nx-api-key: sk-alice\r\n", 0),
        ("x-api-key: sk-bob\r\n", 0),
        ("cookie: sk-alice\r\n", 0),
        ("", 0),
    ] {
        alices.of_another(headers).say(&gateway, "four").await;
        assert_eq!(restored(&moonshot).last(), Some(&thoughts), "{headers}");
    }
}

/// The header names of a request, except those of the connection.
fn names(request: &str) -> Vec<&str> {
    let lines = request.lines().skip(1).take_while(|line| !line.is_empty());
    let mut names: Vec<&str> = lines
        .filter_map(|line| Some(line.split_once(':')?.0))
        .collect();
    names.sort_unstable();
    names
}

const MANY: &str = "cookie: a=b\r\ncookie: c\r\nx-api-key: k\r\nx-litellm-api-key: k\r\napi-key: k\r\n\
                    x-goog-api-key: k\r\nocp-apim-subscription-key: k\r\nx-auth-token: k\r\n\
                    x-amz-security-token: k\r\nx-forwarded-for: 10.0.0.1\r\nforwarded: for=10.0.0.1\r\n\
                    x-real-ip: 10.0.0.1\r\nvia: 1.1 a\r\nx-user: 7\r\nx-team: blue\r\norigin: http://a\r\n\
                    referer: http://a\r\nsec-fetch-mode: cors\r\nopenai-organization: o\r\n\
                    x-stainless-lang: python\r\nrange: bytes=0-7\r\nx-original-url: /v1/x\r\n\
                    x-http-method-override: TRACE\r\n";

const FORWARDED: &str = "user-agent: KimiCLI/1\r\naccept: text/event-stream\r\naccept-language: en\r\n\
                         content-type: application/json\r\ntraceparent: 00-1-2-01\r\ntracestate: a=1\r\n\
                         idempotency-key: 7\r\nx-msh-platform: kimi_cli\r\nx-request-id: mine\r\n";

#[tokio::test]
async fn only_the_headers_of_the_list_are_forwarded() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    let kept = [
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-msh-platform",
        "x-request-id",
    ];
    for path in ["/v1/chat/completions", "/v1/files"] {
        let request = post(path, &format!("{MANY}{FORWARDED}"), BODY);
        assert_eq!(gateway.send(request).await.status, 200);
        let request = upstream.asked().await;
        assert_eq!(names(&request), kept, "{request}");
        for line in FORWARDED.lines() {
            assert!(request.contains(line), "{line}");
        }
    }
}

#[tokio::test]
async fn the_command_line_adds_headers_that_are_forwarded() {
    let mut upstream = saying(OK).await;
    let setup = Setup::to(upstream.address).arguments([
        "--forward-header",
        "X-Team",
        "--forward-header",
        "range",
        "--forward-header",
        "x-hop",
    ]);
    let gateway = setup.start().await;
    // The client says that a header belongs to its connection.
    let headers = format!("{MANY}connection: x-hop\r\nx-hop: 1\r\n");
    assert_eq!(gateway.send(with(&headers)).await.status, 200);
    let request = upstream.asked().await;
    assert_eq!(
        names(&request),
        [
            "accept-encoding",
            "authorization",
            "content-length",
            "host",
            "range",
            "x-request-id",
            "x-team"
        ]
    );
    assert!(request.contains("x-team: blue\r\n"), "{request}");
}

#[tokio::test]
async fn credentials_cannot_be_added_to_the_headers_that_are_forwarded() {
    for (name, why) in [
        ("cookie", "credentials are never forwarded"),
        ("Authorization", "credentials are never forwarded"),
        ("x-api-key", "credentials are never forwarded"),
        ("proxy-authorization", "credentials are never forwarded"),
        ("X-Auth-Token", "credentials are never forwarded"),
        ("host", "belongs to one connection"),
        ("transfer-encoding", "belongs to one connection"),
        ("a b", "expected the name of a header"),
    ] {
        let setup = Setup::default().arguments(["--forward-header", name]);
        let (success, output) = setup.run().await;
        assert!(!success && output.contains(why), "{name}: {output}");
        assert!(output.contains("--forward-header"), "{output}");
    }
    let setup = Setup::default().arguments(["--reasoning-scope-header", "authorization"]);
    let (success, output) = setup.run().await;
    assert!(!success && output.contains("send their key"), "{output}");
}
