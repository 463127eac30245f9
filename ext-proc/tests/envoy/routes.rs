//! Settings of routes: what arrives upstream from two routes of one listener.

use reqwest::{Client, Response};

use crate::{
    CLIENT_KEY, KEY,
    configuration::{example, inserted, readme, replaced},
    envoy, in_time,
    process::{Envoy, ExtProc, directory},
    until,
    upstream::{Answer, Arrived, Upstream},
};

const REQUEST: &str =
    r#"{"model":"moonshot/kimi-k3","temperature":2,"messages":[{"role":"user","content":"Hi"}]}"#;
const REWRITTEN: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;

/// Moonshot's last event, which is repaired for OpenAI's clients.
const EVENTS: &str = concat!(
    "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"kimi-k3\",",
    "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":19,",
    "\"completion_tokens\":21,\"total_tokens\":40}}]}\n\n",
    "data: [DONE]\n\n",
);

async fn ask(envoy: &Envoy, path: &str, more: &[(&str, &str)], body: &str) -> Response {
    let mut request = Client::new()
        .post(envoy.url(path))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {CLIENT_KEY}"));
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    in_time(request.body(body.to_owned()).send()).await.unwrap()
}

fn header<'a>(arrived: &'a Arrived, name: &str) -> &'a str {
    arrived.parts.headers[name].to_str().unwrap()
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

/// The example with the routes of the README, all of which lead to this upstream.
fn configuration(processor: &ExtProc, upstream: &Upstream) -> String {
    let text = example(&[processor.address], upstream.address);
    let text = inserted(&text, "routes:\n", &readme("moonshot-region"));
    replaced(
        &text,
        &[
            ("cluster: moonshot_global", "cluster: emulator"),
            ("cluster: moonshot_china", "cluster: emulator"),
        ],
    )
}

#[tokio::test]
async fn two_routes_of_a_listener_have_settings_of_their_own() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let processor = ExtProc::start(upstream.address, &[]).await;
    let envoy = Envoy::start(&program, &configuration(&processor, &upstream)).await;
    let own = upstream.address.to_string();
    // What clients send as a header is theirs, and says nothing to the processor.
    let forged = [
        ("moonshot-region", "https://evil.test/v1"),
        ("moonshot-no-rewrite", "false"),
        ("moonshot-entry", "none"),
    ];
    for (path, host, key, body) in [
        ("/v1", own.as_str(), KEY, REWRITTEN),
        // The processor's key is not of China.
        ("/china/v1", "api.moonshot.cn", CLIENT_KEY, REWRITTEN),
        ("/as-sent/v1", &own, KEY, REQUEST),
    ] {
        for more in [&[][..], &forged] {
            let path = format!("{path}/chat/completions");
            assert_eq!(ask(&envoy, &path, more, REQUEST).await.status(), 200);
            let arrived = upstream.take().pop().unwrap();
            assert_eq!(header(&arrived, "host"), host, "{path}");
            assert_eq!(header(&arrived, "authorization"), bearer(key), "{path}");
            assert_eq!(arrived.body, body, "{path}");
            assert_eq!(arrived.parts.uri.path(), "/v1/chat/completions");
            for (name, value) in more {
                assert_eq!(header(&arrived, name), *value);
            }
        }
    }
    let text = REQUEST.replacen(
        '{',
        r#"{"stream":true,"stream_options":{"include_usage":true},"#,
        1,
    );
    upstream.answers(Answer::Stream(vec![EVENTS.into()]));
    for (path, is_repaired) in [("/china/v1", true), ("/as-sent/v1", false)] {
        let path = format!("{path}/chat/completions");
        let response = ask(&envoy, &path, &[], &text).await;
        let response = in_time(response.text()).await.unwrap();
        assert_eq!(response != EVENTS, is_repaired, "{path}: {response}");
    }
    assert_eq!(processor.metric("misconfigured_routes_total").await, 0.0);
    assert_eq!(
        processor.metric("skipped_total{reason=\"route\"}").await,
        3.0
    );
}

#[tokio::test]
async fn a_route_has_an_account_of_its_own() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let file = directory().join("config.yaml");
    let text = "model_list:
- {model_name: '*', litellm_params: {model: moonshot/*, api_key: sk-all}}
- {model_name: team/*, litellm_params: {model: moonshot/*, api_key: sk-team}}
";
    std::fs::write(&file, text).unwrap();
    let arguments = ["--config", file.to_str().unwrap()];
    let processor = ExtProc::start(upstream.address, &arguments).await;
    let text = replaced(
        &configuration(&processor, &upstream),
        &[(
            "moonshot-region, value: china",
            "moonshot-entry, value: team/*",
        )],
    );
    let envoy = Envoy::start(&program, &text).await;
    for (path, key, body) in [
        ("/v1", "sk-all", REWRITTEN),
        ("/china/v1", "sk-team", REWRITTEN),
        ("/as-sent/v1", "sk-all", REQUEST),
    ] {
        let path = format!("{path}/chat/completions");
        assert_eq!(ask(&envoy, &path, &[], REQUEST).await.status(), 200);
        let arrived = upstream.take().pop().unwrap();
        assert_eq!(header(&arrived, "authorization"), bearer(key), "{path}");
        assert_eq!(arrived.body, body, "{path}");
    }
}

#[tokio::test]
async fn a_route_takes_back_what_the_filter_says_for_all() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let processor = ExtProc::start(upstream.address, &[]).await;
    let service = "envoy_grpc: { cluster_name: moonshot_ext_proc }\n";
    let text = inserted(
        &configuration(&processor, &upstream),
        service,
        "initial_metadata: [{ key: moonshot-no-rewrite, value: \"true\" }]",
    );
    let of_route = "{ key: moonshot-no-rewrite, value: \"true\" }\n";
    let text = replaced(&text, &[(of_route, &of_route.replace("true", "false"))]);
    let envoy = Envoy::start(&program, &text).await;
    for (path, body) in [
        ("/v1", REQUEST),
        ("/china/v1", REQUEST),
        ("/as-sent/v1", REWRITTEN),
    ] {
        let path = format!("{path}/chat/completions");
        assert_eq!(ask(&envoy, &path, &[], REQUEST).await.status(), 200);
        assert_eq!(upstream.take().pop().unwrap().body, body, "{path}");
    }
    assert_eq!(processor.metric("misconfigured_routes_total").await, 0.0);
}

#[tokio::test]
async fn routes_switch_off_what_the_layers_do_with_responses() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let processor = ExtProc::start(upstream.address, &[]).await;
    let text = replaced(
        &configuration(&processor, &upstream),
        &[
            (
                "moonshot-region, value: china",
                "moonshot-no-response-repairs, value: \"true\"",
            ),
            ("moonshot-no-rewrite", "moonshot-no-reasoning-memory"),
        ],
    );
    let envoy = Envoy::start(&program, &text).await;
    upstream.answers(Answer::Stream(vec![EVENTS.into()]));
    // The thought of the first turn is neither sent nor known.
    let text = concat!(
        r#"{"model":"kimi-k3","stream":true,"stream_options":{"include_usage":true},"messages":["#,
        r#"{"role":"user","content":"Hi"},"#,
        r#"{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},"#,
        r#"{"role":"tool","tool_call_id":"1","content":"1"}]}"#,
    );
    let mut count = 0.0;
    for (path, is_repaired, is_missed) in [("/as-sent/v1", true, 0.0), ("/china/v1", false, 1.0)] {
        let path = format!("{path}/chat/completions");
        let response = ask(&envoy, &path, &[], text).await;
        let response = in_time(response.text()).await.unwrap();
        assert_eq!(response != EVENTS, is_repaired, "{path}: {response}");
        // A request is counted once it is over, and its time is counted last.
        count += 1.0;
        until(async || processor.metric("added_seconds_count").await == count).await;
        let missing = processor.metric("missing_thoughts_total").await;
        assert_eq!(missing, is_missed, "{path}");
    }
}

#[tokio::test]
async fn a_route_with_a_wrong_setting_fails_as_the_processor_is_told() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    for (fail, status) in [("open", 200), ("closed", 500)] {
        let processor = ExtProc::start(upstream.address, &["--fail", fail]).await;
        let text = replaced(
            &configuration(&processor, &upstream),
            &[
                ("value: china", "value: chna"),
                ("moonshot-no-rewrite", "moonshot-no-rewrites"),
            ],
        );
        let envoy = Envoy::start(&program, &text).await;
        for path in ["/china/v1/chat/completions", "/as-sent/v1/chat/completions"] {
            let response = ask(&envoy, path, &[], REQUEST).await;
            assert_eq!(response.status(), status, "{path}");
            let text = in_time(response.text()).await.unwrap();
            let arrived = upstream.take().pop();
            assert_eq!(arrived.is_some(), status == 200, "{path}");
            let Some(arrived) = arrived else {
                assert!(text.contains("\"code\":\"misconfigured_route\""), "{text}");
                continue;
            };
            // Unchanged, where Envoy's route leads.
            assert_eq!(arrived.parts.uri.path(), path);
            assert_eq!(header(&arrived, "host"), envoy.address.to_string());
            assert_eq!(header(&arrived, "authorization"), bearer(CLIENT_KEY));
            assert_eq!(arrived.body, REQUEST);
        }
        assert_eq!(processor.metric("misconfigured_routes_total").await, 2.0);
        // Other routes are served.
        let response = ask(&envoy, "/v1/chat/completions", &[], REQUEST).await;
        assert_eq!(response.status(), 200);
        assert_eq!(upstream.take().pop().unwrap().body, REWRITTEN);
    }
}
