//! `rewrite`: files with one request a line.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Output, Stdio},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_moonshot-gateway");

const HOT: &str =
    r#"{ "model":"kimi-k2.6", "temperature":0.2,"messages":[{"role":"user","content":"\u00e9"}]}"#;

/// The same as it is sent.
const COOL: &str = r#"{ "model":"kimi-k2.6", "messages":[{"role":"user","content":"\u00e9"}]}"#;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .arg("rewrite")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn rewrite(arguments: &[&str], input: &str) -> (Output, String, String) {
    let mut child = command(arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

fn envelope(body: &str) -> String {
    format!(
        r#"{{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {body} }}"#
    )
}

#[test]
fn only_what_needs_it_is_changed_and_lines_keep_their_endings() {
    let other = r#"{"custom_id":"b","url":"/v1/embeddings","body":{"temperature":0.2}}"#;
    let first = format!(r#"{{"body":{HOT},"custom_id":"c"}}"#);
    let input = format!(
        "{HOT}\r\n\n{COOL}\n{}\n{other}\n{first}\n{HOT}",
        envelope(HOT)
    );
    let expected = format!(
        "{COOL}\r\n\n{COOL}\n{}\n{other}\n{}\n{COOL}",
        envelope(COOL),
        first.replace(HOT, COOL)
    );
    let (output, out, err) = rewrite(&[], &input);
    assert_eq!(out, expected);
    assert_eq!(
        err,
        "5 requests, 4 changed (sampling 4), 1 for other paths kept\n"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_bad_line_ends_the_rewrite_or_is_kept() {
    let bad = r#"{"custom_id":"a","body":{"messages":[}}"#;
    let input = format!("{HOT}\n{bad}\n[]\n{HOT}\n");
    let (output, out, err) = rewrite(&[], &input);
    assert_eq!(out, format!("{COOL}\n"));
    assert_eq!(
        err,
        "error: line 2, column 38: not JSON: expected a value\n"
    );
    assert_eq!(output.status.code(), Some(2));

    let (output, out, err) = rewrite(&["--keep-bad-lines"], &input);
    assert_eq!(out, format!("{COOL}\n{bad}\n[]\n{COOL}\n"));
    assert_eq!(
        err,
        "warning: line 2, column 38: not JSON: expected a value\n\
         warning: line 3: no chat request: it has no array \"messages\"\n\
         2 requests, 2 changed (sampling 2), 2 bad lines kept\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

/// A reader that has read enough, such as `head`, ends it.
#[test]
fn who_no_longer_reads_ends_the_rewrite() {
    let mut child = command(&[]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        // Until the program has ended.
        while stdin.write_all(format!("{HOT}\n").as_bytes()).is_ok() {}
    });
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert_eq!(first, format!("{COOL}\n"));
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(2));
    writer.join().unwrap();
}

/// Memory is that of one line, however many there are.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_file() {
    let mut child = command(&[]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()).unwrap());
    let line = format!("{HOT}\n").repeat(1000);
    let peak = |id: u32| -> usize {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let mut lines = status.lines();
        let peak = lines.find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.unwrap().trim().parse().unwrap()
    };
    let mut early = 0;
    for number in 0..200 {
        stdin.write_all(line.as_bytes()).unwrap();
        if number == 20 {
            early = peak(child.id());
        }
    }
    let growth = peak(child.id()) - early;
    // The file has 18 MB.
    assert!(growth < 4000, "{growth} kB");
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let length = (COOL.len() as u64 + 1) * 200_000;
    assert_eq!(reader.join().unwrap(), length);
}
