//! The files for TLS.

use tokio::process::Command;

use crate::client::{file, in_time};

async fn fails(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_moonshot-ext-proc"))
        .args(["--port", "0", "--metrics-port", "0"])
        .args(arguments)
        .kill_on_drop(true)
        .output();
    let output = in_time(output).await.unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn files_that_cannot_work_end_the_start_with_a_reason() {
    let empty = file("empty.pem", "");
    let missing = file("missing.pem", "");
    std::fs::remove_file(&missing).unwrap();
    let (empty, missing) = (empty.to_str().unwrap(), missing.to_str().unwrap());
    for (arguments, reason) in [
        (&["--tls-cert", empty][..], "--tls-key"),
        (&["--tls-client-ca", empty], "--tls-cert"),
        (&["--tls-cert", missing, "--tls-key", empty], "missing.pem"),
        (
            &["--tls-cert", empty, "--tls-key", empty],
            "--tls-cert, --tls-key and --tls-client-ca: Error parsing TLS private key",
        ),
    ] {
        let text = fails(arguments).await;
        assert!(text.contains(reason), "{text}");
    }
}
