//! The entry that a request is sent to, and the request that arrives.

use serde_json::json;
use tower_moonshot::emulator::Emulator;

use crate::harness::{KEY, OK, Setup, chat, emulated, get, hello_to, saying};

#[tokio::test]
async fn entries_of_different_regions_and_keys_work_side_by_side() {
    let mut global = saying(OK).await;
    let mut china = saying(OK).await;
    let gateway = Setup::config(&format!(
        "model_list:
  - model_name: kimi
    litellm_params: {{model: moonshot/kimi-k3, api_key: $KEY, api_base: 'http://{}/v1'}}
  - model_name: kimi-china
    litellm_params: {{model: moonshot/kimi-k2.6, api_key: sk-china, api_base: 'http://{}/v1/'}}
",
        global.address, china.address
    ))
    .start()
    .await;
    for (model, upstream, key, id) in [
        ("kimi", &mut global, KEY, "kimi-k3"),
        ("kimi-china", &mut china, "sk-china", "kimi-k2.6"),
    ] {
        let answer = gateway.send(hello_to(model)).await;
        assert_eq!(answer.header("x-moonshot-rewrites"), Some("model"));
        let request = upstream.asked().await;
        assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
        assert!(request.contains(&format!("authorization: Bearer {key}\r\n")));
        assert!(request.ends_with(&format!(
            r#"{{"messages":[{{"content":"Hi","role":"user"}}],"model":"{id}"}}"#
        )));
    }
    assert!(global.was_asked_nothing() && china.was_asked_nothing());
    let log = gateway.output();
    assert!(!log.contains("sk-china"), "{log}");
}

#[tokio::test]
async fn entries_of_one_name_take_turns() {
    let mut upstreams = [saying(OK).await, saying(OK).await, saying(OK).await];
    let mut config = "model_list:\n".to_owned();
    for upstream in &upstreams {
        config += &format!(
            "- model_name: kimi\n  litellm_params: {{model: moonshot/kimi-k3, api_base: 'http://{}'}}\n",
            upstream.address
        );
    }
    let setup = Setup::config(&config).arguments(["--balance", "round-robin"]);
    let gateway = setup.start().await;
    for _ in 0..6 {
        assert_eq!(gateway.send(hello_to("kimi")).await.status, 200);
    }
    for upstream in &mut upstreams {
        upstream.asked().await;
        upstream.asked().await;
        assert!(upstream.was_asked_nothing());
    }
}

#[tokio::test]
async fn wildcards_carry_over_their_text_and_the_most_specific_name_wins() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::config(&format!(
        "entry: &here {{api_base: 'http://{}'}}
model_list:
  - model_name: '*'
    litellm_params: {{<<: *here, model: moonshot/any-*}}
  - model_name: moonshot/*
    litellm_params: {{<<: *here, model: moonshot/*}}
  - model_name: mine/*-latest
    litellm_params: {{<<: *here, model: moonshot/kimi-*}}
  - model_name: mine/all-*
    litellm_params: {{<<: *here, model: moonshot/kimi-k3}}
  - model_name: mine/k3-latest
    litellm_params: {{<<: *here, model: moonshot/kimi-k2.6}}
",
        upstream.address
    ))
    .start()
    .await;
    for (asked, sent) in [
        ("moonshot/kimi-k3", "kimi-k3"),
        ("moonshot/moonshot/kimi-k3", "kimi-k3"),
        ("mine/k2.5-latest", "kimi-k2.5"),
        ("mine/k3-latest", "kimi-k2.6"),
        ("mine/all-my-own", "kimi-k3"),
        ("thing", "any-thing"),
        ("kimi-k3", "any-kimi-k3"),
    ] {
        assert_eq!(gateway.send(hello_to(asked)).await.status, 200, "{asked}");
        assert_eq!(upstream.asked_json().await["model"], sent, "{asked}");
    }
}

#[tokio::test]
async fn a_wildcard_alone_serves_every_model_of_moonshot() {
    let moonshot = emulated(Emulator::new().with_api_key(KEY)).await;
    let gateway = Setup::config(
        "model_list: [{model_name: '*', litellm_params: {model: '*', api_key: $KEY}}]",
    )
    .variable("MOONSHOT_API_BASE", format!("http://{moonshot}/v1"))
    .start()
    .await;
    for model in ["kimi-k3", "moonshot/kimi-k2.6"] {
        assert_eq!(gateway.send(hello_to(model)).await.status, 200);
    }
}

/// The way to use Moonshot before LiteLLM had a provider for it.
#[tokio::test]
async fn openai_models_with_a_base_url_of_moonshot_are_served() {
    let gateway = Setup::config(
        "model_list:
  - model_name: kimi
    litellm_params: {model: openai/kimi-k3, api_base: https://api.moonshot.cn/v1, api_key: $KEY}
  - model_name: other
    litellm_params: {model: kimi-k3, custom_llm_provider: moonshot, api_key: $KEY}
  - model_name: third
    litellm_params: {model: kimi-k3, custom_llm_provider: openai, api_base: https://api.moonshot.ai/v1}
  - model_name: openais
    litellm_params: {model: gpt-4o, custom_llm_provider: openai}
  - model_name: anthropics/*
    litellm_params: {model: '*', custom_llm_provider: anthropic}
",
    )
    .start()
    .await;
    gateway
        .says("Upstream: https://api.moonshot.cn/v1 for kimi")
        .await;
    gateway
        .says("Upstream: https://api.moonshot.ai/v1 for other")
        .await;
    gateway
        .says("Upstream: https://api.moonshot.ai/v1 for third")
        .await;
    gateway.says("\"openais\" is ignored").await;
    gateway.says("\"anthropics/*\" is ignored").await;
}

#[tokio::test]
async fn an_unknown_model_is_a_404_that_lists_the_configured_ones() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::config(&format!(
        "model_list: [{{model_name: kimi, litellm_params: {{model: moonshot/kimi-k3, api_base: 'http://{}'}}}}]",
        upstream.address
    ))
    .start()
    .await;
    let answer = gateway.send(hello_to("gpt-\"4o")).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.error()["code"], "model_not_found");
    let message = answer.message();
    assert_eq!(
        message,
        r#"the model "gpt-\"4o" is not configured here; these are: kimi"#
    );
    let long = gateway.send(hello_to(&"é".repeat(1_000_000))).await;
    assert!(long.status == 404 && long.body.len() < 1000);

    for body in [
        "{}",
        r#"{"model":null}"#,
        r#"{"model":["kimi"]}"#,
        r#"{"model":"kimi","model":1}"#,
    ] {
        let answer = gateway.send(chat(body)).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.error()["code"], "missing_model", "{body}");
    }
    assert!(upstream.was_asked_nothing());
}

/// The gateway and the layer each read `model`. If they disagreed, a request for one
/// entry's model could be sent with another's key.
#[tokio::test]
async fn if_model_appears_twice_the_last_one_is_chosen_and_sent() {
    let mut one = saying(OK).await;
    let mut two = saying(OK).await;
    let gateway = Setup::config(&format!(
        "model_list:
  - model_name: one
    litellm_params: {{model: moonshot/upstream-one, api_base: 'http://{}'}}
  - model_name: two
    litellm_params: {{model: moonshot/upstream-two, api_base: 'http://{}'}}
",
        one.address, two.address
    ))
    .start()
    .await;
    let messages = r#""messages":[{"role":"user","content":"Hi"}]"#;
    for body in [
        format!(r#"{{"model":"one","model":"two",{messages}}}"#),
        format!(r#"{{"model":"one",{messages},"model":"two"}}"#),
        format!(r#"{{"model":"one",{messages},"mod\u0065l":"two"}}"#),
        format!(r#"{{"\u006dodel":"one",{messages},"model":"two"}}"#),
        format!(r#"{{"model":"one",{messages},"\u006Dode\u006C":"t\u0077o"}}"#),
        format!(r#"{{"model":7,{messages},"model":"two"}}"#),
        format!(r#"{{"metadata":{{"model":"one"}},{messages},"model":"two"}}"#),
        format!(r#"{{"model":"two",{messages},"metadata":{{"model":"one"}}}}"#),
        format!(r#"{{"model":"two",{messages},"stop":["model","one"]}}"#),
        format!(r#"{{"\ud800":"one","model":"two",{messages},"\udc00":"\"model\":\"one\""}}"#),
        format!("\t{{ \"model\"\n:\r\"two\" , {messages} }}\n"),
    ] {
        let answer = gateway.send(chat(&body)).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.body);
        let sent = two.asked().await;
        // Exactly one `model` with this value remains, so all parsers agree.
        let (_, sent) = sent.split_once("\r\n\r\n").unwrap();
        assert_eq!(sent.matches("upstream-two").count(), 1, "{body}: {sent}");
        assert!(!sent.contains("upstream-one"), "{sent}");
    }
    assert!(one.was_asked_nothing());
}

#[tokio::test]
async fn with_no_rewrite_the_body_is_forwarded_unchanged() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::config(&format!(
        "model_list: [{{model_name: kimi, litellm_params: {{model: moonshot/kimi-k3, api_key: $KEY, api_base: 'http://{}/x'}}}}]",
        upstream.address
    ))
    .arguments(["--no-rewrite"])
    .start()
    .await;
    let body = json!({"model": "kimi", "temperature": 2, "messages": [{"role": "developer", "content": ""}]});
    let answer = gateway.send(chat(&body.to_string())).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-moonshot-rewrites"), None);
    let request = upstream.asked().await;
    assert!(
        request.starts_with("POST /x/chat/completions "),
        "{request}"
    );
    assert!(request.contains(&format!("Bearer {KEY}")) && request.ends_with(&body.to_string()));
}

#[tokio::test]
async fn the_response_has_the_clients_name_of_the_model() {
    let moonshot = emulated(Emulator::new()).await;
    let setup = || {
        Setup::config(&format!(
            "model_list: [{{model_name: gpt-4o, litellm_params: {{model: moonshot/kimi-k3, api_base: 'http://{moonshot}/v1'}}}}]",
        ))
    };
    let gateway = setup().arguments(["--no-response-repairs"]).start().await;
    assert_eq!(
        gateway.send(hello_to("gpt-4o")).await.json()["model"],
        "kimi-k3"
    );
    let gateway = setup().start().await;
    assert_eq!(
        gateway.send(hello_to("gpt-4o")).await.json()["model"],
        "gpt-4o"
    );
    assert_eq!(
        gateway.send(get("/v1/models/gpt-4o")).await.json()["id"],
        "gpt-4o"
    );
}
