//! SIGHUP reads the configuration again.

use std::process::Command;

use envoy_types::pb::envoy::service::ext_proc::v3::processing_response::Response as Answer;

use crate::client::{
    BODY, CHAT, Exchange, NONE, Processor, STREAMED, body, file, head, in_time, set,
};

const SUCCESSFUL: &str = "config_last_reload_successful";

/// A configuration with one model, of a host.
fn config(model: &str, host: &str) -> String {
    format!(
        "model_list:
  - {{model_name: {model}, litellm_params: {{model: moonshot/kimi-k3, api_base: 'https://{host}/v1'}}}}
"
    )
}

fn hang_up(processor: &Processor) {
    let pid = processor.child.id().to_string();
    let status = Command::new("kill").args(["-HUP", &pid]).status();
    assert!(status.unwrap().success());
}

/// Ends a request for a model, and returns the host to which it is sent, if any.
async fn host(mut exchange: Exchange, model: &str) -> Option<String> {
    let text = BODY.replace("moonshot/kimi-k3", model);
    exchange.send(body(&text, true)).await;
    let Answer::RequestHeaders(answer) = exchange.expect().await else {
        panic!("not a head");
    };
    set(&answer.response.unwrap()).remove(":authority")
}

async fn begun(processor: &Processor) -> Exchange {
    let mut exchange = processor.exchange(STREAMED, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    exchange
}

#[tokio::test]
async fn the_next_request_gets_the_new_configuration_and_an_open_one_keeps_its_own() {
    let file = file("reload.yaml", &config("old", "a.test"));
    let processor = Processor::start(&["--config", file.to_str().unwrap()]);
    let open = begun(&processor).await;
    in_time(async { while processor.metric("open_streams").await != 1.0 {} }).await;

    std::fs::write(&file, config("new", "b.test")).unwrap();
    hang_up(&processor);
    in_time(async {
        while host(begun(&processor).await, "new").await.as_deref() != Some("b.test") {}
    })
    .await;
    assert_eq!(host(begun(&processor).await, "old").await, None);
    assert_eq!(host(open, "old").await.as_deref(), Some("a.test"));
    assert_eq!(processor.metric(SUCCESSFUL).await, 1.0);
    let log = processor.log();
    assert!(
        log.contains("the configuration was reloaded entries=1"),
        "{log}"
    );
}

#[tokio::test]
async fn an_invalid_file_changes_nothing_and_the_log_says_where_it_is_wrong() {
    let file = file("reload-invalid.yaml", &config("old", "a.test"));
    let processor = Processor::start(&["--config", file.to_str().unwrap()]);
    assert_eq!(processor.metric(SUCCESSFUL).await, 1.0);
    let time = "config_last_reload_success_timestamp_seconds";
    let at_start = processor.metric(time).await;
    assert!(at_start > 1.7e9, "{at_start}");

    let invalid = "model_list:\n  - model_name: new\n    litellm_params: {model: 4}\n";
    std::fs::write(&file, invalid).unwrap();
    hang_up(&processor);
    in_time(async { while processor.metric(SUCCESSFUL).await != 0.0 {} }).await;
    let found = host(begun(&processor).await, "old").await;
    assert_eq!(found.as_deref(), Some("a.test"));
    assert_eq!(processor.metric(time).await, at_start);
    // It is written after the metric.
    in_time(async {
        let line = "ERROR the configuration was not reloaded: ";
        let place = "line 3, column 29";
        while !(processor.log().contains(line) && processor.log().contains(place)) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;

    std::fs::write(&file, config("new", "b.test")).unwrap();
    hang_up(&processor);
    in_time(async { while processor.metric(SUCCESSFUL).await != 1.0 {} }).await;
    let found = host(begun(&processor).await, "new").await;
    assert_eq!(found.as_deref(), Some("b.test"));
}

#[tokio::test]
async fn without_a_file_the_signal_ends_the_process() {
    let mut processor = Processor::start(&[]);
    hang_up(&processor);
    let ended = in_time(async {
        loop {
            if let Some(status) = processor.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    assert!(!ended.await.success());
}
