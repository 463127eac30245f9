//! Layers configured by environment variables. Variables belong to a process, so each
//! case runs this test binary again, with only the test `child`.

use std::{
    env,
    ffi::OsStr,
    process::{Command, Stdio},
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower_moonshot::MoonshotCompatLayer;

use crate::harness::*;

const MARK: &str = "the child says: ";

/// Returns the result of `from_env` with these variables.
fn with(variables: &[(&str, &OsStr)]) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "environment::child", "--ignored", "--nocapture"])
        .env_remove("MOONSHOT_API_BASE")
        .env_remove("MOONSHOT_API_KEY")
        .envs(variables.iter().copied())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let (_, said) = output.split_once(MARK).unwrap();
    said.lines().next().unwrap().to_owned()
}

#[tokio::test]
#[ignore = "run by the tests beside it, each in its own environment"]
async fn child() {
    let said = match MoonshotCompatLayer::from_env() {
        Ok(layer) => {
            let request = Request::post("/v1/chat/completions").body(Full::<Bytes>::default());
            let (request, _) = arrived(&layer, request.unwrap()).await;
            let key = request.headers().get("authorization");
            format!(
                "{} {:?}",
                request.uri(),
                key.map(|key| key.to_str().unwrap())
            )
        }
        Err(error) => error.to_string(),
    };
    println!("{MARK}{said}");
}

#[test]
fn an_empty_environment_gives_the_defaults() {
    let defaults = "https://api.moonshot.ai/v1/chat/completions None";
    assert_eq!(with(&[]), defaults);
    let empty = OsStr::new("");
    assert_eq!(
        with(&[("MOONSHOT_API_BASE", empty), ("MOONSHOT_API_KEY", empty)]),
        defaults
    );
}

#[test]
fn base_and_key_come_from_the_environment() {
    assert_eq!(
        with(&[
            (
                "MOONSHOT_API_BASE",
                OsStr::new("https://api.moonshot.cn/v1/chat/completions/")
            ),
            ("MOONSHOT_API_KEY", OsStr::new("sk-env")),
        ]),
        r#"https://api.moonshot.cn/v1/chat/completions Some("Bearer sk-env")"#
    );
}

#[test]
fn what_is_unusable_is_an_error_that_keeps_the_key_to_itself() {
    let base = with(&[("MOONSHOT_API_BASE", OsStr::new("api.moonshot.ai/v1"))]);
    assert!(base.contains("has no scheme"), "{base}");
    let key = with(&[("MOONSHOT_API_KEY", OsStr::new("sk secret"))]);
    assert!(key.contains("API key") && !key.contains("secret"), "{key}");
}

#[cfg(unix)]
#[test]
fn what_is_not_unicode_is_an_error() {
    use std::os::unix::ffi::OsStrExt;

    let error = with(&[("MOONSHOT_API_KEY", OsStr::from_bytes(b"sk-\xff"))]);
    assert_eq!(
        error,
        "the environment variable MOONSHOT_API_KEY is not valid UTF-8"
    );
}
