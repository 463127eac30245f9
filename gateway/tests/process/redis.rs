//! Thoughts in a real Redis: two gateways with one, and all that can happen to it.

use std::{
    env,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tower_moonshot::emulator::Emulator;

use crate::{
    harness::{Gateway, Setup, emulated, get, in_time, post, send},
    thoughts::{Conversation, restored},
};

const PASSWORD: &str = "sk-a-password-that-nobody-may-see";
const ALICE: &str = "authorization: Bearer sk-alice\r\n";

/// Whether there is a `redis-server`. Where all checks have to run, there is.
fn is_installed() -> bool {
    let found = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    let found = found.is_ok_and(|status| status.success());
    let must_be = env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(found || !must_be, "redis-server is not installed");
    if !found {
        eprintln!("skipped: redis-server is not installed");
    }
    found
}

/// A Redis on a free port of the loopback interface, which keeps nothing on disk.
struct Redis {
    port: u16,
    directory: PathBuf,
    process: Child,
}

impl Redis {
    async fn start() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("gateway-redis-{}-{number}", std::process::id());
        let directory = env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        // Another process may take the port before Redis does, so it is tried anew.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut redis = Self {
                port,
                directory: directory.clone(),
                process: run(port, &directory),
            };
            if redis.is_up().await {
                return redis;
            }
        }
        panic!("redis-server doesn't start");
    }

    fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// Waits until it answers; false if it has exited.
    async fn is_up(&mut self) -> bool {
        let answers = async {
            while self.ask(&["PING"]) != "PONG" {
                if self.process.try_wait().unwrap().is_some() {
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            true
        };
        in_time(answers).await
    }

    /// Runs a command with `redis-cli`, and returns what it prints.
    fn ask(&self, command: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .env("REDISCLI_AUTH", PASSWORD)
            .args(command)
            .stderr(Stdio::null())
            .output();
        String::from_utf8(output.unwrap().stdout)
            .unwrap()
            .trim()
            .to_owned()
    }

    /// Waits until Redis holds this many thoughts, because they are stored in the background.
    async fn holds(&self, thoughts: usize) {
        let holds = async {
            while self.ask(&["DBSIZE"]) != thoughts.to_string() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        in_time(holds).await;
    }

    fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    async fn start_again(&mut self) {
        self.process = run(self.port, &self.directory);
        assert!(self.is_up().await);
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.unwrap().success());
    }
}

fn run(port: u16, directory: &std::path::Path) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args([
            "--requirepass",
            PASSWORD,
            "--save",
            "",
            "--appendonly",
            "no",
        ])
        .arg("--dir")
        .arg(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A gateway that waits for Redis as long as it takes, so that no time decides.
async fn gateway(moonshot: &Emulator, url: &str) -> Gateway {
    gateway_that_waits(moonshot, url, "60").await
}

async fn gateway_that_waits(moonshot: &Emulator, url: &str, seconds: &str) -> Gateway {
    let setup = Setup::to(emulated(moonshot.clone()).await);
    // One worker has one connection, which makes what follows certain.
    let setup = setup.arguments(["--workers", "1", "--reasoning-store-timeout", seconds]);
    setup.variable("REASONING_STORE", url).start().await
}

/// Talks until a thought is restored again: the gateway connects anew in the background.
async fn recovers(gateway: &Gateway, moonshot: &Emulator) {
    let recovers = async {
        let mut conversation = Conversation::of("kimi-k3", ALICE);
        loop {
            conversation.say(gateway, "again").await;
            if restored(moonshot).last() != Some(&0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    in_time(recovers).await;
    assert!(!gateway.output().contains(PASSWORD), "{}", gateway.output());
}

fn errors(gateway_metrics: &str, operation: &str) -> u32 {
    let line = format!("gateway_thought_store_errors_total{{operation=\"{operation}\"}} ");
    let count = gateway_metrics
        .lines()
        .find_map(|found| found.strip_prefix(line.as_str()));
    count.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn two_gateways_share_thoughts_and_scopes_do_not() {
    if !is_installed() {
        return;
    }
    let redis = Redis::start().await;
    let moonshot = Emulator::new().with_unique_thoughts();
    let first = gateway(&moonshot, &redis.url()).await;
    let second = gateway(&moonshot, &redis.url()).await;
    let mut conversation = Conversation::of("kimi-k3", ALICE);
    for (turn, gateway) in [&first, &second, &first, &second].into_iter().enumerate() {
        conversation.stream = turn % 2 == 0;
        conversation.say(gateway, "Hi").await;
        redis.holds(turn + 1).await;
    }
    assert_eq!(restored(&moonshot), [0, 1, 2, 3]);

    let mut bobs = conversation.of_another("authorization: Bearer sk-bob\r\n");
    bobs.say(&second, "Hi").await;
    assert_eq!(restored(&moonshot).last(), Some(&0));

    // Each has its time, which begins anew when it is used.
    let key = redis.ask(&["RANDOMKEY"]);
    assert!(key.starts_with("moonshot-gateway:thought:1:"), "{key}");
    let ttl: u64 = redis.ask(&["TTL", &key]).parse().unwrap();
    assert!((3500..=3600).contains(&ttl), "{ttl}");
    assert!(!redis.ask(&["KEYS", "*"]).contains("alice"));
    // What others have written there is no thought.
    for key in redis.ask(&["KEYS", "*"]).lines() {
        redis.ask(&["SET", key, "no JSON"]);
    }
    conversation.say(&first, "Hi").await;
    assert_eq!(restored(&moonshot).last(), Some(&0));
    let metrics = first.send(get("/metrics")).await.body;
    assert!(metrics.contains("gateway_thought_bytes 0\n"), "{metrics}");
    assert_eq!(errors(&metrics, "recall"), 0, "{metrics}");
}

#[tokio::test]
async fn a_redis_that_is_lost_and_comes_back_is_used_again() {
    if !is_installed() {
        return;
    }
    let mut redis = Redis::start().await;
    let moonshot = Emulator::new().with_unique_thoughts();
    let gateway = gateway(&moonshot, &redis.url()).await;
    let mut conversation = Conversation::of("kimi-k3", ALICE);
    conversation.say(&gateway, "one").await;
    redis.holds(1).await;
    redis.stop();
    for text in ["two", "three"] {
        conversation.say(&gateway, text).await;
        assert_eq!(restored(&moonshot).last(), Some(&0));
    }
    gateway.says("store_error=").await;
    gateway.says("a thought was not kept").await;
    let metrics = gateway.send(get("/metrics")).await.body;
    assert_eq!(errors(&metrics, "recall"), 2, "{metrics}");
    let missing = "gateway_thoughts_missing_total{reason=\"store_error\"}";
    assert!(metrics.contains(missing), "{metrics}");

    // It has kept nothing, but keeps again.
    redis.start_again().await;
    recovers(&gateway, &moonshot).await;
}

#[tokio::test]
async fn a_gateway_starts_without_redis_and_finds_it_later() {
    if !is_installed() {
        return;
    }
    let mut redis = Redis::start().await;
    redis.stop();
    let moonshot = Emulator::new().with_unique_thoughts();
    let gateway = gateway(&moonshot, &redis.url()).await;
    gateway.says("until --reasoning-store can be used").await;
    Conversation::of("kimi-k3", ALICE)
        .say_thrice(&gateway)
        .await;
    assert_eq!(restored(&moonshot), [0, 0, 0]);
    redis.start_again().await;
    recovers(&gateway, &moonshot).await;
}

/// A paused process accepts connections and never answers. No time decides: a request
/// that waited for it would never end.
#[tokio::test]
async fn a_redis_that_hangs_holds_no_request_up() {
    if !is_installed() {
        return;
    }
    let redis = Redis::start().await;
    let moonshot = Emulator::new().with_unique_thoughts();
    let gateway = gateway_that_waits(&moonshot, &redis.url(), "0.05").await;
    let mut conversation = Conversation::of("kimi-k3", ALICE);
    conversation.say(&gateway, "one").await;
    redis.holds(1).await;
    redis.signal("-STOP");
    for text in ["two", "three"] {
        conversation.say(&gateway, text).await;
        assert_eq!(restored(&moonshot).last(), Some(&0));
    }
    gateway.says("the store did not answer in time").await;
    let metrics = gateway.send(get("/metrics")).await.body;
    assert_eq!(errors(&metrics, "recall"), 2, "{metrics}");
    gateway.says("a thought was not kept").await;
    redis.signal("-CONT");
    recovers(&gateway, &moonshot).await;
}

/// Requests after a few timeouts don't wait for Redis at all, until it answers again.
#[tokio::test]
async fn a_redis_that_hangs_is_skipped_until_it_answers() {
    if !is_installed() {
        return;
    }
    let redis = Redis::start().await;
    let moonshot = Emulator::new().with_unique_thoughts();
    let gateway = gateway_that_waits(&moonshot, &redis.url(), "0.05").await;
    let mut conversation = Conversation::of("kimi-k3", ALICE);
    conversation.say(&gateway, "one").await;
    redis.holds(1).await;
    redis.signal("-STOP");
    let skipped = "gateway_thoughts_missing_total{reason=\"store_skipped\"}";
    // A request that comes later than the pause tries again, so that more may be needed.
    let is_skipped = async {
        loop {
            conversation.say(&gateway, "two").await;
            assert_eq!(restored(&moonshot).last(), Some(&0));
            let metrics = gateway.send(get("/metrics")).await.body;
            if metrics.contains(skipped) {
                return errors(&metrics, "recall");
            }
        }
    };
    let timeouts = in_time(is_skipped).await;
    assert!(timeouts >= 3, "{timeouts}");
    redis.signal("-CONT");
    recovers(&gateway, &moonshot).await;
}

/// Another gateway may get the next request of the conversation.
#[cfg(unix)]
#[tokio::test]
async fn a_gateway_that_ends_keeps_the_last_thoughts() {
    if !is_installed() {
        return;
    }
    let redis = Redis::start().await;
    let moonshot = Emulator::new().with_unique_thoughts();
    let mut first = gateway(&moonshot, &redis.url()).await;
    let mut conversation = Conversation::of("kimi-k3", ALICE);
    redis.signal("-STOP");
    conversation.say(&first, "one").await;
    first.terminate();
    // Its address is free once it accepts no more.
    let refuses = async {
        while tokio::net::TcpStream::connect(first.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    in_time(refuses).await;
    redis.signal("-CONT");
    assert!(in_time(first.ended()).await, "{}", first.output());
    let second = gateway(&moonshot, &redis.url()).await;
    conversation.say(&second, "two").await;
    assert_eq!(restored(&moonshot), [0, 1]);
}

#[tokio::test]
async fn a_wrong_password_is_no_failure_of_requests_and_can_be_put_right() {
    if !is_installed() {
        return;
    }
    let redis = Redis::start().await;
    let moonshot = Emulator::new().with_unique_thoughts();
    let wrong = format!("redis://:sk-wrong@127.0.0.1:{}", redis.port);
    let gateway = gateway(&moonshot, &wrong).await;
    gateway.says("until --reasoning-store can be used").await;
    Conversation::of("kimi-k3", ALICE)
        .say_thrice(&gateway)
        .await;
    assert_eq!(restored(&moonshot), [0, 0, 0]);
    gateway.says("store_error=").await;
    redis.ask(&["CONFIG", "SET", "requirepass", "sk-wrong"]);
    recovers(&gateway, &moonshot).await;
    assert!(
        !gateway.output().contains("sk-wrong"),
        "{}",
        gateway.output()
    );
}

#[tokio::test]
async fn an_invalid_url_ends_the_program_without_repeating_it() {
    for url in [
        "rediss://:sesame@localhost",
        "http://:sesame@localhost",
        "sesame",
    ] {
        let setup = Setup::default().arguments(["--reasoning-store", url]);
        let (success, output) = setup.run().await;
        assert!(!success && output.contains("expected redis://"), "{output}");
        assert!(!output.contains("sesame"), "{output}");
    }
}

/// Half of the cores, rounded up, is how many long requests are rewritten at a time. More
/// than these wait for Redis here, and all of them got as far as that.
#[tokio::test]
async fn long_requests_that_wait_for_redis_occupy_no_thread() {
    if !is_installed() {
        return;
    }
    let redis = Redis::start().await;
    let upstream = emulated(Emulator::new()).await;
    let setup = Setup::to(upstream);
    let setup = setup.arguments(["--workers", "1", "--reasoning-store-timeout", "3600"]);
    let setup = setup.variable("REASONING_STORE", redis.url());
    let setup = setup.variable("RUST_LOG", "moonshot_gateway=debug,info");
    let gateway = setup.start().await;
    gateway.send(chat_of(ALICE, "Hi")).await;
    redis.signal("-STOP");
    let requests = 2 * std::thread::available_parallelism().unwrap().get();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..requests {
        let request = chat_of(ALICE, &"x".repeat(300_000));
        let address = gateway.address;
        clients.spawn(async move { send(address, request).await.status });
    }
    // Each has read its model on a thread, and then its conversation.
    let all_wait = async {
        while gateway
            .output()
            .matches("has left its blocking thread")
            .count()
            < 2 * requests
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    in_time(all_wait).await;
    assert!(clients.try_join_next().is_none());
    redis.signal("-CONT");
    while let Some(status) = in_time(clients.join_next()).await {
        assert_eq!(status.unwrap(), 200);
    }
}

/// A request with an answer whose thought is missing.
fn chat_of(client: &str, said: &str) -> String {
    let body = serde_json::json!({"model": "kimi-k3", "messages": [
        {"role": "user", "content": said},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Go on."},
    ]});
    let headers = format!("content-type: application/json\r\n{client}");
    post("/v1/chat/completions", &headers, &body.to_string())
}
