//! Envoy's protocol, message by message, with a client that plays Envoy.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by them"
)]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use envoy_types::pb::envoy::{
    config::core::v3::{HeaderMap, HeaderValue},
    extensions::filters::http::ext_proc::v3::processing_mode::BodySendMode,
    service::ext_proc::v3::{
        CommonResponse, HttpBody, HttpHeaders, HttpTrailers, ImmediateResponse, ProcessingRequest,
        ProcessingResponse, ProtocolConfiguration, body_mutation::Mutation,
        external_processor_client::ExternalProcessorClient, processing_request::Request as Ask,
        processing_response::Response as Answer,
    },
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

const CHAT: &str = "/v1/chat/completions";
const BODY: &str = r#"{"model":"moonshot/kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;
const REWRITTEN: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;

/// The time limit of each step, so that a failing test ends.
async fn in_time<F: Future>(step: F) -> F::Output {
    let step = tokio::time::timeout(Duration::from_secs(60), step);
    step.await.expect("in time")
}

struct Processor {
    child: Child,
    address: SocketAddr,
    metrics: String,
}

impl Processor {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moonshot-ext-proc"));
        for name in [
            "LITELLM_MASTER_KEY",
            "REASONING_STORE",
            "HOST",
            "PORT",
            "RUST_LOG",
        ] {
            command.env_remove(name);
        }
        let mut child = command
            .args(["--port", "0", "--metrics-port", "0"])
            .args(arguments)
            .env("MOONSHOT_API_KEY", "sk-up")
            .env("MOONSHOT_API_BASE", "https://region.test/base/v1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = |prefix: &str| {
            let line = lines.next().expect("it starts").unwrap();
            line.strip_prefix(prefix).unwrap().trim().to_owned()
        };
        Self {
            address: line("gRPC:").parse().unwrap(),
            metrics: line("Metrics:"),
            child,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn exchange(&self, request: BodySendMode, response: BodySendMode) -> Exchange {
        let client = ExternalProcessorClient::connect(self.url()).await.unwrap();
        let mut client = client.max_encoding_message_size(usize::MAX);
        let (sender, receiver) = mpsc::channel(64);
        let config = ProtocolConfiguration {
            request_body_mode: request as i32,
            response_body_mode: response as i32,
            ..ProtocolConfiguration::default()
        };
        // It answers once it has the first message.
        let answers = tokio::spawn(async move {
            let answers = client.process(ReceiverStream::new(receiver)).await;
            answers.map(tonic::Response::into_inner)
        });
        Exchange {
            sender,
            opening: Some(answers),
            answers: None,
            config: Some(config),
        }
    }
}

impl Drop for Processor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Answers = Streaming<ProcessingResponse>;

struct Exchange {
    sender: mpsc::Sender<ProcessingRequest>,
    opening: Option<tokio::task::JoinHandle<Result<Answers, Status>>>,
    answers: Option<Answers>,
    config: Option<ProtocolConfiguration>,
}

impl Exchange {
    async fn send(&mut self, message: Ask) {
        let message = ProcessingRequest {
            request: Some(message),
            protocol_config: self.config.take(),
            ..ProcessingRequest::default()
        };
        self.sender.send(message).await.unwrap();
    }

    async fn answer(&mut self) -> Result<ProcessingResponse, Status> {
        if let Some(opening) = self.opening.take() {
            self.answers = Some(in_time(opening).await.unwrap()?);
        }
        let answer = in_time(self.answers.as_mut().unwrap().message()).await?;
        answer.ok_or_else(|| Status::ok("the stream has ended"))
    }

    async fn expect(&mut self) -> Answer {
        self.answer().await.unwrap().response.unwrap()
    }

    /// Collects a streamed body.
    async fn body(&mut self) -> String {
        let mut text = Vec::new();
        loop {
            let (Answer::RequestBody(body) | Answer::ResponseBody(body)) = self.expect().await
            else {
                panic!("not a body");
            };
            let mutation = body.response.unwrap().body_mutation.unwrap().mutation;
            let Some(Mutation::StreamedResponse(piece)) = mutation else {
                panic!("not a piece");
            };
            text.extend(piece.body);
            if piece.end_of_stream {
                return String::from_utf8(text).unwrap();
            }
        }
    }
}

fn fields(list: &[(&str, &str)]) -> Option<HeaderMap> {
    let headers = list.iter().map(|(key, value)| HeaderValue {
        key: (*key).to_owned(),
        raw_value: value.as_bytes().to_vec(),
        ..HeaderValue::default()
    });
    Some(HeaderMap {
        headers: headers.collect(),
    })
}

fn head(path: &str, more: &[(&str, &str)], end_of_stream: bool) -> Ask {
    let mut list = vec![
        (":method", "POST"),
        (":path", path),
        (":authority", "envoy:4000"),
        (":scheme", "http"),
        ("content-type", "application/json"),
        ("authorization", "Bearer sk-client"),
    ];
    list.extend(more);
    Ask::RequestHeaders(HttpHeaders {
        headers: fields(&list),
        end_of_stream,
        ..HttpHeaders::default()
    })
}

fn body(text: &str, end_of_stream: bool) -> Ask {
    Ask::RequestBody(HttpBody {
        body: text.into(),
        end_of_stream,
        ..HttpBody::default()
    })
}

/// The headers that a mutation sets.
fn set(response: &CommonResponse) -> BTreeMap<String, String> {
    let mutation = response.header_mutation.as_ref();
    let options = mutation.map(|mutation| mutation.set_headers.iter());
    let options = options.into_iter().flatten();
    let headers = options.map(|option| option.header.clone().unwrap());
    headers
        .map(|header| (header.key, String::from_utf8(header.raw_value).unwrap()))
        .collect()
}

fn target() -> BTreeMap<String, String> {
    [
        (":authority", "region.test"),
        (":path", "/base/v1/chat/completions"),
        ("authorization", "Bearer sk-up"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn refused(answer: Answer) -> (u16, String) {
    let Answer::ImmediateResponse(ImmediateResponse { status, body, .. }) = answer else {
        panic!("not refused: {answer:?}");
    };
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let code = body["error"]["code"].as_str().unwrap().to_owned();
    (status.unwrap().code.try_into().unwrap(), code)
}

const STREAMED: BodySendMode = BodySendMode::FullDuplexStreamed;
const BUFFERED: BodySendMode = BodySendMode::Buffered;
const NONE: BodySendMode = BodySendMode::None;

#[tokio::test]
async fn a_streamed_request_is_rewritten_once_it_is_complete() {
    let processor = Processor::start(&[]);
    for at in [0, 1, 20, BODY.len()] {
        let mut exchange = processor.exchange(STREAMED, NONE).await;
        exchange.send(head(CHAT, &[], false)).await;
        exchange.send(body(&BODY[..at], false)).await;
        exchange.send(body(&BODY[at..], true)).await;
        let Answer::RequestHeaders(answer) = exchange.expect().await else {
            panic!("the head comes first");
        };
        let answer = answer.response.unwrap();
        assert_eq!(set(&answer), target());
        assert!(!answer.clear_route_cache);
        assert_eq!(exchange.body().await, REWRITTEN);
    }
}

#[tokio::test]
async fn trailers_stay_behind_a_streamed_body() {
    let processor = Processor::start(&[]);
    let mut exchange = processor.exchange(STREAMED, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    exchange.send(body(BODY, false)).await;
    let trailers = fields(&[("content-md5", "x"), ("x-other", "y")]);
    exchange
        .send(Ask::RequestTrailers(HttpTrailers { trailers }))
        .await;
    assert!(matches!(exchange.expect().await, Answer::RequestHeaders(_)));
    let Answer::RequestBody(piece) = exchange.expect().await else {
        panic!("not a body");
    };
    let mutation = piece.response.unwrap().body_mutation.unwrap().mutation;
    let Some(Mutation::StreamedResponse(piece)) = mutation else {
        panic!("not a piece");
    };
    assert_eq!((piece.body, piece.end_of_stream), (REWRITTEN.into(), false));
    let Answer::RequestTrailers(trailers) = exchange.expect().await else {
        panic!("no trailers");
    };
    // The digest is of the body before.
    assert_eq!(
        trailers.header_mutation.unwrap().remove_headers,
        ["content-md5"]
    );
}

#[tokio::test]
async fn a_buffered_request_is_asked_for_and_only_mutated_if_it_changes() {
    let processor = Processor::start(&[]);
    let rewritten = REWRITTEN.len().to_string();
    for (text, length) in [(BODY, Some(rewritten)), (REWRITTEN, None)] {
        let mut exchange = processor.exchange(BUFFERED, NONE).await;
        let own = text.len().to_string();
        exchange
            .send(head(CHAT, &[("content-length", &own)], false))
            .await;
        let answer = exchange.answer().await.unwrap();
        assert!(answer.mode_override.is_none());
        let Some(Answer::RequestHeaders(answer)) = answer.response else {
            panic!("the head comes first");
        };
        assert_eq!(set(&answer.response.unwrap()), BTreeMap::new());
        exchange.send(body(text, true)).await;
        let Answer::RequestBody(answer) = exchange.expect().await else {
            panic!("not a body");
        };
        let answer = answer.response.unwrap();
        let mut headers = target();
        headers.extend(
            length
                .clone()
                .map(|length| ("content-length".to_owned(), length)),
        );
        assert_eq!(set(&answer), headers);
        match answer
            .body_mutation
            .map(|mutation| mutation.mutation.unwrap())
        {
            Some(Mutation::Body(new)) => assert_eq!(new, REWRITTEN.as_bytes()),
            None => assert_eq!(length, None),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn other_requests_are_not_asked_for_their_body() {
    let processor = Processor::start(&[]);
    for (path, more) in [
        ("/v1/files", &[][..]),
        (CHAT, &[("content-encoding", "gzip")]),
        (CHAT, &[("content-length", "200000000")]),
    ] {
        let mut exchange = processor.exchange(BUFFERED, NONE).await;
        exchange.send(head(path, more, false)).await;
        let answer = exchange.answer().await.unwrap();
        let mode = answer.mode_override.expect("an override");
        assert_eq!(mode.request_body_mode(), NONE);
        let Some(Answer::RequestHeaders(answer)) = answer.response else {
            panic!("not a head");
        };
        assert_eq!(
            set(&answer.response.unwrap())["authorization"],
            "Bearer sk-up"
        );
        // Envoy may not allow it.
        exchange.send(body("anything", true)).await;
        let Answer::RequestBody(answer) = exchange.expect().await else {
            panic!("not a body");
        };
        assert!(answer.response.unwrap().body_mutation.is_none());
    }
}

#[tokio::test]
async fn a_body_over_the_limit_passes_as_it_comes() {
    let processor = Processor::start(&["--max-body-bytes", "30"]);
    let mut exchange = processor.exchange(STREAMED, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    exchange.send(body(&BODY[..40], false)).await;
    // Before its end is there.
    assert!(matches!(exchange.expect().await, Answer::RequestHeaders(_)));
    exchange.send(body(&BODY[40..], true)).await;
    assert_eq!(exchange.body().await, BODY);

    let processor = Processor::start(&["--max-body-bytes", "30", "--fail", "closed"]);
    let mut exchange = processor.exchange(STREAMED, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    exchange.send(body(BODY, true)).await;
    let answer = refused(exchange.expect().await);
    assert_eq!(answer, (413, "request_too_large".to_owned()));
}

#[tokio::test]
async fn responses_are_repaired_as_they_come() {
    let processor = Processor::start(&[]);
    let mut exchange = processor.exchange(STREAMED, STREAMED).await;
    let text = BODY.replacen(
        '{',
        r#"{"stream":true,"stream_options":{"include_usage":true},"#,
        1,
    );
    exchange.send(head(CHAT, &[], false)).await;
    exchange.send(body(&text, true)).await;
    assert!(matches!(exchange.expect().await, Answer::RequestHeaders(_)));
    exchange.body().await;
    let list = [(":status", "200"), ("content-type", "text/event-stream")];
    let headers = HttpHeaders {
        headers: fields(&list),
        ..HttpHeaders::default()
    };
    exchange.send(Ask::ResponseHeaders(headers)).await;
    assert!(matches!(
        exchange.expect().await,
        Answer::ResponseHeaders(_)
    ));
    let event = r#"data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"kimi-k3","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"#;
    let piece = |text: String, end_of_stream| {
        Ask::ResponseBody(HttpBody {
            body: text.into(),
            end_of_stream,
            ..HttpBody::default()
        })
    };
    exchange.send(piece(format!("{event}\n\n"), false)).await;
    // The first event doesn't wait for the next.
    let Answer::ResponseBody(first) = exchange.expect().await else {
        panic!("not a body");
    };
    let mutation = first.response.unwrap().body_mutation.unwrap().mutation;
    let Some(Mutation::StreamedResponse(first)) = mutation else {
        panic!("not a piece");
    };
    assert_eq!(first.body, format!("{event}\n\n").as_bytes());
    let last = event.replace(r#""delta":{"content":"Hi"},"finish_reason":null"#, r#""delta":{},"finish_reason":"stop","usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}"#);
    exchange
        .send(piece(format!("{last}\n\ndata: [DONE]\n\n"), true))
        .await;
    let rest = exchange.body().await;
    assert!(rest.contains(r#""choices":[],"usage":"#), "{rest}");
}

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
    let exited = tokio::task::spawn_blocking(move || processor.child.wait().unwrap().success());
    assert!(in_time(exited).await.unwrap());
}

#[test]
fn the_readme_names_every_flag_and_the_help_fits() {
    let help = Command::new(env!("CARGO_BIN_EXE_moonshot-ext-proc"))
        .arg("--help")
        .output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let readme = include_str!("../README.md");
    for line in help.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        let flags = line.split(' ').filter(|word| word.starts_with("--"));
        for flag in flags.filter(|flag| !["--help", "--version"].contains(flag)) {
            assert!(readme.contains(flag.trim_end_matches(',')), "{flag}");
        }
    }
}
