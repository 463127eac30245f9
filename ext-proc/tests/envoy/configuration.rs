//! Envoy's configuration: the example, with other addresses.

use std::net::SocketAddr;

const EXAMPLE: &str = include_str!("../../envoy.yaml");

/// The example, for these processors and this upstream, which takes the emulator's place.
pub(crate) fn example(processors: &[SocketAddr], upstream: SocketAddr) -> String {
    let mut text = EXAMPLE.to_owned();
    for (old, new) in [
        ("port_value: 9901", "port_value: 0".to_owned()),
        ("port_value: 4000", "port_value: 0".to_owned()),
        ("[\"127.0.0.1:4001\"]", format!("[\"{upstream}\"]")),
        (
            "port_value: 4001",
            format!("port_value: {}", upstream.port()),
        ),
        // Nothing may leave this machine, whatever fails.
        ("cluster: moonshot_global", "cluster: emulator".to_owned()),
        ("interval: 2s", "interval: 0.2s".to_owned()),
    ] {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, &new);
    }
    let endpoint = |port: u16| {
        format!(
            "              - endpoint: {{ address: {{ socket_address: \
             {{ address: 127.0.0.1, port_value: {port} }} }} }}\n"
        )
    };
    for port in [50051, 50052] {
        assert!(text.contains(&endpoint(port)));
    }
    let endpoints: String = processors.iter().map(|at| endpoint(at.port())).collect();
    text.replace(&endpoint(50051), &endpoints)
        .replace(&endpoint(50052), "")
}

/// Sends request bodies in the mode `BUFFERED`, and responses not at all.
pub(crate) fn buffered(text: &str) -> String {
    replaced(
        text,
        &[
            (
                "request_body_mode: FULL_DUPLEX_STREAMED",
                "request_body_mode: BUFFERED",
            ),
            ("request_trailer_mode: SEND", "request_trailer_mode: SKIP"),
            ("response_header_mode: SEND", "response_header_mode: SKIP"),
            (
                "response_body_mode: FULL_DUPLEX_STREAMED",
                "response_body_mode: NONE",
            ),
            ("response_trailer_mode: SEND", "response_trailer_mode: SKIP"),
            // What Envoy buffers has to fit.
            ("limit_bytes: 1048576", "limit_bytes: 104857600"),
        ],
    )
}

/// Replaces texts, all of which have to be there.
pub(crate) fn replaced(text: &str, replacements: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (old, new) in replacements {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    text
}

/// Returns the example in the README that contains `marker`.
pub(crate) fn readme(marker: &str) -> String {
    let blocks = include_str!("../../README.md").split("```yaml\n").skip(1);
    let mut blocks = blocks.map(|block| block.split("```").next().unwrap());
    let block = blocks.find(|block| block.contains(marker));
    block.expect("the example").to_owned()
}

/// Inserts lines after the first `line`, which are indented as what follows it.
pub(crate) fn inserted(text: &str, line: &str, lines: &str) -> String {
    let (before, after) = text.split_once(line).expect("the line");
    let indent = after.len() - after.trim_start_matches(' ').len();
    let lines = lines.lines().map(|line| format!("{:indent$}{line}\n", ""));
    format!("{before}{line}{}{after}", lines.collect::<String>())
}
