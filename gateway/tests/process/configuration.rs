//! LiteLLM's file, environment variables and the command line.

use serde_json::json;
use tower_moonshot::emulator::Emulator;

use crate::harness::{KEY, OK, Setup, chat, emulated, get, hello, hello_to, post, saying};

const README: &str = include_str!("../../README.md");

/// The example for Moonshot in LiteLLM's documentation, word for word.
const DOCUMENTED: &str = "\
model_list:
  - model_name: moonshot-v1-8k
    litellm_params:
      model: moonshot/moonshot-v1-8k
      api_key: os.environ/MOONSHOT_API_KEY
  - model_name: moonshot-v1-32k
    litellm_params:
      model: moonshot/moonshot-v1-32k
      api_key: os.environ/MOONSHOT_API_KEY
  - model_name: moonshot-v1-128k
    litellm_params:
      model: moonshot/moonshot-v1-128k
      api_key: os.environ/MOONSHOT_API_KEY
";

#[tokio::test]
async fn the_example_of_litellms_documentation_works_unchanged() {
    let moonshot = emulated(Emulator::new().with_api_key(KEY)).await;
    let gateway = Setup::config(DOCUMENTED)
        .variable("MOONSHOT_API_KEY", KEY)
        .variable("MOONSHOT_API_BASE", format!("http://{moonshot}/v1"))
        .start()
        .await;
    for model in ["moonshot-v1-8k", "moonshot-v1-32k", "moonshot-v1-128k"] {
        let answer = gateway.send(hello_to(model)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["model"], model);
    }
    let stream = json!({"model": "moonshot-v1-8k", "stream": true, "temperature": 2,
        "messages": [{"role": "user", "content": "Hi"}]});
    let answer = gateway.send(chat(&stream.to_string())).await;
    assert!(answer.body.contains("data: [DONE]"), "{}", answer.body);
    let listed = gateway.send(get("/v1/models")).await.json();
    assert_eq!(listed["data"][2]["id"], "moonshot-v1-128k");
    assert!(!gateway.output().contains("WARN"), "{}", gateway.output());
}

#[tokio::test]
async fn the_example_file_works() {
    let moonshot = emulated(Emulator::new().with_api_key(KEY)).await;
    let gateway = Setup::config(include_str!("../../config.yaml"))
        .variable("MOONSHOT_API_KEY", KEY)
        .variable("MOONSHOT_API_BASE", format!("http://{moonshot}/v1"))
        .start()
        .await;
    for model in ["kimi-k3", "gpt-4o", "moonshot/kimi-k2.6"] {
        let answer = gateway.send(hello_to(model)).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.body);
    }
    assert!(!gateway.output().contains("WARN"), "{}", gateway.output());
}

#[tokio::test]
async fn ignored_keys_are_logged_with_their_places_and_the_rest_is_served() {
    let upstream = saying(OK).await;
    let gateway = Setup::config(&format!(
        "model_list:
  - model_name: kimi-k3
    litellm_params:
      model: moonshot/kimi-k3
      api_base: 'http://{}/v1'
      rpm: 60
  - model_name: gpt-4o
    litellm_params: {{model: openai/gpt-4o, api_key: os.environ/NOT_SET}}
  - model_name: kimi-k2.6
    litellm_params: {{model: moonshot/kimi-k2.6, rpm: 60}}
litellm_settings:
  drop_params: true
environment_variables: {{OTHER: $KEY}}
",
        upstream.address
    ))
    .variable("RUST_LOG", "warn")
    .start()
    .await;
    for warning in [
        "line 6, column 7: litellm_params.rpm is ignored (also in line 10)",
        "line 7, column 5: \"gpt-4o\" is ignored: its model \"openai/gpt-4o\" is not of Moonshot (moonshot/…)",
        "line 12, column 3: litellm_settings.drop_params is ignored",
        "line 13, column 25: environment_variables.OTHER is ignored",
    ] {
        gateway.says(warning).await;
    }
    assert_eq!(
        gateway.output().matches("WARN").count(),
        4,
        "{}",
        gateway.output()
    );
    assert_eq!(gateway.send(hello()).await.status, 200);
}

/// If the space after the colon is missing or a quote takes its place, the API key is
/// part of the YAML key. That the log does not contain it is checked for each gateway.
#[tokio::test]
async fn a_warning_never_quotes_an_api_key_that_a_typo_made_part_of_a_yaml_key() {
    for (mistyped, named) in [
        ("api_key:$KEY", "litellm_params.api_key… is ignored"),
        ("api_key'$KEY'", "litellm_params.api_key… is ignored"),
        ("$KEY", "litellm_params.… is ignored"),
        ("x-api-key: $KEY", "litellm_params.x-api-key is ignored"),
    ] {
        let gateway = Setup::config(&format!(
            "model_list: [{{model_name: kimi-k3, litellm_params: {{model: moonshot/kimi-k3, {mistyped}}}}}]"
        ))
        .start()
        .await;
        gateway.says(named).await;
    }
}

/// As in LiteLLM, they take precedence over those of the process.
#[tokio::test]
async fn the_file_can_set_variables() {
    let mut upstream = saying(OK).await;
    let config = format!(
        "environment_variables:
  MOONSHOT_API_BASE: http://{}/v1
  MY_KEY: os.environ/THEIR_KEY
  LITELLM_MASTER_KEY: sk-open-sesame
  NOT_READ: 1
model_list:
  - model_name: kimi-k3
    litellm_params: {{model: moonshot/kimi-k3, api_key: os.environ/MY_KEY}}
  - model_name: kimi-k2.6
    litellm_params: {{model: moonshot/kimi-k2.6, api_key: os.environ/MY_KEY}}
",
        upstream.address
    );
    let gateway = Setup::config(&config)
        .variable("THEIR_KEY", KEY)
        .variable("MY_KEY", "sk-another")
        .variable("MOONSHOT_API_BASE", "https://api.moonshot.cn/v1")
        .start()
        .await;
    let headers = "authorization: Bearer sk-open-sesame\r\n";
    for model in ["kimi-k3", "kimi-k2.6"] {
        let body = format!("{{\"model\":\"{model}\"}}");
        let request = post("/v1/chat/completions", headers, &body);
        assert_eq!(gateway.send(request).await.status, 200);
        let request = upstream.asked().await;
        assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")));
    }
    let warning = "line 5, column 3: environment_variables.NOT_READ is ignored";
    gateway.says(warning).await;
    assert_eq!(gateway.output().matches("WARN").count(), 1);
}

/// Every error of a file, none of which quotes a key.
#[tokio::test]
async fn a_broken_file_is_an_error_with_line_and_column() {
    let entry = "model_list:\n  - model_name: kimi-k3\n    litellm_params:\n";
    for (text, message) in [
        (
            format!("{entry}      model: '$KEY\n"),
            "line 5, column 1: invalid indentation in multiline quoted scalar",
        ),
        (
            format!("{entry}      api_key: $KEY: 4\n"),
            "line 4, column 44: mapping values are not allowed",
        ),
        (
            format!("{entry}      api_key: $KEY\n      api_key: $KEY\n"),
            "line 5, column 7",
        ),
        (
            format!(
                "{entry}      model: moonshot/kimi-k3\n      api_key: os.environ/NO_SUCH_KEY\n"
            ),
            "line 5, column 16: api_key of \"kimi-k3\" is os.environ/NO_SUCH_KEY, but NO_SUCH_KEY is not set",
        ),
        (
            format!("{entry}      model: moonshot/kimi-k3\n      api_key: [$KEY]\n"),
            "line 5, column 16: api_key of \"kimi-k3\" has to be a string",
        ),
        (
            format!("{entry}      model: moonshot/kimi-k3\n      api_key: '$KEY \u{e9}'\n"),
            "line 5, column 16: api_key of \"kimi-k3\": the API key is empty or contains characters",
        ),
        (
            format!(
                "{entry}      model: moonshot/kimi-k3\n      api_base: 'https://x:$KEY@api.moonshot.ai'\n"
            ),
            "line 5, column 17: api_base of \"kimi-k3\": base URL \"api.moonshot.ai\" has a user",
        ),
        (
            format!("{entry}      model: moonshot/*\n"),
            "line 4, column 14: the * in \"moonshot/*\" refers to a * in model_name, but \"kimi-k3\" has none",
        ),
        (
            "model_list:\n  - model_name: a*b*\n    litellm_params: {model: moonshot/x}\n"
                .to_owned(),
            "line 2, column 17: model_name \"a*b*\" has more than one *",
        ),
        (
            "model_list:\n  - litellm_params: {model: moonshot/kimi-k3}\n".to_owned(),
            "line 2, column 5: model_name is missing from this entry",
        ),
        (
            "model_list:\n  - model_name: gpt-4o\n    litellm_params: {model: gpt-4o}\n".to_owned(),
            "line 2, column 3: no entry of model_list is for Moonshot",
        ),
        (
            "model_list: $KEY\n".to_owned(),
            "line 1, column 13: model_list has to be a list",
        ),
        (
            "general_settings: {}\n".to_owned(),
            "line 1, column 1: model_list is missing",
        ),
        (String::new(), "model_list is missing"),
        (
            format!("{entry}      model: moonshot/kimi-k3\ngeneral_settings:\n  master_key: ''\n"),
            "line 6, column 15: general_settings.master_key is empty",
        ),
        (
            format!(
                "{entry}      model: moonshot/kimi-k3\ngeneral_settings: {{master_key: ' $KEY'}}\n"
            ),
            "line 5, column 32: general_settings.master_key is empty or contains characters",
        ),
    ] {
        let (success, output) = Setup::config(&text).run().await;
        assert!(!success, "{text}");
        assert!(output.contains(message), "{text}: {output}");
    }
}

/// An editor on Windows may save it in another encoding.
#[tokio::test]
async fn a_file_that_is_not_utf_8_is_an_error_with_line_and_column() {
    let (success, output) = Setup::config_bytes(b"model_list:\n  - # caf\xc3\xa9 caf\xe9\n")
        .run()
        .await;
    assert!(!success);
    assert!(
        output.contains("line 2, column 15: the file is not UTF-8"),
        "{output}"
    );
}

/// It has a byte order mark and line ends of two characters.
#[tokio::test]
async fn a_file_from_windows_works() {
    let upstream = saying(OK).await;
    let text = format!(
        "\u{feff}model_list:\r\n  - model_name: kimi-k3\r\n    litellm_params:\r\n      \
         model: moonshot/kimi-k3\r\n      api_base: http://{}\r\n",
        upstream.address
    );
    let gateway = Setup::config(&text).start().await;
    assert_eq!(gateway.send(hello()).await.status, 200);
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let (success, output) = Setup::default()
        .arguments(["--config", "/no/such.yaml"])
        .run()
        .await;
    assert!(
        !success && output.contains("/no/such.yaml: No such file"),
        "{output}"
    );
}

#[tokio::test]
async fn invalid_variables_and_flags_are_errors_that_name_them() {
    let (success, output) = Setup::default()
        .variable("MOONSHOT_API_BASE", "api.moonshot.ai")
        .run()
        .await;
    assert!(
        !success && output.contains("MOONSHOT_API_BASE: ") && output.contains("has no scheme"),
        "{output}"
    );
    let (success, output) = Setup::default()
        .variable("MOONSHOT_API_KEY", format!("{KEY}\u{e9}"))
        .run()
        .await;
    assert!(
        !success && output.contains("MOONSHOT_API_KEY: the API key"),
        "{output}"
    );
    let (success, output) = Setup::default()
        .variable("LITELLM_MASTER_KEY", format!("{KEY} "))
        .run()
        .await;
    assert!(
        !success && output.contains("LITELLM_MASTER_KEY"),
        "{output}"
    );
    let (success, output) = Setup::default().variable("RUST_LOG", "a=b=c").run().await;
    assert!(!success && output.contains("RUST_LOG"), "{output}");
    let (success, output) = Setup::default()
        .arguments(["--connect-timeout", "soon"])
        .run()
        .await;
    assert!(
        !success && output.contains("expected a number of seconds"),
        "{output}"
    );
}

/// A gateway with one of these would serve no request.
#[tokio::test]
async fn limits_that_admit_no_request_are_errors() {
    for (flag, value) in [
        ("--max-requests", "0"),
        ("--max-body-bytes", "0"),
        ("--max-headers", "0"),
        // hyper would reserve memory for all of them.
        ("--max-headers", "18446744073709551615"),
        ("--connect-timeout", "0"),
        ("--first-byte-timeout", "0"),
        ("--client-timeout", "0"),
    ] {
        let (success, output) = Setup::default().arguments([flag, value]).run().await;
        assert!(
            !success && output.contains(flag),
            "{flag} {value}: {output}"
        );
    }
}

#[tokio::test]
async fn help_fits_into_80_columns_and_the_readme_has_every_flag() {
    let (success, output) = Setup::default().arguments(["--version"]).run().await;
    assert!(
        success && output.contains(env!("CARGO_PKG_VERSION")),
        "{output}"
    );
    let (success, output) = Setup::default().arguments(["--help"]).run().await;
    assert!(success && output.contains("--config <FILE>"), "{output}");
    for line in output.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        let Some(flag) = line.split_whitespace().find(|word| word.starts_with("--")) else {
            continue;
        };
        if line.starts_with("  ") && !matches!(flag, "--help" | "--version") {
            let mut rows = README.lines().filter(|line| line.starts_with("| `-"));
            let is_documented = rows
                .any(|row| row.contains(&format!("{flag} ")) || row.contains(&format!("{flag}`")));
            assert!(is_documented, "{flag} is not in README.md");
        }
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let upstream = saying(OK).await;
    let port = upstream.address.port().to_string();
    let (success, output) = Setup::default().arguments(["--port", &port]).run().await;
    assert!(
        !success && output.contains(&format!("127.0.0.1:{port}")),
        "{output}"
    );
    assert!(output.contains("--port"), "{output}");
}

#[tokio::test]
async fn a_key_that_others_can_use_gets_a_warning() {
    let upstream = saying(OK).await;
    let open = Setup::to(upstream.address)
        .arguments(["--host", "0.0.0.0"])
        .start()
        .await;
    open.says("anyone who can reach 0.0.0.0").await;
    let guarded = Setup::to(upstream.address)
        .arguments(["--host", "0.0.0.0"])
        .variable("LITELLM_MASTER_KEY", "sk-1234")
        .start()
        .await;
    assert!(!guarded.output().contains("anyone"));
}
