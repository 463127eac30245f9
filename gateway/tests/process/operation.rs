//! Log, metrics, limits and shutdown.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::harness::{
    Answer, Gateway, OK, Setup, chat, get, hello, hello_to, in_time, post, read_request,
    read_until, saying,
};

const SECRET: &str = "private content of a message";

fn telling() -> String {
    let message = json!({"role": "developer", "content": SECRET});
    let body = json!({"model": "moonshot/kimi-k3", "temperature": 2, "messages": [message]});
    let headers = "authorization: Bearer sk-the-callers-own\r\nx-request-id: abc\r\n";
    post(
        "/v1/chat/completions?secret=query",
        headers,
        &body.to_string(),
    )
}

#[tokio::test]
async fn each_request_is_logged_in_one_line_without_content_and_keys() {
    let upstream = saying(OK).await;
    for filter in ["info", "trace"] {
        let setup = Setup::to(upstream.address).variable("RUST_LOG", filter);
        let gateway = setup.start().await;
        assert_eq!(gateway.send(telling()).await.status, 200);
        let line = gateway.says("bytes_out=2").await;
        for part in [
            "INFO request method=POST path=\"/v1/chat/completions\" status=200",
            "model=\"moonshot/kimi-k3\"",
            &format!("upstream=\"http://{}/v1\"", upstream.address),
            "rules=\"model, sampling, role\"",
            "first_byte_ms=",
            "time_ms=",
            "id=\"abc\"",
        ] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        let log = gateway.output();
        assert_eq!(log.matches("INFO request").count(), 1, "{log}");
        for secret in [SECRET, "sk-the-callers-own", "secret=query"] {
            assert!(!log.contains(secret), "{secret} is in {log}");
        }
    }
}

/// Clients see these ids, and name them when they report a problem.
#[tokio::test]
async fn the_log_line_has_the_upstreams_request_id() {
    for header in ["msh-request-id", "x-request-id"] {
        let answer = format!(
            "HTTP/1.1 200 OK\r\n{header}: theirs\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
        );
        let upstream = saying(answer.leak()).await;
        let gateway = Setup::to(upstream.address).start().await;
        let answer = gateway.send(telling()).await;
        assert_eq!(answer.header(header), Some("theirs"));
        let line = gateway.says("bytes_out=2").await;
        assert!(line.contains("id=\"abc\" upstream_id=\"theirs\""), "{line}");
    }
}

/// The HTTP/2 implementation logs headers at trace level.
#[tokio::test]
async fn at_trace_level_content_and_keys_are_not_logged_over_http_2_either() {
    let upstream = saying(OK).await;
    let setup = Setup::to(upstream.address).variable("RUST_LOG", "trace");
    let gateway = setup.start().await;
    let client = reqwest::Client::builder().no_proxy();
    let client = client.http2_prior_knowledge().build().unwrap();
    let body = json!({"model": "kimi-k3", "messages": [{"role": "user", "content": SECRET}]});
    let answer = client
        .post(format!("http://{}/v1/chat/completions", gateway.address))
        .bearer_auth("sk-the-callers-own")
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    gateway.says("INFO request").await;
    let log = gateway.output();
    assert!(log.contains("TRACE"), "{log}");
    for secret in [SECRET, "sk-the-callers-own"] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

#[tokio::test]
async fn the_log_can_be_json_or_quiet() {
    let upstream = saying(OK).await;
    let setup = Setup::to(upstream.address).arguments(["--log", "json"]);
    let gateway = setup.start().await;
    gateway.send(telling()).await;
    let line: Value = serde_json::from_str(&gateway.says("bytes_out").await).unwrap();
    assert_eq!(line["message"], "request");
    assert_eq!(line["status"], 200);
    assert_eq!(line["model"], "moonshot/kimi-k3");
    assert_eq!(line["rules"], "model, sampling, role");

    let setup = Setup::to(upstream.address).variable("RUST_LOG", "error");
    let gateway = setup.start().await;
    gateway.send(telling()).await;
    gateway.send(hello()).await;
    assert!(!gateway.output().contains("INFO"), "{}", gateway.output());
}

#[tokio::test]
async fn a_model_name_cannot_forge_a_log_line_or_fill_the_disk() {
    let upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    let name = format!("a\nINFO request forged\u{1b}[31m{}", "é".repeat(10_000));
    assert_eq!(gateway.send(hello_to(&name)).await.status, 200);
    let line = gateway.says("bytes_out").await;
    assert!(line.contains(r"a\nINFO request forged"), "{line}");
    assert!(line.len() < 1000 && !line.contains('\u{1b}'), "{line}");
}

/// Names and labels of metrics. Changing them breaks dashboards.
#[tokio::test]
async fn metrics_count_what_happened() {
    let upstream = saying(OK).await;
    let gateway = Setup::config(&format!(
        "model_list:
  - {{model_name: kimi, litellm_params: &p {{model: moonshot/kimi-k3, api_base: 'http://{}'}}}}
  - {{model_name: my/*, litellm_params: {{<<: *p, model: moonshot/*}}}}
",
        upstream.address
    ))
    .start()
    .await;
    gateway.send(hello_to("kimi")).await;
    gateway.send(hello_to("my/kimi-k3")).await;
    gateway.send(hello_to("my/kimi-k2.6")).await;
    gateway.send(hello_to("one")).await;
    gateway.send(hello_to("another")).await;
    let answer = gateway.send(get("/metrics")).await;
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    for line in [
        "gateway_requests_total{model=\"kimi\",status=\"200\"} 1",
        "gateway_requests_total{model=\"my/*\",status=\"200\"} 2",
        "gateway_requests_total{model=\"other\",status=\"404\"} 2",
        "gateway_rewrites_total{rule=\"model\"} 3",
        "gateway_in_flight_requests 0",
        "gateway_request_body_bytes_count 5",
        "gateway_response_body_bytes_count 5",
        &format!(
            "gateway_upstream_seconds_count{{upstream=\"http://{}\"}} 3",
            upstream.address
        ),
        "# EOF",
    ] {
        assert!(
            answer.body.contains(line),
            "{line} is not in {}",
            answer.body
        );
    }
    assert!(!answer.body.contains("another"), "{}", answer.body);
    let readme = include_str!("../../README.md");
    for help in answer
        .body
        .lines()
        .filter(|line| line.starts_with("# HELP"))
    {
        let name = help.split(' ').nth(2).unwrap();
        assert!(
            readme.contains(&format!("| `{name}")),
            "{name} is not in README.md"
        );
    }
}

/// Opens a stream; returns the client's connection and the upstream's.
async fn stream(gateway: &Gateway, upstream: &TcpListener) -> (TcpStream, TcpStream) {
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(hello().as_bytes()).await.unwrap();
    let (mut moonshot, _) = in_time(upstream.accept()).await.unwrap();
    read_request(&mut moonshot).await;
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
    moonshot.write_all(head).await.unwrap();
    read_until(&mut client, &mut Vec::new(), "one").await;
    (client, moonshot)
}

const REST: &[u8] = b"3\r\ntwo\r\n0\r\n\r\n";

#[tokio::test]
async fn a_stream_keeps_its_place_to_its_end_and_requests_without_one_get_a_503() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // One place, shared by both workers.
    let arguments = ["--max-requests", "1", "--workers", "2"];
    let setup = Setup::to(upstream.local_addr().unwrap()).arguments(arguments);
    let gateway = setup.start().await;
    let (mut client, mut moonshot) = stream(&gateway, &upstream).await;

    // The first worker serves the stream, so this request goes to the second.
    let metrics = gateway.send(get("/metrics")).await;
    assert!(metrics.body.contains("gateway_in_flight_requests 1\n"));
    let answer = gateway.send(hello()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.error()["code"], "overloaded");
    assert_eq!(answer.header("retry-after"), Some("1"));
    // A client that is still sending sees the response too.
    let long = gateway.send(chat(&"x".repeat(20_000_000))).await;
    assert_eq!(long.status, 503);
    assert_eq!(gateway.send(get("/health/readiness")).await.status, 200);

    moonshot.write_all(REST).await.unwrap();
    in_time(client.read_to_end(&mut Vec::new())).await.unwrap();
    drop(client);
    gateway.says("bytes_out=6").await;
    // The place is free again. The request may go through the other worker, which has
    // its own connection to the upstream.
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(hello().as_bytes()).await.unwrap();
    let on_another = async {
        let (mut moonshot, _) = upstream.accept().await.unwrap();
        read_request(&mut moonshot).await
    };
    let again = in_time(async {
        tokio::select! {
            again = read_request(&mut moonshot) => again,
            again = on_another => again,
        }
    })
    .await;
    assert!(again.starts_with("POST "), "{again}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_soft_limit_on_open_files_is_raised() {
    // No connection times out to make room for another.
    let forever = ["--client-timeout", "3600"];
    let setup = Setup::default().open_files(40, 400).arguments(forever);
    let gateway = setup.start().await;
    let mut clients = Vec::new();
    for _ in 0..80 {
        let mut client = TcpStream::connect(gateway.address).await.unwrap();
        let request = b"GET /health/readiness HTTP/1.1\r\nhost: gateway\r\n\r\n";
        client.write_all(request).await.unwrap();
        read_until(&mut client, &mut Vec::new(), "healthy").await;
        clients.push(client);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_hard_limit_on_open_files_that_is_too_low_gets_a_warning() {
    let few = || Setup::default().open_files(40, 400);
    let gateway = few().start().await;
    let line = gateway.says("WARN").await;
    assert!(
        line.contains("--max-requests 1024 needs 2112 open files, but the hard limit is 400"),
        "{line}"
    );

    let gateway = few().arguments(["--max-requests", "168"]).start().await;
    assert_eq!(gateway.send(get("/health/readiness")).await.status, 200);
    assert!(!gateway.output().contains("WARN"), "{}", gateway.output());
}

#[cfg(unix)]
#[tokio::test]
async fn on_sigterm_streams_finish_and_new_connections_are_refused() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut gateway = Setup::to(upstream.local_addr().unwrap()).start().await;
    let (mut client, mut moonshot) = stream(&gateway, &upstream).await;
    gateway.terminate();
    gateway.says("waiting for open requests").await;
    assert!(TcpStream::connect(gateway.address).await.is_err());
    moonshot.write_all(REST).await.unwrap();
    let mut rest = Vec::new();
    in_time(client.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.ends_with(b"two\r\n0\r\n\r\n"));
    assert!(in_time(gateway.ended()).await, "{}", gateway.output());
}

#[cfg(unix)]
#[tokio::test]
async fn on_sigterm_streams_over_http_2_finish_too() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut gateway = Setup::to(upstream.local_addr().unwrap()).start().await;
    let client = reqwest::Client::builder().no_proxy();
    let client = client.http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}/v1/chat/completions", gateway.address);
    let request = client.post(url).body(r#"{"model":"kimi-k3"}"#).send();
    let moonshot = async {
        let (mut moonshot, _) = upstream.accept().await.unwrap();
        read_request(&mut moonshot).await;
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
        moonshot.write_all(head).await.unwrap();
        moonshot
    };
    let (answer, mut moonshot) = in_time(async { tokio::join!(request, moonshot) }).await;
    let mut answer = answer.unwrap();
    assert_eq!(in_time(answer.chunk()).await.unwrap().unwrap(), "one");
    gateway.terminate();
    gateway.says("waiting for open requests").await;
    moonshot.write_all(REST).await.unwrap();
    assert_eq!(in_time(answer.text()).await.unwrap(), "two");
    assert!(in_time(gateway.ended()).await, "{}", gateway.output());
}

#[cfg(unix)]
#[tokio::test]
async fn connections_without_a_request_do_not_delay_the_shutdown() {
    let forever = ["--shutdown-deadline", "3600", "--client-timeout", "3600"];
    let mut gateway = Setup::default().arguments(forever).start().await;
    let _fresh = TcpStream::connect(gateway.address).await.unwrap();
    let mut idle = TcpStream::connect(gateway.address).await.unwrap();
    let request = b"GET /health/readiness HTTP/1.1\r\nhost: gateway\r\n\r\n";
    idle.write_all(request).await.unwrap();
    read_until(&mut idle, &mut Vec::new(), "healthy").await;
    gateway.terminate();
    assert!(in_time(gateway.ended()).await);
}

#[cfg(unix)]
#[tokio::test]
async fn during_the_shutdown_readiness_is_a_503() {
    let setup = Setup::default().arguments(["--workers", "1"]);
    let mut gateway = setup.start().await;
    let mut late = TcpStream::connect(gateway.address).await.unwrap();
    let head = b"GET /health/readiness HTTP/1.1\r\nhost: gateway\r\n";
    late.write_all(head).await.unwrap();
    // The same worker has responded to a later request, so it has read this one.
    assert_eq!(gateway.send(get("/health/readiness")).await.status, 200);
    gateway.terminate();
    gateway.says("waiting for open requests").await;
    late.write_all(b"\r\n").await.unwrap();
    let mut answer = String::new();
    in_time(late.read_to_string(&mut answer)).await.unwrap();
    let answer = Answer::parse(&answer);
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["status"], "shutting_down");
    assert!(in_time(gateway.ended()).await);
}

#[cfg(unix)]
#[tokio::test]
async fn a_stream_that_outlasts_the_shutdown_deadline_is_cut_off() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::to(upstream.local_addr().unwrap()).arguments(["--shutdown-deadline", "0.1"]);
    let mut gateway = setup.start().await;
    let (mut client, _moonshot) = stream(&gateway, &upstream).await;
    gateway.terminate();
    assert!(in_time(gateway.ended()).await);
    assert!(
        gateway
            .output()
            .contains("the shutdown deadline has passed")
    );
    assert!(
        gateway.output().contains("the client disconnected"),
        "not logged"
    );
    let mut rest = Vec::new();
    let _ = in_time(client.read_to_end(&mut rest)).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "must not look complete");
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_signal_exits_at_once() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup =
        Setup::to(upstream.local_addr().unwrap()).arguments(["--shutdown-deadline", "3600"]);
    let mut gateway = setup.start().await;
    let (_client, _moonshot) = stream(&gateway, &upstream).await;
    gateway.terminate();
    gateway.says("waiting for open requests").await;
    gateway.terminate();
    assert!(in_time(gateway.ended()).await);
    assert!(
        gateway.output().contains("the client disconnected"),
        "not logged"
    );
}

#[tokio::test]
async fn a_connection_without_a_complete_head_is_closed() {
    let gateway = Setup::default()
        .arguments(["--client-timeout", "0.1"])
        .start()
        .await;
    // Nothing, the beginning of HTTP/2's preface, and half of a head.
    for start in [
        "",
        "PRI",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n",
    ] {
        let mut client = TcpStream::connect(gateway.address).await.unwrap();
        client.write_all(start.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = in_time(client.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.contains(" 408 "),
            "{start}: {answer}"
        );
    }
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let gateway = Setup::default()
        .arguments(["--max-headers", "20"])
        .start()
        .await;
    let headers = |count: usize| {
        (0..count)
            .map(|n| format!("x-{n}: 1\r\n"))
            .collect::<String>()
    };
    // `post` adds three headers.
    assert_eq!(
        gateway
            .send(post("/v1/chat/completions", &headers(17), "{}"))
            .await
            .status,
        400
    );
    assert_eq!(
        gateway
            .send(post("/v1/chat/completions", &headers(18), "{}"))
            .await
            .status,
        431
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn requests_in_flight_take_little_more_memory_than_their_bodies() {
    use std::sync::Arc;

    use socket2::SockRef;
    use tokio::{net::TcpSocket, task::JoinSet};

    use crate::harness::{Answer, send};

    const REQUESTS: usize = 100;
    const BODY: usize = 1_000_000;

    // An upstream that reads no body until all requests have arrived.
    let socket = TcpSocket::new_v4().unwrap();
    // Small segments and a small buffer, so that bodies wait in the gateway and not in
    // the kernel.
    socket.set_recv_buffer_size(4096).unwrap();
    SockRef::from(&socket).set_tcp_mss(1024).unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let upstream = socket.listen(1024).unwrap();
    let address = upstream.local_addr().unwrap();
    let gateway = Setup::to(address).start().await;
    let before = gateway.peak_memory();

    let body = json!({
        "model": "kimi-k3",
        "messages": [{"role": "developer", "content": "x".repeat(BODY)}],
    });
    // With a key, so that thoughts are kept.
    let headers = "content-type: application/json\r\nauthorization: Bearer sk-alice\r\n";
    let request: Arc<str> = post("/v1/chat/completions", headers, &body.to_string()).into();
    let mut clients = JoinSet::new();
    for _ in 0..REQUESTS {
        let (address, request) = (gateway.address, Arc::clone(&request));
        clients.spawn(async move { send(address, &*request).await });
    }
    let mut connections = Vec::new();
    for _ in 0..REQUESTS {
        let (mut connection, _) = in_time(upstream.accept()).await.unwrap();
        let mut read = Vec::with_capacity(64);
        in_time(connection.read_buf(&mut read)).await.unwrap();
        connections.push((connection, read));
    }
    for (mut connection, mut read) in connections {
        clients.spawn(async move {
            while !read.ends_with(br#""model":"kimi-k3"}"#) {
                assert_ne!(connection.read_buf(&mut read).await.unwrap(), 0);
            }
            assert!(read.ends_with(br#""role":"system"}],"model":"kimi-k3"}"#));
            connection.write_all(OK.as_bytes()).await.unwrap();
            Answer::parse(OK)
        });
    }
    while let Some(answer) = in_time(clients.join_next()).await {
        assert_eq!(answer.unwrap().status, 200);
    }
    let took = gateway.peak_memory() - before;
    assert!(took < REQUESTS * BODY * 6 / 5, "{took} bytes");
}
