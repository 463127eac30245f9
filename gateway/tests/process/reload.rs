//! SIGHUP reads the configuration again.
#![cfg(unix)]

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tower_moonshot::emulator::Emulator;

use crate::harness::{
    Gateway, KEY, OK, Setup, emulated, hello, in_time, read_request, read_until, saying,
};

/// A configuration with one model, served from an address, and a master key.
fn config(model: &str, upstream: SocketAddr, key: &str) -> String {
    format!(
        "model_list:
  - model_name: {model}
    litellm_params: {{model: moonshot/kimi-k3, api_base: 'http://{upstream}/v1', api_key: $KEY}}
general_settings: {{master_key: {key}}}
"
    )
}

/// A chat request that keeps the connection open.
fn ask(model: &str, key: &str) -> String {
    let body = format!(
        "{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hi\"}}]}}"
    );
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const RELOADED: &str = "the configuration was reloaded";
const NOT_RELOADED: &str = "the configuration was not reloaded";

#[tokio::test]
async fn names_upstreams_and_keys_are_replaced_on_open_connections_too() {
    let (mut first, mut second) = (saying(OK).await, saying(OK).await);
    let gateway = Setup::config(&config("old", first.address, "sk-old"));
    let gateway = gateway.start().await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    let answer = Gateway::send_on(&mut client, &ask("old", "sk-old")).await;
    assert_eq!(answer.status, 200);
    first.asked().await;

    gateway.reconfigure(&config("new", second.address, "sk-new"));
    gateway.signal("HUP");
    let line = gateway.says(RELOADED).await;
    assert!(line.contains("entries=1"), "{line}");
    for (model, key, status) in [
        ("old", "sk-old", 401),
        ("old", "sk-new", 404),
        ("new", "sk-new", 200),
    ] {
        let answer = Gateway::send_on(&mut client, &ask(model, key)).await;
        assert_eq!(answer.status, status, "{model} {key}");
    }
    second.asked().await;
    assert!(first.was_asked_nothing());
}

#[tokio::test]
async fn an_invalid_file_changes_nothing_and_the_log_says_where_it_is_wrong() {
    let upstream = saying(OK).await;
    let gateway = Setup::config(&config("old", upstream.address, "sk-old"));
    let gateway = gateway.start().await;
    let successful = "gateway_config_last_reload_successful";
    let read_at = "gateway_config_last_reload_success_timestamp_seconds";
    assert_eq!(gateway.metric(successful).await, Some(1.0));
    let at_start = gateway.metric(read_at).await.unwrap();
    assert!(at_start > 1.7e9, "{at_start}");

    gateway.reconfigure("model_list:\n  - model_name: new\n    litellm_params: {model: 4}\n");
    gateway.signal("HUP");
    let line = gateway.says(NOT_RELOADED).await;
    assert!(
        line.contains("ERROR") && line.contains("line 3, column 29"),
        "{line}"
    );
    assert_eq!(gateway.metric(successful).await, Some(0.0));
    assert_eq!(gateway.metric(read_at).await, Some(at_start));
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    let answer = Gateway::send_on(&mut client, &ask("old", "sk-old")).await;
    assert_eq!(answer.status, 200);

    gateway.reconfigure(&config("new", upstream.address, "sk-old"));
    gateway.signal("HUP");
    gateway.says(RELOADED).await;
    assert_eq!(gateway.metric(successful).await, Some(1.0));
    let answer = Gateway::send_on(&mut client, &ask("new", "sk-old")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_stream_continues_with_the_configuration_that_it_began_with() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = upstream.local_addr().unwrap();
    let gateway = Setup::config(&config("old", address, "sk-old"))
        .start()
        .await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client
        .write_all(ask("old", "sk-old").as_bytes())
        .await
        .unwrap();
    let (mut moonshot, _) = in_time(upstream.accept()).await.unwrap();
    read_request(&mut moonshot).await;
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
    moonshot.write_all(head).await.unwrap();
    let mut read = Vec::new();
    read_until(&mut client, &mut read, "one").await;

    let other = saying(OK).await;
    gateway.reconfigure(&config("new", other.address, "sk-new"));
    gateway.signal("HUP");
    gateway.says(RELOADED).await;
    moonshot.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
    read_until(&mut client, &mut read, "two\r\n0\r\n\r\n").await;
    // And the connection is still open.
    let answer = Gateway::send_on(&mut client, &ask("new", "sk-new")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn reloads_under_load_lose_no_request() {
    const CLIENTS: usize = 8;
    const RELOADS: usize = 10;
    let moonshot = emulated(Emulator::new().with_api_key(KEY)).await;
    let configs = [
        config("kimi", moonshot, "sk-1234"),
        config("'*'", moonshot, "sk-1234"),
    ];
    let gateway = Setup::config(&configs[0]).start().await;
    let address = gateway.address;
    let mut clients = JoinSet::new();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    for number in 0..CLIENTS {
        let stopped = stopped.clone();
        clients.spawn(async move {
            let mut served = 0;
            let mut client = TcpStream::connect(address).await.unwrap();
            while !*stopped.borrow() {
                // Half of the clients use a new connection for each request.
                if number % 2 == 0 {
                    client = TcpStream::connect(address).await.unwrap();
                }
                let answer = Gateway::send_on(&mut client, &ask("kimi", "sk-1234")).await;
                assert_eq!(answer.status, 200, "{}", answer.body);
                served += 1;
            }
            served
        });
    }
    for number in 1..=RELOADS {
        gateway.reconfigure(&configs[number % 2]);
        gateway.signal("HUP");
        let reloads = async {
            while gateway.output().matches(RELOADED).count() < number {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        in_time(reloads).await;
    }
    stop.send_replace(true);
    let mut served = 0;
    while let Some(client) = in_time(clients.join_next()).await {
        served += client.unwrap();
    }
    assert!(served >= CLIENTS, "{served}");
}

/// As a process does whose terminal is closed.
#[tokio::test]
async fn without_a_file_the_signal_ends_the_process() {
    let upstream = saying(OK).await;
    let mut gateway = Setup::to(upstream.address).start().await;
    assert_eq!(gateway.send(hello()).await.status, 200);
    gateway.signal("HUP");
    assert!(!in_time(gateway.ended()).await);
}

/// The process is stopped while a request and both signals arrive.
#[tokio::test]
async fn a_reload_during_the_shutdown_disturbs_nothing() {
    let upstream = saying(OK).await;
    let gateway = Setup::config(&config("old", upstream.address, "sk-old"));
    let mut gateway = gateway.start().await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    gateway.signal("STOP");
    client
        .write_all(ask("old", "sk-old").as_bytes())
        .await
        .unwrap();
    gateway.signal("HUP");
    gateway.terminate();
    gateway.signal("CONT");
    let mut answer = String::new();
    in_time(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(in_time(gateway.ended()).await, "{}", gateway.output());
}
