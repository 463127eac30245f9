//! All endpoints, over HTTP/1.1 and HTTP/2.

use tower_moonshot::emulator::Emulator;

use crate::harness::{OK, Setup, emulated, get, hello, post, saying};

/// The request that the gateway prints when it starts.
const REQUEST: &str = include_str!("../../src/request.json");

#[tokio::test]
async fn the_printed_request_works_without_a_key_and_network() {
    let gateway = Setup::default().start().await;
    gateway.says("To stream the response").await;
    let printed = gateway.output();
    let (_, printed) = printed.split_once(" -d '").unwrap();
    let (printed, _) = printed.split_once('\'').unwrap();
    assert_eq!(printed, REQUEST.trim_end());

    let headers = "content-type: application/json\r\n";
    let answer = gateway
        .send(post("/v1/chat/completions", headers, printed))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let call = &answer.json()["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "weather");
    let rewrites = "model, tool_choice, sampling, content";
    assert_eq!(answer.header("x-moonshot-rewrites"), Some(rewrites));

    let answer = gateway.send(hello()).await;
    assert_eq!(
        (answer.status, answer.header("x-moonshot-rewrites")),
        (200, None)
    );
}

#[tokio::test]
async fn chat_completions_work_with_and_without_v1() {
    let gateway = Setup::default().start().await;
    for path in [
        "/v1/chat/completions",
        "/chat/completions",
        "/v1/chat/completions?api-version=1",
    ] {
        assert_eq!(
            gateway.send(post(path, "", REQUEST)).await.status,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn http_2_without_tls_works_on_the_same_port() {
    let gateway = Setup::default().start().await;
    let client = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let answer = client
        .post(format!("http://{}/v1/chat/completions", gateway.address))
        .header("content-type", "application/json")
        .body(REQUEST)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert!(answer.text().await.unwrap().contains("weather"));
    assert_eq!(gateway.send(hello()).await.status, 200);
}

#[tokio::test]
async fn the_head_has_the_same_limit_over_http_2_as_over_http_1() {
    let gateway = Setup::default().start().await;
    for (long, status) in [(24_000, 200), (40_000, 431)] {
        let headers = format!("x-long: {}\r\n", "a".repeat(long));
        let answer = gateway.send(post("/v1/chat/completions", &headers, REQUEST));
        assert_eq!(answer.await.status, status);
        let client = reqwest::Client::builder().no_proxy();
        let client = client.http2_prior_knowledge().build().unwrap();
        let answer = client
            .post(format!("http://{}/v1/chat/completions", gateway.address))
            .header("x-long", "a".repeat(long))
            .body(REQUEST)
            .send();
        assert_eq!(answer.await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn a_compressed_request_is_rewritten_too() {
    let gateway = Setup::default().start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = |coding: &'static str, body: Vec<u8>| {
        let url = format!("http://{}/v1/chat/completions", gateway.address);
        let request = client.post(url).header("content-type", "application/json");
        request.header("content-encoding", coding).body(body).send()
    };
    let gzip = include_bytes!("../compressed/chat.json.gz").to_vec();
    let answer = ask("gzip", gzip.clone()).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-moonshot-rewrites"], "sampling");
    let answer = ask("identity", REQUEST.into()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer = ask("compress", gzip.clone()).await.unwrap();
    assert_eq!(answer.status(), 415);
    let mut broken = gzip;
    let middle = broken.len() / 2;
    broken.truncate(middle);
    let answer = ask("gzip", broken).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("is incomplete"));
}

#[tokio::test]
async fn configured_models_are_listed_in_openais_form() {
    let gateway = Setup::config(
        "model_list:
  - {model_name: kimi, litellm_params: {model: moonshot/kimi-k3}}
  - {model_name: moonshot/*, litellm_params: {model: moonshot/*}}
  - {model_name: kimi, litellm_params: {model: moonshot/kimi-k3, api_key: $KEY}}
",
    )
    .start()
    .await;
    for path in ["/v1/models", "/models"] {
        let list = gateway.send(get(path)).await.json();
        assert_eq!(list["object"], "list");
        let ids: Vec<_> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| &model["id"])
            .collect();
        assert_eq!(ids, ["kimi", "moonshot/*"]);
        assert_eq!(list["data"][0]["object"], "model");
        assert!(list["data"][0]["created"].is_u64() && list["data"][0]["owned_by"].is_string());
    }
    for (path, id) in [
        ("/v1/models/kimi", "kimi"),
        ("/models/moonshot/kimi-k3", "moonshot/kimi-k3"),
        ("/v1/models/moonshot%2Fkimi-k3", "moonshot/kimi-k3"),
    ] {
        assert_eq!(gateway.send(get(path)).await.json()["id"], id);
    }
    let answer = gateway.send(get("/v1/models/gpt-4o")).await;
    assert_eq!(
        (answer.status, answer.error()["code"].as_str()),
        (404, Some("model_not_found"))
    );
}

/// The upstream's list has models that are not served here.
#[tokio::test]
async fn no_spelling_of_the_path_returns_the_upstreams_list() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::config(&format!(
        "model_list: [{{model_name: a, litellm_params: {{model: moonshot/a, api_base: 'http://{}'}}}}]",
        upstream.address
    ))
    .start()
    .await;
    for path in ["/v1/models/", "/v1//models", "/v1/%6dodels", "/v1/models;a"] {
        let answer = gateway.send(get(path)).await;
        assert_eq!(answer.error()["code"], "unknown_url", "{path}");
    }
    assert!(upstream.was_asked_nothing());
    assert_eq!(gateway.send(get("/v1/files/models")).await.status, 200);
}

#[tokio::test]
async fn without_a_configuration_moonshot_lists_its_models() {
    let moonshot = emulated(Emulator::new().with_models(["kimi-k9"])).await;
    let gateway = Setup::to(moonshot).start().await;
    for path in ["/v1/models", "/models"] {
        assert_eq!(
            gateway.send(get(path)).await.json()["data"][0]["id"],
            "kimi-k9"
        );
    }
    assert_eq!(
        gateway.send(get("/v1/models/kimi-k9")).await.json()["id"],
        "kimi-k9"
    );
    assert_eq!(gateway.send(get("/v1/models/kimi-k3")).await.status, 404);
}

#[tokio::test]
async fn health_checks_are_those_of_litellm() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    for path in ["/health/liveliness", "/health/liveness"] {
        let answer = gateway.send(get(path)).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "\"I'm alive!\"")
        );
    }
    let answer = gateway.send(get("/health/readiness")).await;
    assert_eq!(
        (answer.status, answer.json()["status"].as_str()),
        (200, Some("healthy"))
    );
    assert!(upstream.was_asked_nothing());
    assert!(
        !gateway.output().contains("health"),
        "probes are not logged"
    );
}

#[tokio::test]
async fn other_paths_under_v1_are_forwarded_with_their_query_and_body() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    let request = post(
        "/v1/tokenizers/estimate-token-count?limit=1",
        "content-type: application/json\r\nexpect: 100-continue\r\n",
        "{ not even JSON",
    );
    assert_eq!(gateway.send(request).await.status, 200);
    let request = upstream.asked().await;
    assert!(request.starts_with("POST /v1/tokenizers/estimate-token-count?limit=1 HTTP/1.1\r\n"));
    assert!(
        request.contains(&format!("host: {}", upstream.address)),
        "{request}"
    );
    assert!(request.ends_with("\r\n\r\n{ not even JSON"), "{request}");
    // hyper's client does not wait for `100 Continue`.
    assert!(!request.contains("expect"), "{request}");
}

#[tokio::test]
async fn a_request_that_several_upstreams_could_serve_is_a_404() {
    let entry = |key: &str| {
        format!(
            "- {{model_name: {key}, litellm_params: {{model: moonshot/kimi-k3, api_key: {key}}}}}\n"
        )
    };
    let config = format!("model_list:\n{}{}", entry("sk-one"), entry("sk-two"));
    let gateway = Setup::config(&config).start().await;
    let answer = gateway.send(get("/v1/files")).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.error()["code"], "ambiguous_upstream");
}

#[tokio::test]
async fn no_path_bypasses_the_choice_of_a_model_or_leads_out_of_the_api() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    for path in [
        "/v1/x/chat/completions",
        "/v1/v1/chat/completions",
        "/v1//chat/completions",
        "/v1/chat/completions/",
        "/v1/chat//completions",
        "/v1/chat/completion%73",
        "/v1/../admin",
        "/v1/files/..",
        "/v1/%2e%2E/admin",
        "/v1/files%2f..%2Fadmin",
        "/v1/files/..%5C..%5cadmin",
        "/v1/..;/admin",
        "/v1/chat;a=b/completions;c",
        "/v2/files",
        "/v1",
        "/",
        "/openai/v1/models",
    ] {
        let answer = gateway.send(post(path, "", REQUEST)).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.error()["code"], "unknown_url", "{path}");
    }
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn a_wrong_method_is_a_405_in_openais_form() {
    let gateway = Setup::default().start().await;
    let answer = gateway.send(get("/v1/chat/completions")).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.error()["code"], "wrong_method");
    assert_eq!(answer.header("allow"), Some("post"));
}

#[tokio::test]
async fn hop_by_hop_headers_and_those_of_the_account_are_removed() {
    let mut upstream = saying(
        "HTTP/1.1 200 OK\r\nconnection: close, x-upstream\r\nx-upstream: 1\r\n\
         keep-alive: timeout=5\r\nproxy-authenticate: Basic\r\ntrailer: x\r\n\
         upgrade: h2c\r\nmsh-uid: u\r\nmsh-org-id: o\r\nmsh-project-id: p\r\nmsh-gid: g\r\n\
         msh-request-id: 7\r\nx-msh-trace-id: 8\r\nx-kept: 1\r\ncontent-length: 2\r\n\r\n{}",
    )
    .await;
    let setup = Setup::to(upstream.address).arguments(["--forward-header", "x-kept"]);
    let gateway = setup.start().await;
    let headers = "connection: x-caller , authorization\r\n\
                   x-caller: 1\r\nkeep-alive: timeout=5\r\nproxy-authorization: Basic eDp5\r\n\
                   proxy-connection: keep-alive\r\nte: trailers\r\ntrailer: x\r\nupgrade: h2c\r\n\
                   authorization: Bearer of-the-caller\r\nx-kept: 1\r\n";
    let answer = gateway
        .send(post("/v1/chat/completions", headers, REQUEST))
        .await;
    assert_eq!(answer.status, 200);
    let request = upstream.asked().await.to_lowercase();
    for head in [&request, &answer.head] {
        let names: Vec<&str> = head
            .lines()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| Some(line.split_once(':')?.0))
            .collect();
        for gone in [
            "x-caller",
            "x-upstream",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "upgrade",
            "msh-uid",
            "msh-org-id",
            "msh-project-id",
            "msh-gid",
        ] {
            assert!(!names.contains(&gone), "{gone} in {head}");
        }
        assert!(names.contains(&"x-kept"));
    }
    assert_eq!(answer.header("msh-request-id"), Some("7"));
    assert_eq!(answer.header("x-msh-trace-id"), Some("8"));
    // A client cannot make the gateway drop its own key.
    assert!(request.contains("authorization: bearer sk-") && !request.contains("of-the-caller"));
}

#[tokio::test]
async fn a_request_id_is_added_if_missing_forwarded_and_returned() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    let answer = gateway.send(hello()).await;
    let made = answer.header("x-request-id").unwrap().to_owned();
    assert_eq!(made.len(), 36);
    assert!(
        upstream
            .asked()
            .await
            .contains(&format!("x-request-id: {made}\r\n"))
    );
    gateway.says(&format!("id=\"{made}\"")).await;

    let answer = gateway
        .send(post(
            "/v1/chat/completions",
            "x-request-id: mine\r\n",
            REQUEST,
        ))
        .await;
    assert_eq!(answer.header("x-request-id"), Some("mine"));
    assert!(upstream.asked().await.contains("x-request-id: mine\r\n"));

    let signing = saying(
        "HTTP/1.1 200 OK\r\nx-request-id: theirs\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
    )
    .await;
    let gateway = Setup::to(signing.address).start().await;
    let answer = gateway.send(hello()).await;
    assert_eq!(answer.header("x-request-id"), Some("theirs"));
}
