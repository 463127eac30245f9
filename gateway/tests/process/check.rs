//! What `check` prints, for typical requests.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_moonshot-gateway");

fn check(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(PROGRAM)
        .arg("check")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// What a person sees, with the status at the end.
fn seen(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let status = output.status.code().unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    format!("{out}{err}exits with {status}\n")
}

/// Each file beside a `.txt` with what is printed. `UPDATE=1` writes those.
#[test]
fn typical_requests() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check");
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind != "txt"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 22);
    for file in files {
        let output = check(&[file.to_str().unwrap()], "");
        let printed = seen(&output);
        assert!(!printed.contains('\u{1b}'), "no colours in a pipe");
        let expected = file.with_extension("txt");
        if env::var_os("UPDATE").is_some() {
            fs::write(&expected, &printed).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap();
        assert_eq!(printed, expected, "{}", file.display());
    }
}

const HOT: &str =
    r#"{"model":"kimi-k2.6","temperature":0.2,"messages":[{"role":"user","content":"Hi"}]}"#;

#[test]
fn standard_input_is_read_without_a_file() {
    for arguments in [&[][..], &["-"]] {
        let printed = seen(&check(arguments, HOT));
        assert!(
            printed.starts_with("kimi-k2.6, 1 message, 83 bytes\n"),
            "{printed}"
        );
        assert!(printed.ends_with("exits with 0\n"), "{printed}");
    }
}

#[test]
fn another_model_can_be_tried() {
    let printed = seen(&check(&["--model", "moonshot-v1-8k"], HOT));
    assert!(printed.starts_with("moonshot-v1-8k, "), "{printed}");
    assert!(
        printed.contains("Moonshot accepts it as it is."),
        "{printed}"
    );
}

#[test]
fn for_machines_each_request_is_an_object() {
    let output = check(&["--json"], &format!("{HOT}\n\n{HOT}\n"));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["line"], 3);
    assert_eq!(lines[1]["model"], "kimi-k2.6");
    assert_eq!(lines[1]["findings"][0]["fact"], "temperature_fixed");
    assert_eq!(lines[1]["findings"][0]["rule"], "sampling");
    assert_eq!(lines[1]["changes"][0]["pointer"], "/temperature");
    assert_eq!(lines[1]["differences"][0]["old"], 0.2);
    assert_eq!(lines[1]["differences"][0].get("new"), None);
    assert_eq!(lines[1]["remaining"], Value::Array(vec![]));
    assert_eq!(lines[1]["is_accepted"], true);
    assert_eq!(lines[1]["changes_left_out"], 0);
    assert_eq!(lines[1]["unrepaired_schemas"], 0);
    let finding = &lines[1]["findings"][0];
    assert_eq!(finding["what"], "temperature other than 1");
    assert_eq!(finding["grade"], "suite");
    assert!(finding["source"].as_str().unwrap().contains("suite"));
}

#[test]
fn what_is_not_listed_is_counted() {
    const MESSAGES: usize = 1200;
    let messages = [r#"{"role":"developer","content":"Hi"}"#; MESSAGES].join(",");
    let request =
        |tools: &str| format!(r#"{{"model":"kimi-k3","messages":[{messages}],"tools":[{tools}]}}"#);
    let object = |request: &str| -> Value {
        let output = check(&["--json"], request);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let checked = object(&request(""));
    let listed = checked["changes"].as_array().unwrap().len();
    assert!((1..MESSAGES).contains(&listed), "{listed}");
    assert_eq!(checked["changes_left_out"], MESSAGES - listed);
    let printed = seen(&check(&[], &request("")));
    let said = format!("more; --json has the first {listed}\n");
    assert!(printed.contains(&said), "{printed}");

    let tool = |number: usize| {
        format!(
            r#"{{"type":"function","function":{{"name":"t{number}","parameters":{{"properties":{{"a":true}}}}}}}}"#
        )
    };
    let tools: Vec<String> = (0..20_000).map(tool).collect();
    let request = request(&tools.join(","));
    let unrepaired = object(&request)["unrepaired_schemas"].as_u64().unwrap();
    assert!(unrepaired > 0);
    let said = format!("\nThe schemas of {unrepaired} tools are too difficult to repair");
    let printed = seen(&check(&[], &request));
    assert!(printed.contains(&said), "{printed}");
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let printed = seen(&check(&["/nowhere/at-all.json"], ""));
    assert!(
        printed.starts_with("error: /nowhere/at-all.json: "),
        "{printed}"
    );
    assert!(printed.ends_with("exits with 2\n"), "{printed}");
    let printed = seen(&check(&[], ""));
    assert_eq!(
        printed,
        "error: line 1, column 1: not JSON: unexpected end of text\n  \n  ^\nexits with 2\n"
    );
}
