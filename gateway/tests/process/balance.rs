//! How requests are spread over several entries of one name.
#![cfg(unix)]

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::harness::{Gateway, Setup, post, serve};

/// Accounts at Moonshot, each with its own cache of what it has read.
#[derive(Clone, Default)]
struct Moonshot(Arc<Mutex<Accounts>>);

#[derive(Default)]
struct Accounts {
    /// The conversations in the cache of each account.
    cached: BTreeMap<String, HashSet<String>>,
    /// How many requests each account got.
    requests: BTreeMap<String, usize>,
    /// The keys of all requests, in order.
    asked: Vec<String>,
    /// How many messages were in the cache, and how many not.
    hits: usize,
    misses: usize,
    /// What an account answers instead.
    failing: BTreeMap<String, (StatusCode, Option<&'static str>, &'static str)>,
}

impl Moonshot {
    async fn start(&self) -> SocketAddr {
        let app = Router::new()
            .fallback(answer)
            .with_state(Self(Arc::clone(&self.0)));
        serve(app).await
    }

    fn look<T>(&self, look: impl FnOnce(&mut Accounts) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    /// Lets an account answer with this error.
    fn fail(
        &self,
        key: &str,
        status: StatusCode,
        retry_after: Option<&'static str>,
        kind: &'static str,
    ) {
        self.look(|all| {
            all.failing
                .insert(key.to_owned(), (status, retry_after, kind))
        });
    }

    fn last(&self) -> String {
        self.look(|all| all.asked.last().unwrap().clone())
    }
}

async fn answer(
    State(moonshot): State<Moonshot>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    let key = headers["authorization"].to_str().unwrap();
    let key = key.strip_prefix("Bearer ").unwrap().to_owned();
    moonshot.look(|all| {
        all.asked.push(key.clone());
        *all.requests.entry(key.clone()).or_default() += 1;
        if let Some((status, retry_after, kind)) = all.failing.get(&key) {
            let error = Json(json!({"error": {"type": kind, "message": "no"}}));
            return match retry_after {
                Some(after) => (*status, [("retry-after", *after)], error).into_response(),
                None => (*status, error).into_response(),
            };
        }
        // As a prefix cache: the longest start that this account has read.
        let messages = request["messages"].as_array().unwrap();
        let start = |length: usize| json!(messages[..length]).to_string();
        let cached = all.cached.entry(key).or_default();
        let known = (0..=messages.len())
            .rev()
            .find(|length| *length == 0 || cached.contains(&start(*length)));
        let known = known.unwrap();
        for length in 1..=messages.len() {
            cached.insert(start(length));
        }
        all.hits += known;
        all.misses += messages.len() - known;
        Json(json!({"choices": []})).into_response()
    })
}

const KEYS: [&str; 4] = [
    "sk-account-a",
    "sk-account-b",
    "sk-account-c",
    "sk-account-d",
];

/// A configuration with these accounts.
fn config(upstream: SocketAddr, keys: &[&str]) -> String {
    let entries = keys.iter().map(|key| {
        format!(
            "- model_name: kimi\n  litellm_params: {{model: moonshot/kimi-k3, api_key: {key}, api_base: 'http://{upstream}/v1'}}\n"
        )
    });
    format!(
        "model_list:\n{}general_settings: {{master_key: sk-master}}\n",
        entries.collect::<String>()
    )
}

/// A turn of a conversation.
fn turn(conversation: usize, turn: usize) -> String {
    let mut messages = vec![
        json!({"role": "system", "content": "You are helpful."}),
        json!({"role": "user", "content": format!("Question {conversation}")}),
    ];
    for number in 0..turn {
        messages.push(json!({"role": "assistant", "content": format!("Answer {number}"), "reasoning_content": "Hm."}));
        messages.push(json!({"role": "user", "content": "And then?"}));
    }
    let body = json!({"model": "kimi", "messages": messages}).to_string();
    post(
        "/v1/chat/completions",
        "authorization: Bearer sk-master\r\ncontent-type: application/json\r\n",
        &body,
    )
    .replace("connection: close\r\n", "")
}

/// Sends requests on one connection.
struct Client(TcpStream);

impl Client {
    async fn of(gateway: &Gateway) -> Self {
        Self(TcpStream::connect(gateway.address).await.unwrap())
    }

    async fn ask(&mut self, conversation: usize, number: usize) -> u16 {
        let request = turn(conversation, number);
        Gateway::send_on(&mut self.0, &request).await.status
    }
}

/// The share of messages that were in a cache, for the same load.
async fn hit_rate(balance: &str) -> f64 {
    const CONVERSATIONS: usize = 50;
    const TURNS: usize = 5;
    let moonshot = Moonshot::default();
    let upstream = moonshot.start().await;
    let setup = Setup::config(&config(upstream, &KEYS)).arguments(["--balance", balance]);
    let gateway = setup.start().await;
    let mut client = Client::of(&gateway).await;
    for number in 0..TURNS {
        for conversation in 0..CONVERSATIONS {
            assert_eq!(client.ask(conversation, number).await, 200);
        }
    }
    moonshot.look(|all| all.hits as f64 / (all.hits + all.misses) as f64)
}

#[tokio::test]
async fn with_affinity_far_more_of_each_request_is_in_the_cache() {
    let affinity = hit_rate("affinity").await;
    let round_robin = hit_rate("round-robin").await;
    println!("in the cache: {affinity:.3} with affinity, {round_robin:.3} in turns");
    // All but what is new in each request: 2 messages of 2, 4, 6, 8 and 10, of which the
    // system message is known to each account after its first.
    assert!(affinity > 0.68, "{affinity}");
    assert!(round_robin < affinity - 0.2, "{round_robin}");
}

#[tokio::test]
async fn conversations_are_spread_evenly() {
    // The accounts differ from run to run by their port. 15 % are nearly five standard
    // deviations of so many.
    const CONVERSATIONS: usize = 3000;
    let moonshot = Moonshot::default();
    let upstream = moonshot.start().await;
    let gateway = Setup::config(&config(upstream, &KEYS)).start().await;
    let mut client = Client::of(&gateway).await;
    for conversation in 0..CONVERSATIONS {
        assert_eq!(client.ask(conversation, 0).await, 200);
    }
    let counts = moonshot.look(|all| all.requests.clone());
    assert_eq!(counts.len(), KEYS.len());
    let even = CONVERSATIONS as f64 / KEYS.len() as f64;
    for count in counts.values() {
        let off = (*count as f64 / even - 1.0).abs();
        assert!(off < 0.15, "{counts:?}");
    }
}

/// The account of each conversation.
async fn accounts(moonshot: &Moonshot, gateway: &Gateway, count: usize) -> Vec<String> {
    let mut client = Client::of(gateway).await;
    let mut accounts = Vec::new();
    for conversation in 0..count {
        assert_eq!(client.ask(conversation, 1).await, 200);
        accounts.push(moonshot.last());
    }
    accounts
}

#[tokio::test]
async fn without_an_entry_only_its_own_conversations_move() {
    let moonshot = Moonshot::default();
    let upstream = moonshot.start().await;
    let gateway = Setup::config(&config(upstream, &KEYS)).start().await;
    let before = accounts(&moonshot, &gateway, 40).await;
    // The others in another order.
    gateway.reconfigure(&config(upstream, &[KEYS[3], KEYS[0], KEYS[2]]));
    gateway.signal("HUP");
    gateway.says("the configuration was reloaded").await;
    let after = accounts(&moonshot, &gateway, 40).await;
    assert!(before.iter().any(|key| key == KEYS[1]));
    for (before, after) in before.iter().zip(&after) {
        assert!(before == KEYS[1] || before == after, "{before} {after}");
        assert_ne!(after, KEYS[1]);
    }
}

#[tokio::test]
async fn a_busy_account_is_left_alone_for_as_long_as_it_asks() {
    let moonshot = Moonshot::default();
    let upstream = moonshot.start().await;
    let gateway = Setup::config(&config(upstream, &KEYS)).start().await;
    let mut client = Client::of(&gateway).await;
    assert_eq!(client.ask(1, 0).await, 200);
    let home = moonshot.last();
    let busy = StatusCode::TOO_MANY_REQUESTS;
    moonshot.fail(&home, busy, Some("600"), "rate_limit_reached_error");
    // The client learns of it, as nothing is retried.
    assert_eq!(client.ask(1, 1).await, 429);
    moonshot.look(|all| all.failing.clear());
    for number in 1..4 {
        assert_eq!(client.ask(1, number).await, 200);
        assert_ne!(moonshot.last(), home);
    }
    gateway.says("moved=true").await;
    let log = gateway.output();
    assert!(log.contains("an entry cools down"), "{log}");
    assert!(log.contains("reason=\"busy\""), "{log}");
    assert!(!log.contains("sk-account"), "{log}");
    let metrics = gateway.send(crate::harness::get("/metrics")).await.body;
    let cooldowns = "gateway_entry_cooldowns_total";
    assert!(metrics.contains(cooldowns), "{metrics}");
    assert!(metrics.contains("moved=\"true\"} 3"), "{metrics}");
    assert!(!metrics.contains("sk-account"), "{metrics}");
}

#[tokio::test]
async fn afterwards_its_conversations_come_back() {
    let moonshot = Moonshot::default();
    let upstream = moonshot.start().await;
    let gateway = Setup::config(&config(upstream, &KEYS)).start().await;
    let mut client = Client::of(&gateway).await;
    assert_eq!(client.ask(1, 0).await, 200);
    let home = moonshot.last();
    let busy = StatusCode::SERVICE_UNAVAILABLE;
    moonshot.fail(&home, busy, None, "engine_overloaded_error");
    assert_eq!(client.ask(1, 1).await, 503);
    moonshot.look(|all| all.failing.clear());
    let began = Instant::now();
    loop {
        assert_eq!(client.ask(1, 1).await, 200);
        if moonshot.last() == home {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it never comes back"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// An error that the client can do something about is not replaced by that of an account
/// that is known to fail.
#[tokio::test]
async fn a_retry_does_not_go_to_an_entry_that_is_left_alone() {
    let moonshot = Moonshot::default();
    let upstream = moonshot.start().await;
    let setup = Setup::config(&config(upstream, &KEYS[..2])).arguments(["--retries", "1"]);
    let gateway = setup.start().await;
    let mut client = Client::of(&gateway).await;
    assert_eq!(client.ask(1, 0).await, 200);
    let home = moonshot.last();
    let refused = StatusCode::UNAUTHORIZED;
    moonshot.fail(&home, refused, None, "invalid_authentication_error");
    assert_eq!(client.ask(1, 1).await, 200);
    let other = moonshot.last();
    assert_ne!(other, home);
    let busy = StatusCode::TOO_MANY_REQUESTS;
    moonshot.fail(&other, busy, Some("0"), "rate_limit_reached_error");
    assert_eq!(client.ask(1, 1).await, 429);
    let asked = moonshot.look(|all| all.asked.clone());
    assert_eq!(asked[asked.len() - 2..], [other.clone(), other]);
}

/// A request that is at fault itself says nothing about its entry.
#[tokio::test]
async fn a_broken_request_ends_no_cool_down() {
    let moonshot = Moonshot::default();
    let upstream = moonshot.start().await;
    let gateway = Setup::config(&config(upstream, &KEYS)).start().await;
    let quota = StatusCode::TOO_MANY_REQUESTS;
    for key in KEYS {
        moonshot.fail(key, quota, None, "exceeded_current_quota_error");
    }
    let mut client = Client::of(&gateway).await;
    for _ in KEYS {
        assert_eq!(client.ask(1, 0).await, 429);
    }
    let broken = post(
        "/v1/chat/completions",
        "authorization: Bearer sk-master\r\n",
        r#"{"model":"kimi","messages":[}"#,
    );
    assert_eq!(gateway.send(broken).await.status, 400);
    assert_eq!(client.ask(1, 0).await, 429);
    let began = gateway.output().matches("an entry cools down").count();
    assert_eq!(began, KEYS.len(), "{}", gateway.output());
}

#[tokio::test]
async fn a_refused_key_is_not_tried_again_until_a_reload() {
    let moonshot = Moonshot::default();
    let upstream = moonshot.start().await;
    let setup = Setup::config(&config(upstream, &KEYS)).arguments(["--retries", "1"]);
    let gateway = setup.start().await;
    let mut client = Client::of(&gateway).await;
    assert_eq!(client.ask(1, 0).await, 200);
    let home = moonshot.last();
    let refused = StatusCode::UNAUTHORIZED;
    moonshot.fail(&home, refused, None, "invalid_authentication_error");
    // The retry goes to another account at once.
    assert_eq!(client.ask(1, 1).await, 200);
    let asked = moonshot.look(|all| all.requests[&home]);
    for number in 0..5 {
        assert_eq!(client.ask(1, number).await, 200);
    }
    assert_eq!(moonshot.look(|all| all.requests[&home]), asked);
    moonshot.look(|all| all.failing.clear());
    gateway.reconfigure(&config(upstream, &KEYS));
    gateway.signal("HUP");
    gateway.says("the configuration was reloaded").await;
    assert_eq!(Client::of(&gateway).await.ask(1, 2).await, 200);
    assert_eq!(moonshot.last(), home);
}

#[tokio::test]
async fn if_all_accounts_fail_the_client_is_told_the_truth() {
    let moonshot = Moonshot::default();
    let upstream = moonshot.start().await;
    let gateway = Setup::config(&config(upstream, &KEYS)).start().await;
    let quota = StatusCode::TOO_MANY_REQUESTS;
    for key in KEYS {
        moonshot.fail(key, quota, None, "exceeded_current_quota_error");
    }
    let mut client = Client::of(&gateway).await;
    for _ in 0..6 {
        assert_eq!(client.ask(1, 0).await, 429);
    }
    // Each was asked, and then those that were left alone.
    let asked = moonshot.look(|all| all.requests.clone());
    assert_eq!(asked.len(), KEYS.len(), "{asked:?}");
    assert_eq!(asked.values().sum::<usize>(), 6);
}

/// What is wrong with a client's own key is not the entry's fault.
#[tokio::test]
async fn a_clients_own_key_moves_no_one() {
    let moonshot = Moonshot::default();
    let upstreams = [moonshot.start().await, moonshot.start().await];
    let entries: String = upstreams
        .iter()
        .map(|upstream| {
            format!(
                "- model_name: kimi\n  litellm_params: {{model: moonshot/kimi-k3, api_base: 'http://{upstream}/v1'}}\n"
            )
        })
        .collect();
    let setup = Setup::config(&format!("model_list:\n{entries}"));
    let gateway = setup.arguments(["--retries", "1"]).start().await;
    let mut client = Client::of(&gateway).await;
    moonshot.fail(
        "sk-master",
        StatusCode::UNAUTHORIZED,
        None,
        "incorrect_api_key_error",
    );
    for number in 0..3 {
        assert_eq!(client.ask(1, number).await, 401);
    }
    // Not retried either, as each entry would get the same key.
    assert_eq!(moonshot.look(|all| all.asked.len()), 3);
    let log = gateway.output();
    assert!(!log.contains("cools down"), "{log}");
    assert!(!log.contains("moved"), "{log}");
}
