//! Gateways, upstreams and clients.

use std::{
    collections::VecDeque,
    env,
    future::Future,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::Router;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tower_moonshot::emulator::Emulator;

/// The upstream's API key. It must not appear in a log or a response.
pub(crate) const KEY: &str = "sk-a-key-that-nobody-may-see";

/// The time limit of each step, so that a failing test ends.
const FOREVER: Duration = Duration::from_secs(60);

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_moonshot-gateway");

/// Arguments, environment and configuration for a gateway.
#[derive(Default)]
pub(crate) struct Setup {
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
    config: Option<PathBuf>,
    open_files: Option<(u32, u32)>,
}

impl Setup {
    /// Serves every model from one upstream, with [`KEY`] and no configuration file.
    pub(crate) fn to(upstream: SocketAddr) -> Self {
        Self::default()
            .variable("MOONSHOT_API_BASE", format!("http://{upstream}/v1"))
            .variable("MOONSHOT_API_KEY", KEY)
    }

    /// Uses a configuration file with this text, in which `$KEY` becomes [`KEY`].
    pub(crate) fn config(text: &str) -> Self {
        Self::config_bytes(text.replace("$KEY", KEY).as_bytes())
    }

    /// Uses a configuration file with these bytes.
    pub(crate) fn config_bytes(bytes: &[u8]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("gateway-{}-{number}.yaml", std::process::id());
        let file = env::temp_dir().join(name);
        std::fs::write(&file, bytes).unwrap();
        let mut setup = Self::default().arguments(["--config", file.to_str().unwrap()]);
        setup.config = Some(file);
        setup
    }

    pub(crate) fn arguments<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Sets the soft and the hard limit on open files.
    #[cfg(unix)]
    pub(crate) fn open_files(mut self, soft: u32, hard: u32) -> Self {
        self.open_files = Some((soft, hard));
        self
    }

    /// The command that starts the gateway, within the limits.
    fn command(&self) -> Command {
        let Some((soft, hard)) = self.open_files else {
            return Command::new(PROGRAM);
        };
        let mut command = Command::new("sh");
        let limits = format!(r#"ulimit -S -n {soft} && ulimit -H -n {hard} && exec "$0" "$@""#);
        command.arg("-c").arg(limits).arg(PROGRAM);
        command
    }

    fn spawn(mut self) -> Gateway {
        let mut command = self.command();
        command
            .args(["--port", "0"])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in [
            "MOONSHOT_API_BASE",
            "MOONSHOT_API_KEY",
            "LITELLM_MASTER_KEY",
            "REASONING_STORE",
            "RUST_LOG",
            "HOST",
            "PORT",
        ] {
            command.env_remove(name);
        }
        command.envs(self.variables.drain(..));
        let mut child = command.spawn().unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let (lines, out) = std::sync::mpsc::channel();
        let readers = vec![
            read_lines(
                child.stdout.take().unwrap(),
                Arc::clone(&output),
                Some(lines),
            ),
            read_lines(child.stderr.take().unwrap(), Arc::clone(&output), None),
        ];
        let address = out
            .iter()
            .find_map(|line: String| line.trim().strip_prefix("Gateway:  http://")?.parse().ok());
        Gateway {
            address: address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            child,
            output,
            readers,
            config: self.config.take(),
        }
    }

    /// Starts a gateway, and waits until it serves.
    pub(crate) async fn start(self) -> Gateway {
        let gateway = tokio::task::spawn_blocking(|| self.spawn()).await.unwrap();
        assert_ne!(gateway.address.port(), 0, "{}", gateway.output());
        gateway
    }

    /// Runs a gateway that exits by itself; returns whether it succeeded, and its output.
    pub(crate) async fn run(self) -> (bool, String) {
        let mut gateway = tokio::task::spawn_blocking(|| self.spawn()).await.unwrap();
        let status = in_time(gateway.ended()).await;
        (status, gateway.output())
    }
}

fn read_lines(
    from: impl Read + Send + 'static,
    into: Arc<Mutex<String>>,
    also: Option<std::sync::mpsc::Sender<String>>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { return };
            let mut all = into.lock().unwrap();
            all.push_str(&line);
            all.push('\n');
            drop(all);
            if let Some(also) = &also {
                let _ = also.send(line);
            }
        }
    })
}

/// A running gateway. When it is dropped, its output must not contain the key.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    child: Child,
    output: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    config: Option<PathBuf>,
}

impl Gateway {
    /// Returns its output so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits for a line of output that contains `what`.
    pub(crate) async fn says(&self, what: &str) -> String {
        let line = async {
            loop {
                let output = self.output();
                if let Some(line) = output.lines().find(|line| line.contains(what)) {
                    return line.to_owned();
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let line = timeout(FOREVER, line).await;
        line.unwrap_or_else(|_| panic!("{what:?} is not in {}", self.output()))
    }

    /// Returns its peak memory so far, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.unwrap().trim().trim_end_matches(" kB");
        kibibytes.parse::<usize>().unwrap() * 1024
    }

    /// Returns how many files it has open; 0 where that cannot be known.
    pub(crate) fn open_files(&self) -> usize {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        files.map_or(0, Iterator::count)
    }

    /// Sends SIGTERM.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Replaces the text of the configuration file.
    pub(crate) fn reconfigure(&self, text: &str) {
        let file = self.config.as_ref().unwrap();
        std::fs::write(file, text.replace("$KEY", KEY)).unwrap();
    }

    /// Returns a metric, with its labels, as it is now.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let text = self.send(get("/metrics")).await.body;
        let mut values = text.lines().filter_map(|line| line.strip_prefix(name));
        values.find_map(|value| value.strip_prefix(' ')?.parse().ok())
    }

    /// Sends a request on an open connection, and reads a response with a
    /// `Content-Length`.
    pub(crate) async fn send_on(connection: &mut TcpStream, request: &str) -> Answer {
        connection.write_all(request.as_bytes()).await.unwrap();
        Self::read_on(connection).await.expect("a response")
    }

    /// Reads a response with a `Content-Length`; `None` if the connection is closed.
    pub(crate) async fn read_on(connection: &mut TcpStream) -> Option<Answer> {
        let text = in_time(read_request(connection)).await;
        (!text.is_empty()).then(|| Answer::parse(&text))
    }

    /// Waits until it has exited; returns whether it succeeded.
    pub(crate) async fn ended(&mut self) -> bool {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                for reader in self.readers.drain(..) {
                    reader.join().unwrap();
                }
                return status.success();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) async fn send(&self, request: impl AsRef<[u8]>) -> Answer {
        send(self.address, request).await
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        if let Some(config) = &self.config {
            let _ = std::fs::remove_file(config);
        }
        if !thread::panicking() {
            let output = self.output();
            assert!(!output.contains(KEY), "the key is in the log: {output}");
        }
    }
}

/// Serves an axum app.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    address
}

/// Serves an emulator.
pub(crate) async fn emulated(emulator: Emulator) -> SocketAddr {
    serve(Router::new().fallback_service(emulator)).await
}

/// An upstream that sends this response to every request.
pub(crate) async fn saying(answer: &'static (impl AsRef<[u8]> + ?Sized)) -> Upstream {
    saying_in_turn([answer]).await
}

/// An upstream that sends these responses, one per connection, and then repeats the
/// last.
pub(crate) async fn saying_in_turn<const N: usize>(
    answers: [&'static (impl AsRef<[u8]> + ?Sized); N],
) -> Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = mpsc::unbounded_channel();
    let mut answers = VecDeque::from(answers.map(AsRef::as_ref));
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let request = read_request(&mut connection).await;
            if !request.is_empty() {
                let _ = sender.send(request);
                let _ = connection.write_all(answers[0]).await;
                if answers.len() > 1 {
                    answers.pop_front();
                }
            }
        }
    });
    Upstream { address, requests }
}

/// An upstream that records its requests.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Upstream {
    /// Returns the next request.
    pub(crate) async fn asked(&mut self) -> String {
        in_time(self.requests.recv()).await.unwrap()
    }

    /// Returns the body of the next request.
    pub(crate) async fn asked_json(&mut self) -> Value {
        let request = self.asked().await;
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    pub(crate) fn was_asked_nothing(&mut self) -> bool {
        self.requests.try_recv().is_err()
    }
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// An address where nothing listens.
pub(crate) async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// An upstream that accepts connections and never responds.
pub(crate) async fn black_hole() -> SocketAddr {
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

/// Reads the head of a request and the body that it announces, or what has arrived when
/// the peer disconnects.
pub(crate) async fn read_request(connection: &mut TcpStream) -> String {
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

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The head, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn parse(text: &str) -> Self {
        // Precedes the response to a request with `Expect`.
        let text = text
            .strip_prefix("HTTP/1.1 100 Continue\r\n\r\n")
            .unwrap_or(text);
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
        let answer = Self {
            status: head[9..12].parse().unwrap(),
            head: head.to_lowercase(),
            body: body.to_owned(),
        };
        assert!(!text.contains(KEY), "the key is in an answer: {text}");
        answer
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Returns the error, and checks its form.
    pub(crate) fn error(&self) -> Value {
        let error = self.json()["error"].take();
        for field in ["message", "type"] {
            assert_ne!(error[field].as_str().unwrap_or_default(), "", "{error}");
        }
        assert!(self.head.contains("content-type: application/json"));
        error
    }

    /// Returns the message of the error.
    pub(crate) fn message(&self) -> String {
        self.error()["message"].as_str().unwrap().to_owned()
    }

    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            (found == name).then_some(value.trim())
        })
    }
}

/// Sends bytes and reads until the gateway closes the connection.
pub(crate) async fn send(gateway: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut connection = TcpStream::connect(gateway).await.unwrap();
    connection.write_all(request.as_ref()).await.unwrap();
    let mut text = String::new();
    in_time(connection.read_to_string(&mut text)).await.unwrap();
    Answer::parse(&text)
}

/// Reads until `what` has arrived.
pub(crate) async fn read_until(connection: &mut TcpStream, read: &mut Vec<u8>, what: &str) {
    while !String::from_utf8_lossy(read).contains(what) {
        let count = in_time(connection.read_buf(read)).await.unwrap();
        assert_ne!(count, 0, "no {what:?} in {}", String::from_utf8_lossy(read));
    }
}

pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    timeout(FOREVER, future).await.expect("a hang")
}

pub(crate) fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n")
}

pub(crate) fn chat(body: &str) -> String {
    let headers = "content-type: application/json\r\n";
    post("/v1/chat/completions", headers, body)
}

/// A chat request for a model.
pub(crate) fn hello_to(model: &str) -> String {
    chat(&json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]}).to_string())
}

pub(crate) fn hello() -> String {
    hello_to("kimi-k3")
}
