//! The gateway of the examples, from outside: bytes in, bytes out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../examples/gateway/app.rs"]
mod app;
#[path = "../examples/gateway/error.rs"]
mod error;
#[path = "../examples/gateway/headers.rs"]
mod headers;
#[path = "../examples/gateway/upstream.rs"]
mod upstream;

use std::{
    future::{Future, pending},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, http::StatusCode, response::Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tower_moonshot::{ApiKey, MoonshotCompatLayer, Region};

use crate::{
    app::{Config, app},
    upstream::Upstream,
};

const KEY: &str = "sk-a-key-that-nobody-may-see";

/// What no test should ever wait for.
const FOREVER: Duration = Duration::from_secs(60);

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    address
}

/// A gateway to the emulator.
async fn emulated(config: &Config) -> SocketAddr {
    serve(app(
        MoonshotCompatLayer::new(),
        Upstream::emulator(config),
        config,
    ))
    .await
}

/// A gateway to a base URL, with a key.
async fn gateway_to(base: &str, config: &Config) -> SocketAddr {
    let layer = MoonshotCompatLayer::new()
        .with_region(Region::custom(base).unwrap())
        .with_api_key(ApiKey::new(KEY).unwrap());
    serve(app(layer, Upstream::network(config), config)).await
}

async fn gateway(upstream: SocketAddr) -> SocketAddr {
    gateway_to(&format!("http://{upstream}/v1"), &Config::default()).await
}

/// An upstream that says one thing to whatever it is asked, and tells what it was
/// asked.
async fn recording(answer: &'static str) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let sender = sender.clone();
            tokio::spawn(async move {
                let request = read_request(&mut connection).await;
                if !request.is_empty() {
                    let _ = sender.send(request);
                    connection.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (address, receiver)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// The head of a request and as much body as it announces; what is there if the
/// peer hangs up.
async fn read_request(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        if connection.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return String::from_utf8_lossy(&read).into_owned();
        }
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
        Self {
            status: head[9..12].parse().unwrap(),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The error, after a look at its form.
    fn error(&self) -> Value {
        let error = self.json()["error"].take();
        for field in ["message", "type"] {
            assert_ne!(error[field].as_str().unwrap_or_default(), "", "{error}");
        }
        assert!(self.head.contains("content-type: application/json"));
        assert!(!self.head.contains(KEY) && !self.body.contains(KEY));
        error
    }
}

/// Sends bytes and reads until the gateway closes the connection.
async fn send(gateway: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut connection = TcpStream::connect(gateway).await.unwrap();
    connection.write_all(request.as_ref()).await.unwrap();
    read_answer(connection).await
}

async fn read_answer(mut connection: TcpStream) -> Answer {
    let mut text = String::new();
    in_time(connection.read_to_string(&mut text)).await.unwrap();
    Answer::parse(&text)
}

async fn in_time<F: Future>(future: F) -> F::Output {
    timeout(FOREVER, future).await.expect("a hang")
}

fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn chat(body: &str) -> String {
    let headers = "content-type: application/json\r\n";
    post("/v1/chat/completions", headers, body)
}

fn hello() -> String {
    chat(&json!({"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}).to_string())
}

#[tokio::test]
async fn the_request_that_is_printed_at_the_start_is_rewritten_and_answered() {
    let gateway = emulated(&Config::default()).await;
    let answer = send(
        gateway,
        chat(include_str!("../examples/gateway/request.json")),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let call = &answer.json()["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "weather");
    let rewrites = "x-moonshot-rewrites: model, tool_choice, sampling, content";
    assert!(answer.head.contains(rewrites), "{}", answer.head);
}

#[tokio::test]
async fn without_a_rewrite_there_is_no_header_that_says_so() {
    let gateway = emulated(&Config::default()).await;
    let answer = send(gateway, hello()).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.head.contains("x-moonshot-rewrites"));
}

#[tokio::test]
async fn http_2_works_as_well() {
    let gateway = emulated(&Config::default()).await;
    let client = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let answer = client
        .post(format!("http://{gateway}/v1/chat/completions"))
        .header("content-type", "application/json")
        .body(include_str!("../examples/gateway/request.json"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
}

#[tokio::test]
async fn events_arrive_one_by_one() {
    let (events, receiver) = mpsc::unbounded_channel::<Bytes>();
    let receiver = Arc::new(std::sync::Mutex::new(Some(receiver)));
    let upstream = Router::new().fallback(move || {
        let receiver = receiver.lock().unwrap().take().unwrap();
        async move {
            let events = stream::unfold(receiver, |mut receiver| async {
                let event = receiver.recv().await?;
                Some((Ok::<_, std::io::Error>(event), receiver))
            });
            Response::builder()
                .header("content-type", "text/event-stream")
                .body(Body::from_stream(events))
                .unwrap()
        }
    });
    let gateway = gateway(serve(upstream).await).await;

    let mut connection = TcpStream::connect(gateway).await.unwrap();
    connection.write_all(hello().as_bytes()).await.unwrap();
    let mut read = Vec::new();
    for number in 0..5 {
        let event = format!("data: {number}\n\n");
        events.send(Bytes::from(event.clone())).unwrap();
        // The next event isn't even sent before this one is here.
        while !String::from_utf8_lossy(&read).contains(&event) {
            assert_ne!(in_time(connection.read_buf(&mut read)).await.unwrap(), 0);
        }
    }
    drop(events);
    in_time(connection.read_to_end(&mut read)).await.unwrap();
    assert!(read.ends_with(b"0\r\n\r\n"), "the stream ends as it should");
}

#[tokio::test]
async fn a_stream_that_takes_longer_than_its_first_byte_may_is_not_cut() {
    let upstream = Router::new().fallback(|| async {
        let numbers = stream::unfold(0, |number| async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            (number < 5).then(|| (Ok::<_, std::io::Error>(format!("{number};")), number + 1))
        });
        Body::from_stream(numbers)
    });
    let upstream = serve(upstream).await;
    let config = Config {
        first_byte_timeout: Duration::from_secs(1),
        ..Config::default()
    };
    let gateway = gateway_to(&format!("http://{upstream}/v1"), &config).await;
    let answer = send(gateway, hello()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("4;") && answer.body.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn a_refused_connection_is_a_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let answer = send(gateway(nobody).await, hello()).await;
    assert_eq!(answer.status, 502);
    let message = answer.error()["message"].to_string();
    assert!(message.contains("could not connect"), "{message}");
    assert!(message.contains(&nobody.to_string()), "{message}");
}

#[tokio::test]
async fn an_upstream_that_hangs_up_is_a_502() {
    let (upstream, _requests) = recording("").await;
    let answer = send(gateway(upstream).await, hello()).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.error()["type"], "upstream_error");
}

#[tokio::test]
async fn an_upstream_that_talks_nonsense_is_a_502() {
    let (upstream, _requests) = recording("220 smtp.example.com ESMTP\r\n\r\n").await;
    let answer = send(gateway(upstream).await, hello()).await;
    assert_eq!(answer.status, 502);
    answer.error();
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_end_as_if_it_were_whole() {
    let half = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
    let (upstream, _requests) = recording(half).await;
    let answer = send(gateway(upstream).await, hello()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("data: 1"));
    assert!(!answer.body.ends_with("0\r\n\r\n"), "{}", answer.body);
}

/// Accepts connections and says nothing.
async fn black_hole() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut connections = Vec::new();
        loop {
            connections.push(listener.accept().await.unwrap());
        }
    });
    address
}

#[tokio::test]
async fn an_upstream_that_never_answers_is_a_504() {
    let config = Config {
        first_byte_timeout: Duration::from_millis(50),
        ..Config::default()
    };
    let base = format!("http://{}/v1", black_hole().await);
    let answer = send(gateway_to(&base, &config).await, hello()).await;
    assert_eq!(answer.status, 504);
    let message = answer.error()["message"].to_string();
    assert!(message.contains("did not answer within 50ms"), "{message}");
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_504() {
    let config = Config {
        connect_timeout: Duration::from_millis(50),
        ..Config::default()
    };
    let base = format!("https://{}/v1", black_hole().await);
    let answer = send(gateway_to(&base, &config).await, hello()).await;
    assert_eq!(answer.status, 504);
    let message = answer.error()["message"].to_string();
    assert!(message.contains("connecting to"), "{message}");
}

#[tokio::test]
async fn a_server_without_tls_behind_an_https_url_is_a_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let refusal = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        connection.write_all(refusal).await.unwrap();
    });
    let base = format!("https://{upstream}/v1");
    let answer = send(gateway_to(&base, &Config::default()).await, hello()).await;
    assert_eq!(answer.status, 502);
    answer.error();
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413_however_it_is_sent() {
    let (upstream, mut requests) = recording(OK).await;
    let config = Config {
        max_body_bytes: 10_000,
        ..Config::default()
    };
    let gateway = gateway_to(&format!("http://{upstream}/v1"), &config).await;

    // All of it before a look at the answer: more than any socket buffers.
    let announced = chat(&"x".repeat(20_000_000));
    let size = 20_000_000;
    let chunked = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n{size:x}\r\n{}\r\n0\r\n\r\n",
        "x".repeat(size)
    );
    // Only the head.
    let waiting = "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
                   expect: 100-continue\r\ncontent-length: 20000000\r\n\r\n";
    for request in [announced.as_str(), &chunked, waiting] {
        let answer = in_time(send(gateway, request)).await;
        assert_eq!(answer.status, 413);
        let message = answer.error()["message"].to_string();
        assert!(message.contains("10000 bytes"), "{message}");
    }
    assert!(requests.try_recv().is_err(), "nothing was sent on");
}

#[tokio::test]
async fn broken_json_is_a_400_that_names_the_place() {
    let (upstream, mut requests) = recording(OK).await;
    let gateway = gateway(upstream).await;
    let answer = send(gateway, chat("{\"model\": \"kimi-k3\",\n  \"n\": 1,,\n}")).await;
    assert_eq!(answer.status, 400);
    let message = answer.error()["message"].to_string();
    assert!(message.contains("line 2, column 10"), "{message}");
    assert!(requests.try_recv().is_err(), "nothing was sent on");
}

#[tokio::test]
async fn a_chat_request_that_says_it_is_no_json_is_a_400() {
    let (upstream, mut requests) = recording(OK).await;
    let gateway = gateway(upstream).await;
    // What curl says when nobody tells it otherwise.
    let headers = "content-type: application/x-www-form-urlencoded\r\n";
    let answer = send(gateway, post("/v1/chat/completions", headers, "{}")).await;
    assert_eq!(answer.status, 400);
    let message = answer.error()["message"].to_string();
    assert!(message.contains("application/json"), "{message}");
    assert!(requests.try_recv().is_err(), "nothing was sent on");
}

#[tokio::test]
async fn a_caller_that_goes_before_its_body_is_whole_leaves_no_trace_upstream() {
    let (upstream, mut requests) = recording(OK).await;
    let gateway = gateway(upstream).await;
    let whole = hello();
    let cut = &whole[..whole.len() - 5];
    // It still listens, so the gateway can tell it.
    let mut connection = TcpStream::connect(gateway).await.unwrap();
    connection.write_all(cut.as_bytes()).await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = String::new();
    in_time(connection.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(
        answer.is_empty() || answer.contains(" 400 "),
        "no success: {answer}"
    );
    // The next request is the first that gets through.
    assert_eq!(send(gateway, &whole).await.status, 200);
    assert!(
        requests
            .recv()
            .await
            .unwrap()
            .contains("\"content\":\"Hi\"")
    );
    assert!(requests.try_recv().is_err());
}

#[tokio::test]
async fn what_the_upstream_refuses_comes_back_as_it_said_it() {
    let gateway = emulated(&Config::default()).await;
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
    let answer = send(gateway, chat(&body.to_string())).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.error()["type"], "resource_not_found_error");

    let refusal = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 9\r\n\
                   connection: close\r\n\r\nnot { now";
    let (upstream, _requests) = recording(refusal).await;
    let answer = send(self::gateway(upstream).await, hello()).await;
    assert_eq!(answer.status, 429);
    assert!(answer.head.contains("retry-after: 7"));
    assert_eq!(answer.body, "not { now");
}

#[tokio::test]
async fn other_paths_go_through_with_their_query() {
    let (upstream, mut requests) = recording(OK).await;
    let gateway = gateway(upstream).await;
    let request = "GET /openai/v1/models?limit=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                   expect: 100-continue\r\n\r\n";
    assert_eq!(send(gateway, request).await.status, 200);
    let request = requests.recv().await.unwrap();
    assert!(
        request.starts_with("GET /v1/models?limit=1 HTTP/1.1"),
        "{request}"
    );
    assert!(request.contains(&format!("host: {upstream}")), "{request}");
    // The gateway can't keep that promise.
    assert!(!request.contains("expect"), "{request}");
}

/// Says so when it is dropped.
struct Tell(mpsc::UnboundedSender<&'static str>, &'static str);

impl Drop for Tell {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

#[tokio::test]
async fn a_caller_that_hangs_up_cancels_the_upstream() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let upstream = {
        let sender = sender.clone();
        Router::new()
            .route(
                "/v1/models",
                axum::routing::get({
                    let sender = sender.clone();
                    || async move {
                        let _tell = Tell(sender.clone(), "thinking cancelled");
                        sender.send("thinking").unwrap();
                        pending::<StatusCode>().await
                    }
                }),
            )
            .fallback(|| async move {
                let tell = Tell(sender, "stream cancelled");
                let endless = stream::unfold(tell, |tell| async {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    Some((Ok::<_, std::io::Error>("data: {}\n\n"), tell))
                });
                Body::from_stream(endless)
            })
    };
    let gateway = gateway(serve(upstream).await).await;

    // Before there is an answer.
    let mut connection = TcpStream::connect(gateway).await.unwrap();
    connection
        .write_all(b"GET /v1/models HTTP/1.1\r\nhost: gateway\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(in_time(told.recv()).await, Some("thinking"));
    drop(connection);
    assert_eq!(in_time(told.recv()).await, Some("thinking cancelled"));

    // In the middle of a stream.
    let mut connection = TcpStream::connect(gateway).await.unwrap();
    connection.write_all(hello().as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("data: {}") {
        assert_ne!(in_time(connection.read_buf(&mut read)).await.unwrap(), 0);
    }
    drop(connection);
    assert_eq!(in_time(told.recv()).await, Some("stream cancelled"));
}

#[tokio::test]
async fn headers_of_one_connection_stay_on_it() {
    let answer = "HTTP/1.1 200 OK\r\nconnection: close, x-upstream\r\nx-upstream: 1\r\n\
                  keep-alive: timeout=5\r\nproxy-authenticate: Basic\r\ntrailer: x\r\n\
                  upgrade: h2c\r\nx-kept: 1\r\ncontent-length: 2\r\n\r\n{}";
    let (upstream, mut requests) = recording(answer).await;
    let gateway = gateway(upstream).await;
    let headers = "content-type: application/json\r\nconnection: x-caller , authorization\r\n\
                   x-caller: 1\r\nkeep-alive: timeout=5\r\nproxy-authorization: Basic eDp5\r\n\
                   proxy-connection: keep-alive\r\nte: trailers\r\ntrailer: x\r\nupgrade: h2c\r\n\
                   authorization: Bearer of-the-caller\r\nx-kept: 1\r\n";
    let body = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;
    let answer = send(gateway, post("/v1/chat/completions", headers, body)).await;
    assert_eq!(answer.status, 200);
    let request = requests.recv().await.unwrap().to_lowercase();
    for head in [&request, &answer.head] {
        let names: Vec<&str> = head
            .lines()
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
        ] {
            assert!(!names.contains(&gone), "{gone} in {head}");
        }
        assert!(names.contains(&"x-kept"));
    }
    assert!(!request.contains("of-the-caller"));
    // A caller can't make the gateway drop its own key.
    assert!(request.contains(&format!("authorization: bearer {KEY}")));
}

#[tokio::test]
async fn the_key_goes_to_no_host_that_a_caller_names() {
    let (upstream, mut requests) = recording(OK).await;
    let base = format!("http://{upstream}/a/base/url/with/quite/a/long/path/v1");
    let gateway = gateway_to(&base, &Config::default()).await;
    let (elsewhere, mut stolen) = recording(OK).await;

    // The form that clients send to a forward proxy.
    let absolute = format!(
        "GET http://{elsewhere}/v1/models HTTP/1.1\r\nhost: {elsewhere}\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(send(gateway, absolute).await.status, 200);
    assert!(requests.recv().await.unwrap().contains(KEY));

    // As long as a target may be, and too long with the path of the base URL.
    let path = "a".repeat(u16::MAX as usize - 1 - format!("http://{elsewhere}/").len());
    let long = format!(
        "GET http://{elsewhere}/{path} HTTP/1.1\r\nhost: {elsewhere}\r\nconnection: close\r\n\r\n"
    );
    let connect =
        format!("CONNECT {elsewhere} HTTP/1.1\r\nhost: {elsewhere}\r\nconnection: close\r\n\r\n");
    assert_eq!(send(gateway, long).await.status, 200);
    assert!(requests.recv().await.unwrap().contains(KEY));
    assert_eq!(send(gateway, connect).await.status, 400);
    assert!(stolen.try_recv().is_err());
}

#[tokio::test]
async fn its_own_health_is_asked_of_nobody_else() {
    let gateway = gateway(black_hole().await).await;
    let request = "GET /health HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n";
    assert_eq!(send(gateway, request).await.body, "ok");
}
