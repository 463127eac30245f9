//! Replicas of the external processor with one Redis.

use axum::{Router, http::StatusCode};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_moonshot::emulator::Emulator;

use crate::{
    CLIENT_KEY,
    configuration::example,
    envoy, in_time,
    process::{Envoy, ExtProc, Redis},
};

/// Serves an emulator, and returns its address.
pub(crate) async fn emulated(moonshot: &Emulator) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback_service(moonshot.clone());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    address
}

/// A tool loop of a client that doesn't send thoughts back.
pub(crate) struct Loop {
    client: Client,
    url: String,
    messages: Vec<Value>,
    /// How many turns there were.
    pub(crate) turns: usize,
}

impl Loop {
    /// `place` tells it from other loops, which would have the same thoughts.
    pub(crate) fn new(url: String, place: usize) -> Self {
        Self {
            client: Client::new(),
            url,
            messages: vec![json!({
                "role": "user", "content": format!("What is the weather at place {place}?"),
            })],
            turns: 0,
        }
    }

    /// Takes a turn: calls the tool that the model asked for, and asks again. Returns the
    /// status; after an error the turn was not taken.
    pub(crate) async fn turn(&mut self) -> StatusCode {
        let body = json!({
            "model": "kimi-k3", "messages": self.messages,
            "tools": [{"type": "function", "function": {
                "name": "weather", "parameters": {"type": "object", "properties": {}},
            }}],
            "tool_choice": "required",
        });
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {CLIENT_KEY}"))
            .body(body.to_string());
        let response = in_time(request.send()).await.unwrap();
        let status = response.status();
        if status != 200 {
            return status;
        }
        let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let mut message = answer["choices"][0]["message"].clone();
        let fields = message.as_object_mut().unwrap();
        fields.remove("reasoning_content").expect("a thought");
        let calls = fields.get("tool_calls").cloned();
        self.messages.push(message);
        for call in calls.iter().flat_map(|calls| calls.as_array().unwrap()) {
            self.messages.push(json!({
                "role": "tool", "tool_call_id": call["id"], "content": "Rain.",
            }));
        }
        if calls.is_none() {
            self.messages
                .push(json!({"role": "user", "content": "And tomorrow?"}));
        }
        self.turns += 1;
        status
    }
}

/// How many thoughts each request brought back: texts of the emulator's own.
pub(crate) fn restored(moonshot: &Emulator) -> Vec<usize> {
    let returned = moonshot.returned_thoughts();
    let count = |thoughts: &Vec<Option<String>>| {
        let own = thoughts.iter().flatten();
        own.filter(|thought| thought.contains("This is thought"))
            .count()
    };
    returned.iter().map(count).collect()
}

#[tokio::test]
async fn replicas_with_one_redis_keep_all_thoughts() {
    let Some(program) = envoy() else { return };
    let Some(redis) = Redis::start().await else {
        return;
    };
    let moonshot = Emulator::new().with_unique_thoughts();
    let upstream = emulated(&moonshot).await;
    let url = redis.url();
    let arguments = [
        "--clear-route-cache",
        "--reasoning-store",
        &url,
        // As long as it takes, so that no time decides.
        "--reasoning-store-timeout",
        "60",
    ];
    let first = ExtProc::start(upstream, &arguments).await;
    let second = ExtProc::start(upstream, &arguments).await;
    let text = example(&[first.address, second.address], upstream);
    // One after the other.
    let text = crate::configuration::replaced(&text, &[("LEAST_REQUEST", "ROUND_ROBIN")]);
    let envoy = Envoy::start(&program, &text).await;
    envoy.has_healthy("moonshot_ext_proc", 2).await;
    let mut conversation = Loop::new(envoy.url("/v1/chat/completions"), 0);
    for turn in 0..8 {
        assert_eq!(conversation.turn().await, 200, "turn {turn}");
        // A thought is kept in the background.
        crate::until(async || redis.holds() == turn + 1).await;
    }
    assert_eq!(restored(&moonshot), (0..8).collect::<Vec<_>>());
    for processor in [first, second] {
        assert!(processor.metric("restored_thoughts_total").await > 0.0);
    }
}
