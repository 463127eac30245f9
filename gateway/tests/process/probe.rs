//! The subcommand `probe`, against emulators and against what else may answer.

use std::{
    collections::HashMap,
    env, fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tower::ServiceExt;
use tower_moonshot::emulator::{Emulator, Failure, facts};

use crate::harness::{KEY, black_hole, emulated, in_time, nobody, saying, serve};

const README: &str = include_str!("../../README.md");

/// A run of the probe with a file of its own.
struct Probe {
    file: PathBuf,
}

impl Probe {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("probe-{}-{number}.json", std::process::id());
        Self {
            file: env::temp_dir().join(name),
        }
    }

    /// Asks one upstream. Returns whether all was as expected, and what was printed.
    async fn run(&self, upstream: SocketAddr, arguments: &[&str]) -> (bool, String) {
        let base = format!("http://{upstream}/v1");
        self.run_with(
            &[("MOONSHOT_API_BASE", &*base), ("MOONSHOT_API_KEY", KEY)],
            arguments,
        )
        .await
    }

    async fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moonshot-gateway"));
        command.args(["probe", "--backoff", "0", "--out"]);
        command.arg(&self.file).args(arguments);
        command.stdin(Stdio::null());
        for (name, _) in env::vars() {
            if name.starts_with("MOONSHOT_") {
                command.env_remove(name);
            }
        }
        command.envs(variables.iter().copied());
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = in_time(run).await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains(KEY), "the key is printed: {text}");
        (output.status.success(), text)
    }

    fn answers(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.file).unwrap();
        assert!(!text.contains(KEY), "the key is recorded: {text}");
        let mut content: Value = serde_json::from_str(&text).unwrap();
        serde_json::from_value(content["answers"].take()).unwrap()
    }

    /// The facts with this verdict.
    fn with_verdict(&self, verdict: &str) -> Vec<String> {
        let answers = self.answers().into_iter();
        let answers = answers.filter(|answer| answer["verdict"] == verdict);
        answers
            .map(|answer| answer["fact"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

async fn moonshot() -> SocketAddr {
    emulated(Emulator::new().with_api_key(KEY)).await
}

/// Facts that tests with few requests ask about: one that is refused, and two that are
/// accepted.
const FEW: [&str; 8] = [
    "--model",
    "kimi-k2.6",
    "--fact",
    "top_p_fixed",
    "--fact",
    "effort_null",
    "--fact",
    "unknown_fields",
];

#[tokio::test]
async fn an_emulator_confirms_every_fact_and_is_not_asked_twice() {
    let probe = Probe::new();
    let upstream = moonshot().await;
    let old = ["--model", "moonshot-v1-8k", "--model", "kimi-k2-thinking"];
    for arguments in [&[][..], &old] {
        let (success, output) = probe.run(upstream, arguments).await;
        assert!(success, "{output}");
        assert!(
            output.contains(" 0 changed, 0 without an answer"),
            "{output}"
        );
    }
    let confirmed = probe.with_verdict("confirmed");
    assert_eq!(confirmed.len(), probe.answers().len());
    for fact in facts().filter(|fact| fact.request("kimi-k3").is_some()) {
        let is_asked = confirmed.iter().any(|id| id == fact.id());
        // Only for the families that the two runs have no model of.
        assert!(is_asked, "{}", fact.id());
    }
    // Nobody listens there any more: nothing is sent.
    let base = format!("http://{upstream}/v1");
    let nobody = nobody().await;
    assert_ne!(nobody, upstream);
    let variables = [("MOONSHOT_API_BASE", &*base), ("MOONSHOT_API_KEY", KEY)];
    let (success, output) = probe.run_with(&variables, &["--max-requests", "1"]).await;
    assert!(success && output.starts_with("0 requests"), "{output}");
}

#[tokio::test]
async fn exactly_what_has_changed_is_reported_as_changed() {
    // Moonshot isn't known to repeat keys, other hosts do.
    let error = format!(r#"{{"error":{{"type":"invalid_request_error","message":"no, {KEY}"}}}}"#);
    let error: &'static str = error.leak();
    let ok = (StatusCode::OK, r#"{"choices":[]}"#);
    let altered = [
        ("top_p_fixed", ok),
        // Another wording, another status and another type.
        ("thinking_type", (StatusCode::BAD_REQUEST, error)),
        ("n_fixed", (StatusCode::UNPROCESSABLE_ENTITY, error)),
        (
            "tool_type",
            (
                StatusCode::BAD_REQUEST,
                r#"{"error":{"type":"other","message":"no"}}"#,
            ),
        ),
        // Refused in spite of the fact.
        ("unknown_fields", (StatusCode::BAD_REQUEST, error)),
    ];
    // Nobody has recorded this wording, so any will do.
    let unrecorded = ("effort_level", (StatusCode::BAD_REQUEST, error));
    let answers: HashMap<String, (StatusCode, &str)> = altered
        .into_iter()
        .chain([unrecorded])
        .flat_map(|(id, answer)| {
            let fact = facts().find(|fact| fact.id() == id).unwrap();
            let models = ["kimi-k3", "kimi-k2.6"]
                .into_iter()
                .filter(|model| fact.holds_for(model));
            models.map(move |model| (fact.request(model).unwrap(), answer))
        })
        .collect();
    let emulator = Emulator::new().with_api_key(KEY);
    let upstream = serve(
        Router::new().fallback(move |request: axum::extract::Request| {
            let (emulator, answers) = (emulator.clone(), answers.clone());
            async move {
                let (head, body) = request.into_parts();
                let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                if let Some((status, answer)) = answers.get(std::str::from_utf8(&body).unwrap()) {
                    return (*status, *answer).into_response();
                }
                let request = axum::http::Request::from_parts(head, axum::body::Body::from(body));
                let Ok::<_, std::convert::Infallible>(response) = emulator.oneshot(request).await;
                response.map(axum::body::Body::new) as Response
            }
        }),
    )
    .await;

    let probe = Probe::new();
    let models = ["--model", "kimi-k3", "--model", "kimi-k2.6"];
    let (success, output) = probe.run(upstream, &models).await;
    assert!(!success, "{output}");
    let mut changed = probe.with_verdict("changed");
    changed.sort_unstable();
    let mut expected: Vec<&str> = altered.map(|(id, _)| id).repeat(2);
    expected.sort_unstable();
    assert_eq!(changed, expected, "{output}");
    assert!(
        output.contains(" 10 changed, 0 without an answer"),
        "{output}"
    );
    assert!(output.contains("expected  400 invalid_request_error: invalid top_p: only 0.95"));
    assert!(
        output.contains("answered  422 invalid_request_error: no, [key]"),
        "{output}"
    );
    assert!(output.contains("it says   no, [key]"), "{output}");
}

/// Runs against this upstream, which answers nothing of use, and then against Moonshot,
/// with the same file.
async fn resumes_after(upstream: SocketAddr, arguments: &[&str], message: &str) {
    let probe = Probe::new();
    let arguments = [&FEW, arguments].concat();
    let (success, output) = probe.run(upstream, &arguments).await;
    assert!(!success && output.contains(message), "{message}: {output}");
    assert!(
        output.contains("0 confirmed, 0 changed, 3 without an answer"),
        "{output}"
    );
    assert!(
        output.contains("To ask for the rest: moonshot-gateway probe --backoff 0 --out "),
        "{output}"
    );
    assert!(
        output.contains(&format!(" {}\n", arguments.join(" "))),
        "{output}"
    );
    let (success, output) = probe.run(moonshot().await, &FEW).await;
    assert!(
        success && output.contains("3 confirmed, 0 changed, 0 without"),
        "{output}"
    );
}

#[tokio::test]
async fn what_is_no_answer_is_said_and_asked_again_by_the_next_run() {
    let failure = "HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\n\r\n\
                   {\"error\":{\"type\":\"server_error\",\"message\":\"oops\"}}";
    let upstream = saying(failure).await.address;
    let tried = "500 server_error: oops (2 attempts)";
    resumes_after(upstream, &["--attempts", "2"], tried).await;
    let page = "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n\
                <html>nginx</html>";
    let upstream = saying(page).await.address;
    let message = "502 Bad Gateway with a body (text/html) that is not one of Moonshot's";
    resumes_after(upstream, &["--attempts", "2"], message).await;
    let portal = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>";
    let upstream = saying(portal).await.address;
    resumes_after(upstream, &[], "is there a proxy in between?").await;
    let silent = black_hole().await;
    let arguments = ["--timeout", "0.05", "--attempts", "1"];
    resumes_after(silent, &arguments, "there is no answer within 50ms").await;
    let arguments = ["--attempts", "1"];
    resumes_after(nobody().await, &arguments, "there is no valid answer: ").await;
}

#[tokio::test]
async fn the_account_s_troubles_end_the_run() {
    let wait = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 3600\r\nconnection: close\r\n\r\n\
                {\"error\":{\"type\":\"rate_limit_reached_error\",\"message\":\"org-1 is too fast\"}}";
    let upstream = saying(wait).await.address;
    let message = "429 rate_limit_reached_error: too many requests, in 3600 seconds";
    resumes_after(upstream, &[], message).await;
    let busy = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\nconnection: close\r\n\r\n\
                {\"error\":{\"type\":\"engine_overloaded_error\",\"message\":\"busy\"}}";
    let upstream = saying(busy).await.address;
    let message = "stopped at top_p_fixed: 429 engine_overloaded_error: too many requests";
    resumes_after(upstream, &["--attempts", "3"], message).await;
    let quota = "HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\n\r\n\
                 {\"error\":{\"type\":\"exceeded_current_quota_error\",\"message\":\"pay\"}}";
    let upstream = saying(quota).await.address;
    resumes_after(upstream, &[], "the account has no money left").await;
    let access = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n\
                  {\"error\":{\"type\":\"access_terminated_error\",\"message\":\"no\"}}";
    let upstream = saying(access).await.address;
    resumes_after(
        upstream,
        &[],
        "the key in MOONSHOT_API_KEY has no access (403 ",
    )
    .await;
}

#[tokio::test]
async fn a_wrong_key_is_named_after_its_variable() {
    let probe = Probe::new();
    let strict = emulated(Emulator::new().with_api_key("sk-another-key")).await;
    let arguments = ["--model", "kimi-k3"];
    let (success, output) = probe.run(strict, &arguments).await;
    assert!(!success, "{output}");
    let message = "the key in MOONSHOT_API_KEY is refused (401 incorrect_api_key_error";
    assert!(output.contains(message), "{output}");
    // What needs no key is known by then.
    assert_eq!(
        probe.with_verdict("confirmed"),
        ["key_missing", "key_wrong"]
    );
}

#[tokio::test]
async fn a_failure_that_passes_is_waited_for() {
    let flaky = Emulator::new()
        .with_api_key(KEY)
        .fail_first(1, Failure::RateLimited);
    let probe = Probe::new();
    let (success, output) = probe.run(emulated(flaky).await, &FEW).await;
    assert!(
        success && output.contains("3 confirmed, 0 changed"),
        "{output}"
    );
}

#[tokio::test]
async fn a_model_that_is_not_sold_is_skipped() {
    let upstream = emulated(Emulator::new().with_models(["kimi-k3"])).await;
    let probe = Probe::new();
    let arguments = [
        "--model",
        "kimi-k2.5",
        "--model",
        "kimi-k3",
        "--fact",
        "top_p_fixed",
    ];
    let (success, output) = probe.run(upstream, &arguments).await;
    assert!(
        !success && output.contains("kimi-k2.5: not available to this key"),
        "{output}"
    );
    assert!(
        output.contains("1 confirmed, 0 changed, 1 without an answer"),
        "{output}"
    );
}

#[tokio::test]
async fn it_stops_after_the_given_number_of_requests() {
    let (probe, upstream) = (Probe::new(), moonshot().await);
    let arguments = [&FEW[..], &["--max-requests", "2"]].concat();
    let (success, output) = probe.run(upstream, &arguments).await;
    assert!(
        !success && output.contains("2 confirmed, 0 changed, 1 without"),
        "{output}"
    );
    let (success, output) = probe.run(upstream, &arguments).await;
    assert!(
        success && output.contains("3 confirmed, 0 changed, 0 without"),
        "{output}"
    );
}

#[tokio::test]
async fn a_dry_run_prints_what_would_be_asked_of_each_region() {
    let probe = Probe::new();
    let variables = [
        ("MOONSHOT_API_KEY", KEY),
        ("MOONSHOT_API_KEY_KIMI_CODE", "sk-code-key"),
    ];
    let arguments = ["--dry-run", "--fact", "fixed_values", "--fact", "n_fixed"];
    let (success, output) = probe.run_with(&variables, &arguments).await;
    assert!(success, "{output}");
    assert!(output.contains("fixed_values global kimi-k3\n"), "{output}");
    assert!(
        output.contains("n_fixed kimi-code kimi-for-coding\n"),
        "{output}"
    );
    assert!(
        output.contains("12 requests. 6 of them should be answered"),
        "{output}"
    );
    assert!(!probe.file.exists());
}

/// It is what tells whether a key is worth its price.
#[tokio::test]
async fn a_dry_run_needs_no_key() {
    let probe = Probe::new();
    let arguments = ["--dry-run", "--fact", "fixed_values"];
    let (success, output) = probe.run_with(&[], &arguments).await;
    assert!(success, "{output}");
    assert!(output.contains("fixed_values global kimi-k3\n"), "{output}");
    let china = [("MOONSHOT_API_BASE", "china")];
    let (success, output) = probe.run_with(&china, &arguments).await;
    assert!(success, "{output}");
    assert!(output.contains("fixed_values china kimi-k3\n"), "{output}");
}

#[tokio::test]
async fn mistakes_on_the_command_line_are_explained() {
    let probe = Probe::new();
    let (success, output) = probe.run_with(&[], &[]).await;
    assert!(
        !success && output.contains("there is no API key"),
        "{output}"
    );
    let (success, output) = probe.run_with(&[], &["--fact", "no_such"]).await;
    assert!(
        !success && output.contains("there is no such fact"),
        "{output}"
    );
    fs::write(&probe.file, "{}").unwrap();
    let (success, output) = probe.run(nobody().await, &[]).await;
    assert!(
        !success && output.contains("is not a file of the probe"),
        "{output}"
    );
}

#[tokio::test]
async fn its_help_fits_into_80_columns_and_the_readme_has_every_flag() {
    let (success, output) = Probe::new().run_with(&[], &["--help"]).await;
    assert!(success, "{output}");
    for line in output.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        let flag = line.split_whitespace().find(|word| word.starts_with("--"));
        let flag = flag.filter(|flag| line.starts_with("      --") && *flag != "--help");
        if let Some(flag) = flag {
            assert!(
                README.contains(&format!("| `{flag}")),
                "{flag} is not in README.md"
            );
        }
    }
}
