//! Configuration, refusals, shutdown.

use std::{process::Command, time::Duration};

use envoy_types::pb::envoy::{
    extensions::filters::http::ext_proc::v3::processing_mode::BodySendMode,
    service::ext_proc::v3::processing_response::Response as Answer,
};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::client::{
    BODY, CHAT, NONE, Processor, REWRITTEN, STREAMED, body, head, in_time, refused, set,
};

#[tokio::test]
async fn the_file_chooses_the_entry_and_the_master_key_stays_here() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("protocol.yaml");
    let text = "model_list:
- {model_name: fast, litellm_params: {model: moonshot/kimi-k3, api_key: sk-a, api_base: 'https://a.test/v1'}}
- {model_name: cn, litellm_params: {model: moonshot/kimi-k2, api_key: sk-b, api_base: 'https://b.test/v1'}}
general_settings: {master_key: sk-master}
";
    std::fs::write(&file, text).unwrap();
    let arguments = ["--config", file.to_str().unwrap(), "--clear-route-cache"];
    let processor = Processor::start(&arguments);
    let ask = async |processor: &Processor, key: &str, model: &str| {
        let mut exchange = processor.exchange(STREAMED, NONE).await;
        let key = format!("Bearer {key}");
        exchange
            .send(head(CHAT, &[("x-litellm-api-key", &key)], false))
            .await;
        exchange
            .send(body(&BODY.replace("moonshot/kimi-k3", model), true))
            .await;
        let answer = exchange.expect().await;
        (exchange, answer)
    };
    for (model, host, key, id) in [
        ("fast", "a.test", "Bearer sk-a", "kimi-k3"),
        ("cn", "b.test", "Bearer sk-b", "kimi-k2"),
    ] {
        let (mut exchange, answer) = ask(&processor, "sk-master", model).await;
        let Answer::RequestHeaders(answer) = answer else {
            panic!("not a head");
        };
        let answer = answer.response.unwrap();
        assert!(answer.clear_route_cache);
        assert_eq!(set(&answer)[":authority"], host);
        assert_eq!(set(&answer)["authorization"], key);
        let removed = answer.header_mutation.unwrap().remove_headers;
        assert_eq!(removed, ["x-litellm-api-key"]);
        assert_eq!(exchange.body().await, REWRITTEN.replace("kimi-k3", id));
    }
    // Another provider's, perhaps: where it goes is Envoy's business, but without the key.
    let (mut exchange, answer) = ask(&processor, "sk-master", "gpt-4o").await;
    let Answer::RequestHeaders(answer) = answer else {
        panic!("not a head");
    };
    let mut removed = answer
        .response
        .unwrap()
        .header_mutation
        .unwrap()
        .remove_headers;
    removed.sort();
    assert_eq!(removed, ["authorization", "x-litellm-api-key"]);
    assert_eq!(
        exchange.body().await,
        BODY.replace("moonshot/kimi-k3", "gpt-4o")
    );

    let (_, answer) = ask(&processor, "sk-wrong", "fast").await;
    assert_eq!(refused(answer), (401, "invalid_api_key".to_owned()));
    let closed = Processor::start(&[&arguments[..], &["--fail", "closed"]].concat());
    let (_, answer) = ask(&closed, "sk-master", "gpt-4o").await;
    assert_eq!(refused(answer), (404, "model_not_found".to_owned()));
}

#[tokio::test]
async fn modes_that_cannot_work_and_too_many_streams_are_refused() {
    let processor = Processor::start(&["--max-streams", "1"]);
    let mut exchange = processor.exchange(BodySendMode::Streamed, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    let error = exchange.answer().await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.message().contains("STREAMED"), "{error}");
    drop(exchange);

    // The first stream's place may not be free yet.
    let open = in_time(async {
        loop {
            let mut open = processor.exchange(NONE, NONE).await;
            open.send(head("/v1/models", &[], true)).await;
            if open.answer().await.is_ok() {
                return open;
            }
        }
    });
    let open = open.await;
    let mut refused = processor.exchange(NONE, NONE).await;
    refused.send(head("/v1/models", &[], true)).await;
    let error = refused.answer().await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    drop(open);
    let text = reqwest::get(&processor.metrics)
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        text.contains("moonshot_ext_proc_misconfigured_streams_total 1\n"),
        "{text}"
    );
    assert!(
        !text.contains("moonshot_ext_proc_overloaded_streams_total 0\n"),
        "{text}"
    );
}

#[tokio::test]
async fn sigterm_fails_the_health_check_and_open_requests_finish() {
    let mut processor = Processor::start(&["--drain-delay", "1"]);
    let mut exchange = processor.exchange(STREAMED, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    exchange.send(body(&BODY[..9], false)).await;
    // The stream is open.
    let channel = tonic::transport::Endpoint::from_shared(processor.url()).unwrap();
    let mut health = HealthClient::new(channel.connect().await.unwrap());
    let mut status = async || {
        let service = "envoy.service.ext_proc.v3.ExternalProcessor".to_owned();
        let answer = health.check(HealthCheckRequest { service }).await;
        answer.map(|answer| answer.into_inner().status)
    };
    assert_eq!(in_time(status()).await.unwrap(), 1);
    in_time(async {
        let open = "moonshot_ext_proc_open_streams 1\n";
        while !reqwest::get(&processor.metrics)
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains(open)
        {}
    })
    .await;
    let pid = processor.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    in_time(async { while matches!(status().await, Ok(1)) {} }).await;
    exchange.send(body(&BODY[9..], true)).await;
    assert!(matches!(exchange.expect().await, Answer::RequestHeaders(_)));
    assert_eq!(exchange.body().await, REWRITTEN);
    drop(exchange);
    let exited = async {
        loop {
            if let Some(status) = processor.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(in_time(exited).await.success());
}

#[tokio::test]
async fn any_number_of_streams_can_be_allowed() {
    let processor = Processor::start(&["--max-streams", &usize::MAX.to_string()]);
    let mut exchange = processor.exchange(STREAMED, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    exchange.send(body(BODY, true)).await;
    assert!(matches!(exchange.expect().await, Answer::RequestHeaders(_)));
    assert_eq!(exchange.body().await, REWRITTEN);
}

#[test]
fn a_time_limit_of_0_seconds_is_refused() {
    for flag in ["--reasoning-ttl", "--reasoning-store-timeout"] {
        let program = Command::new(env!("CARGO_BIN_EXE_moonshot-ext-proc"))
            // Without the file it ends in any case.
            .args([flag, "0", "--config", "nowhere.yaml"])
            .output()
            .unwrap();
        assert!(!program.status.success());
        let error = String::from_utf8(program.stderr).unwrap();
        assert!(error.contains("above 0"), "{error}");
    }
}

#[test]
fn the_readme_names_every_flag_and_the_help_fits() {
    let help = Command::new(env!("CARGO_BIN_EXE_moonshot-ext-proc"))
        .arg("--help")
        .output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let readme = include_str!("../../README.md");
    for line in help.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        let flags = line.split(' ').filter(|word| word.starts_with("--"));
        for flag in flags.filter(|flag| !["--help", "--version"].contains(flag)) {
            assert!(readme.contains(flag.trim_end_matches(',')), "{flag}");
        }
    }
}

/// By the source, because a metric with labels is printed once it has a value.
#[test]
fn the_readme_names_every_metric() {
    let source = include_str!("../../src/metrics.rs");
    let readme = include_str!("../../README.md");
    let mut count = 0;
    for call in source.split("registry.register(").skip(1) {
        let name = call.split('"').nth(1).unwrap();
        let is_named = ["", "_total"]
            .iter()
            .any(|end| readme.contains(&format!("`{name}{end}`")));
        assert!(is_named, "{name}");
        count += 1;
    }
    assert!(count > 8);
}
