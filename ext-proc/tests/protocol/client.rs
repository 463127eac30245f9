//! A client that plays Envoy, and the processes under test.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use envoy_types::pb::envoy::{
    config::core::v3::{HeaderMap, HeaderValue},
    extensions::filters::http::ext_proc::v3::processing_mode::BodySendMode,
    service::ext_proc::v3::{
        CommonResponse, HttpBody, HttpHeaders, ImmediateResponse, ProcessingRequest,
        ProcessingResponse, ProtocolConfiguration, body_mutation::Mutation,
        external_processor_client::ExternalProcessorClient, processing_request::Request as Ask,
        processing_response::Response as Answer,
    },
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const BODY: &str =
    r#"{"model":"moonshot/kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;
pub(crate) const REWRITTEN: &str =
    r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;

/// The time limit of each step, so that a failing test ends.
pub(crate) async fn in_time<F: Future>(step: F) -> F::Output {
    let step = tokio::time::timeout(Duration::from_secs(60), step);
    step.await.expect("in time")
}

pub(crate) struct Processor {
    pub(crate) child: Child,
    address: SocketAddr,
    pub(crate) metrics: String,
    log: PathBuf,
}

impl Processor {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
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
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let log = file(&format!("log-{}-{number}", std::process::id()), "");
        let mut child = command
            .args(["--port", "0", "--metrics-port", "0"])
            .args(arguments)
            .env("MOONSHOT_API_KEY", "sk-up")
            .env("MOONSHOT_API_BASE", "https://region.test/base/v1")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
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
            log,
        }
    }

    /// Returns what it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until `what` is in its log as often as `times` says.
    pub(crate) async fn says_often(&self, what: &str, times: usize) {
        let said = async {
            while self.log().matches(what).count() < times {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        in_time(said).await;
    }

    /// Returns a number from its metrics.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = reqwest::get(&self.metrics).await.unwrap().text().await;
        let text = text.unwrap();
        let name = format!("moonshot_ext_proc_{name} ");
        let number = text.lines().find_map(|line| line.strip_prefix(&name));
        number.expect("the metric").parse().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn exchange(&self, request: BodySendMode, response: BodySendMode) -> Exchange {
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
        let _ = std::fs::remove_file(&self.log);
    }
}

/// Writes a file with a name of its own.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, text).unwrap();
    file
}

type Answers = Streaming<ProcessingResponse>;

pub(crate) struct Exchange {
    sender: mpsc::Sender<ProcessingRequest>,
    opening: Option<tokio::task::JoinHandle<Result<Answers, Status>>>,
    answers: Option<Answers>,
    config: Option<ProtocolConfiguration>,
}

impl Exchange {
    pub(crate) async fn send(&mut self, message: Ask) {
        let message = ProcessingRequest {
            request: Some(message),
            protocol_config: self.config.take(),
            ..ProcessingRequest::default()
        };
        self.sender.send(message).await.unwrap();
    }

    pub(crate) async fn answer(&mut self) -> Result<ProcessingResponse, Status> {
        if let Some(opening) = self.opening.take() {
            self.answers = Some(in_time(opening).await.unwrap()?);
        }
        let answer = in_time(self.answers.as_mut().unwrap().message()).await?;
        answer.ok_or_else(|| Status::ok("the stream has ended"))
    }

    pub(crate) async fn expect(&mut self) -> Answer {
        self.answer().await.unwrap().response.unwrap()
    }

    /// Collects a streamed body.
    pub(crate) async fn body(&mut self) -> String {
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

pub(crate) fn fields(list: &[(&str, &str)]) -> Option<HeaderMap> {
    let headers = list.iter().map(|(key, value)| HeaderValue {
        key: (*key).to_owned(),
        raw_value: value.as_bytes().to_vec(),
        ..HeaderValue::default()
    });
    Some(HeaderMap {
        headers: headers.collect(),
    })
}

pub(crate) fn head(path: &str, more: &[(&str, &str)], end_of_stream: bool) -> Ask {
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

pub(crate) fn body(text: &str, end_of_stream: bool) -> Ask {
    Ask::RequestBody(HttpBody {
        body: text.into(),
        end_of_stream,
        ..HttpBody::default()
    })
}

/// The headers that a mutation sets.
pub(crate) fn set(response: &CommonResponse) -> BTreeMap<String, String> {
    let mutation = response.header_mutation.as_ref();
    let options = mutation.map(|mutation| mutation.set_headers.iter());
    let options = options.into_iter().flatten();
    let headers = options.map(|option| option.header.clone().unwrap());
    headers
        .map(|header| (header.key, String::from_utf8(header.raw_value).unwrap()))
        .collect()
}

pub(crate) fn target() -> BTreeMap<String, String> {
    [
        (":authority", "region.test"),
        (":path", "/base/v1/chat/completions"),
        ("authorization", "Bearer sk-up"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

pub(crate) fn refused(answer: Answer) -> (u16, String) {
    let Answer::ImmediateResponse(ImmediateResponse { status, body, .. }) = answer else {
        panic!("not refused: {answer:?}");
    };
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let code = body["error"]["code"].as_str().unwrap().to_owned();
    (status.unwrap().code.try_into().unwrap(), code)
}

pub(crate) const STREAMED: BodySendMode = BodySendMode::FullDuplexStreamed;
pub(crate) const BUFFERED: BodySendMode = BodySendMode::Buffered;
pub(crate) const NONE: BodySendMode = BodySendMode::None;
