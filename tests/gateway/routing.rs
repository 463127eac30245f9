//! Which entry a request goes to, and what it says there.

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
    let gateway = Setup::config(&config).start().await;
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
async fn wildcards_stand_for_what_they_stand_for_and_the_closest_name_wins() {
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
async fn a_wildcard_of_everything_is_every_model_of_moonshots() {
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

/// How Moonshot was used with LiteLLM before it had a provider for it.
#[tokio::test]
async fn openai_models_at_a_base_url_of_moonshots_are_moonshots() {
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
    gateway.says("\"openais\" is left out").await;
    gateway.says("\"anthropics/*\" is left out").await;
}

#[tokio::test]
async fn a_model_that_is_not_configured_is_a_404_that_names_those_that_are() {
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
        r#"no model "gpt-\"4o" is configured here; there is kimi"#
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

/// The gateway chooses by the `model` that it reads, and the layer by the one that
/// it reads. If they didn't agree, one entry's key would go with another's model.
#[tokio::test]
async fn of_several_models_in_a_body_the_last_is_chosen_and_sent() {
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
        // What every parser reads that takes the last, or the only one.
        let (_, sent) = sent.split_once("\r\n\r\n").unwrap();
        assert_eq!(sent.matches("upstream-two").count(), 1, "{body}: {sent}");
        assert!(!sent.contains("upstream-one"), "{sent}");
    }
    assert!(one.was_asked_nothing());
}

#[tokio::test]
async fn without_rewrites_a_body_goes_on_as_it_came_to_the_same_place() {
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
async fn the_answer_names_the_model_as_the_upstream_does() {
    let moonshot = emulated(Emulator::new()).await;
    let gateway = Setup::config(&format!(
        "model_list: [{{model_name: gpt-4o, litellm_params: {{model: moonshot/kimi-k3, api_base: 'http://{moonshot}/v1'}}}}]",
    ))
    .start()
    .await;
    assert_eq!(
        gateway.send(hello_to("gpt-4o")).await.json()["model"],
        "kimi-k3"
    );
    assert_eq!(
        gateway.send(get("/v1/models/gpt-4o")).await.json()["id"],
        "gpt-4o"
    );
}
