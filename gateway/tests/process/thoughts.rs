//! Thoughts that are kept and restored, and responses that are repaired.

use serde_json::{Value, json};
use tower_moonshot::emulator::{Emulator, Quirk};

use crate::harness::{Gateway, KEY, Setup, emulated, get, post};

/// A conversation of a client that doesn't send thoughts back.
pub(crate) struct Conversation {
    model: &'static str,
    headers: String,
    messages: Vec<Value>,
    pub(crate) stream: bool,
}

impl Conversation {
    pub(crate) fn of(model: &'static str, headers: &str) -> Self {
        Self {
            model,
            headers: headers.to_owned(),
            messages: Vec::new(),
            stream: false,
        }
    }

    /// The same conversation in the hands of another client.
    pub(crate) fn of_another(&self, headers: &str) -> Self {
        Self {
            messages: self.messages.clone(),
            ..Self::of(self.model, headers)
        }
    }

    /// Sends a message of the user, and returns the answer's body. Only what was said is
    /// kept.
    pub(crate) async fn say(&mut self, gateway: &Gateway, text: &str) -> String {
        self.messages.push(json!({"role": "user", "content": text}));
        let body = json!({
            "model": self.model, "messages": self.messages, "stream": self.stream,
        });
        let headers = format!("content-type: application/json\r\n{}", self.headers);
        let request = post("/v1/chat/completions", &headers, &body.to_string());
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        // As the emulator answers.
        let said = json!({"role": "assistant", "content": format!("You said: {text}")});
        self.messages.push(said);
        answer.body
    }

    pub(crate) async fn say_thrice(&mut self, gateway: &Gateway) {
        for text in ["one", "two", "three"] {
            self.say(gateway, text).await;
        }
    }
}

/// How many thoughts each request brought back: texts of the emulator's own.
pub(crate) fn restored(moonshot: &Emulator) -> Vec<usize> {
    let returned = moonshot.returned_thoughts();
    let count = |thoughts: &Vec<Option<String>>| {
        let thoughts = thoughts.iter().flatten();
        thoughts
            .filter(|thought| thought.contains("This is thought"))
            .count()
    };
    returned.iter().map(count).collect()
}

const ALICE: &str = "authorization: Bearer sk-alice\r\n";
const BOB: &str = "authorization: Bearer sk-bob\r\n";

#[tokio::test]
async fn thoughts_are_restored_for_clients_that_do_not_send_them() {
    for stream in [false, true] {
        let moonshot = Emulator::new().with_unique_thoughts();
        let gateway = Setup::to(emulated(moonshot.clone()).await).start().await;
        let mut conversation = Conversation::of("kimi-k3", ALICE);
        conversation.stream = stream;
        conversation.say_thrice(&gateway).await;
        assert_eq!(restored(&moonshot), [0, 1, 2], "stream: {stream}");
        gateway.says("thoughts_restored=2").await;
        let metrics = gateway.send(get("/metrics")).await.body;
        for line in [
            "gateway_thoughts_restored_total 3\n",
            "gateway_thoughts_remembered_total 3\n",
        ] {
            assert!(metrics.contains(line), "{line} is not in {metrics}");
        }
        assert!(!metrics.contains("gateway_thought_bytes 0\n"), "{metrics}");
        let log = gateway.output();
        assert!(!log.contains("This is thought"), "{log}");
    }
}

/// The clients' names for models say nothing of their families.
#[tokio::test]
async fn the_entrys_model_decides_which_thoughts_are_needed() {
    let moonshot = Emulator::new().with_unique_thoughts();
    let base = emulated(moonshot.clone()).await;
    let gateway = Setup::config(&format!(
        "model_list:
  - {{model_name: gpt-4o, litellm_params: &p {{model: moonshot/kimi-k3, api_key: $KEY, api_base: 'http://{base}/v1'}}}}
  - {{model_name: kimi-k3, litellm_params: {{<<: *p, model: moonshot/moonshot-v1-8k}}}}
  - {{model_name: my/*, litellm_params: {{<<: *p, model: moonshot/*}}}}
"
    ))
    .start()
    .await;
    for (model, expected) in [
        ("gpt-4o", [0, 1, 2]),
        ("my/kimi-k2.7", [0, 1, 2]),
        // Its thoughts are needed in a loop of tool calls only.
        ("my/kimi-k2.6", [0, 0, 0]),
        ("kimi-k3", [0, 0, 0]),
    ] {
        let before = restored(&moonshot).len();
        let mut conversation = Conversation::of(model, ALICE);
        conversation.say_thrice(&gateway).await;
        assert_eq!(restored(&moonshot)[before..], expected, "{model}");
    }
    // K3 under another name has the same thoughts.
    let before = restored(&moonshot).len();
    let mut conversation = Conversation::of("my/kimi-k3", ALICE);
    conversation.say(&gateway, "one").await;
    conversation.say(&gateway, "two").await;
    assert_eq!(restored(&moonshot)[before..], [0, 1]);
}

#[tokio::test]
async fn thoughts_never_cross_keys() {
    let moonshot = Emulator::new().with_unique_thoughts();
    let gateway = Setup::to(emulated(moonshot.clone()).await).start().await;
    let mut alices = Conversation::of("kimi-k3", ALICE);
    alices.say(&gateway, "one").await;
    for others in [BOB, "", "authorization: Bearer\r\n"] {
        let mut bobs = alices.of_another(others);
        bobs.say(&gateway, "two").await;
        assert_eq!(restored(&moonshot).last(), Some(&0), "{others}");
    }
    alices.say(&gateway, "two").await;
    assert_eq!(restored(&moonshot).last(), Some(&1));
}

const MASTER: &str = "authorization: Bearer sk-open-sesame\r\n";

#[tokio::test]
async fn with_a_master_key_a_header_tells_users_apart() {
    let moonshot = Emulator::new().with_unique_thoughts();
    let upstream = emulated(moonshot.clone()).await;
    let guarded = || Setup::to(upstream).variable("LITELLM_MASTER_KEY", "sk-open-sesame");

    let gateway = guarded().start().await;
    gateway.says("share thoughts").await;
    Conversation::of("kimi-k3", MASTER)
        .say_thrice(&gateway)
        .await;
    assert_eq!(restored(&moonshot), [0, 1, 2]);

    let arguments = ["--reasoning-scope-header", "X-User"];
    let gateway = guarded().arguments(arguments).start().await;
    assert!(!gateway.output().contains("share thoughts"));
    let user = |name: &str| format!("{MASTER}x-user: {name}\r\n");
    let mut alices = Conversation::of("kimi-k3", &user("alice"));
    alices.say(&gateway, "one").await;
    for others in [
        user("bob"),
        user(""),
        MASTER.to_owned(),
        user("alice\r\nx-user: alice"),
    ] {
        let mut bobs = alices.of_another(&others);
        bobs.say(&gateway, "two").await;
        assert_eq!(restored(&moonshot).last(), Some(&0), "{others}");
    }
    alices.say(&gateway, "two").await;
    assert_eq!(restored(&moonshot).last(), Some(&1));
}

#[tokio::test]
async fn nothing_is_kept_if_it_is_switched_off_or_too_much() {
    for arguments in [
        &["--no-reasoning-memory"][..],
        &["--reasoning-bytes", "0"],
        &["--reasoning-ttl", "0.000000001"],
    ] {
        let moonshot = Emulator::new().with_unique_thoughts();
        let setup = Setup::to(emulated(moonshot.clone()).await);
        let gateway = setup.arguments(arguments.iter().copied()).start().await;
        Conversation::of("kimi-k3", ALICE)
            .say_thrice(&gateway)
            .await;
        assert_eq!(restored(&moonshot), [0, 0, 0], "{arguments:?}");
        let metrics = gateway.send(get("/metrics")).await.body;
        assert!(metrics.contains("gateway_thought_bytes 0\n"), "{metrics}");
        let missing = "gateway_thoughts_missing_total{reason=\"not_found\"} 3\n";
        let is_on = arguments[0] != "--no-reasoning-memory";
        assert_eq!(metrics.contains(missing), is_on, "{metrics}");
    }
}

/// Nobody knows whose thoughts those of a request without the header are, even if it has
/// a key of its own.
#[tokio::test]
async fn with_a_scope_header_a_request_without_it_has_no_memory() {
    let moonshot = Emulator::new().with_unique_thoughts();
    let setup = Setup::to(emulated(moonshot.clone()).await);
    let arguments = ["--reasoning-scope-header", "x-user"];
    let gateway = setup.arguments(arguments).start().await;
    Conversation::of("kimi-k3", ALICE)
        .say_thrice(&gateway)
        .await;
    assert_eq!(restored(&moonshot), [0, 0, 0]);
}

/// A retry is sent to an entry with another model, which has thoughts of its own.
#[tokio::test]
async fn a_retry_restores_the_thoughts_for_the_entry_that_it_goes_to() {
    let moonshot = Emulator::new().with_unique_thoughts();
    let base = emulated(moonshot.clone()).await;
    let down = crate::harness::nobody().await;
    let gateway = Setup::config(&format!(
        "model_list:
  - {{model_name: kimi, litellm_params: {{model: moonshot/moonshot-v1-8k, api_key: $KEY, api_base: 'http://{down}/v1'}}}}
  - {{model_name: kimi, litellm_params: {{model: moonshot/kimi-k3, api_key: $KEY, api_base: 'http://{base}/v1'}}}}
"
    ))
    .arguments(["--retries", "1", "--balance", "round-robin"])
    .start()
    .await;
    Conversation::of("kimi", ALICE).say_thrice(&gateway).await;
    assert_eq!(restored(&moonshot), [0, 1, 2]);
    gateway.says("attempts=2").await;
}

#[tokio::test]
async fn responses_are_repaired_unless_that_is_switched_off() {
    let broken = || Emulator::new().with_quirk(Quirk::BreaksOff);
    let say = async |gateway: &Gateway| {
        let mut conversation = Conversation::of("kimi-k3", ALICE);
        conversation.stream = true;
        conversation.say(gateway, "one").await
    };
    let gateway = Setup::to(emulated(broken()).await).start().await;
    let answer = say(&gateway).await;
    assert!(
        answer.contains("data: {\"error\":{\"message\":\"The stream ended"),
        "{answer}"
    );
    let line = gateway.says("repairs=").await;
    assert!(line.contains("repairs=\"end\""), "{line}");
    let metrics = gateway.send(get("/metrics")).await.body;
    let line = "gateway_response_repairs_total{rule=\"end\"} 1\n";
    assert!(metrics.contains(line), "{metrics}");

    for off in ["--no-response-repairs", "--no-rewrite"] {
        let setup = Setup::to(emulated(broken()).await).arguments([off]);
        let gateway = setup.start().await;
        let answer = say(&gateway).await;
        assert!(!answer.contains("\"error\""), "{off}: {answer}");
    }
}

/// The layers don't read compressed responses.
#[tokio::test]
async fn chat_responses_are_asked_for_without_compression() {
    let ask = async |arguments: &[&'static str]| {
        let mut upstream = crate::harness::saying(crate::harness::OK).await;
        let setup = Setup::to(upstream.address);
        let gateway = setup.arguments(arguments.iter().copied()).start().await;
        let headers = format!("{ALICE}accept-encoding: gzip\r\n");
        Conversation::of("kimi-k3", &headers)
            .say(&gateway, "one")
            .await;
        let request = upstream.asked().await;
        assert!(request.contains(KEY), "{request}");
        request.contains("accept-encoding: gzip")
    };
    assert!(!ask(&[]).await);
    assert!(!ask(&["--no-response-repairs"]).await);
    assert!(!ask(&["--no-reasoning-memory"]).await);
    assert!(ask(&["--no-reasoning-memory", "--no-response-repairs"]).await);
    assert!(ask(&["--no-rewrite"]).await);
}
