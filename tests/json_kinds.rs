//! Kinds of JSON values, valid and invalid, in every place of a chat request that a value
//! may have: the rewrite accepts and rejects each as the table says, to the offset of the
//! error.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../src/json/kinds.rs"]
mod kinds;

use bytes::Bytes;
use tower_moonshot::{MoonshotCompatLayer, Skipped};

use self::kinds::{TEXTS, VALUES, Verdict};

/// Requests with a value at `@`. The rewrite changes nothing around it, and nothing in it
/// where it is marked so.
const PLACES: &[(&str, bool)] = &[
    // The root itself.
    ("@", true),
    (" \n@\t", true),
    // Members that no rule knows.
    (r#"{"model":"kimi-k3","messages":[],"x":@}"#, true),
    (r#"{"x":@,"model":"kimi-k3","messages":[]}"#, true),
    (r#"{"messages":[], "x": [0, [1, @ ]]}"#, true),
    (
        r#"{"messages":[],"x":{"model":{"messages": @ , "y":0}}}"#,
        true,
    ),
    (
        r#"{"messages":[{"role":"user","content":"Hi","x":@}]}"#,
        true,
    ),
    (
        r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":@}}]}]}"#,
        true,
    ),
    (
        r#"{"messages":[{"role":"user","content":[{"type":"image_url","x":@}]}]}"#,
        true,
    ),
    (
        r#"{"tools":[{"type":"function","function":{"name":"f","x":@}}],"messages":[]}"#,
        true,
    ),
    (r#"{"metadata":{"a":@},"messages":[]}"#, true),
    // Members that rules know.
    (r#"{"model":@,"messages":[]}"#, false),
    (r#"{"model":"kimi-k3","messages":@}"#, false),
    (r#"{"model":"kimi-k3","messages":[@]}"#, false),
    (r#"{"messages":[{"role":"user","content":"Hi"},@]}"#, false),
    (r#"{"messages":[{"role":@,"content":"Hi"}]}"#, false),
    (r#"{"messages":[{"role":"user","content":@}]}"#, false),
    (
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},@]}]}"#,
        false,
    ),
    (
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":@}]}]}"#,
        false,
    ),
    (
        r#"{"messages":[{"role":"user","content":[{"type":@,"text":"a"}]}]}"#,
        false,
    ),
    (
        r#"{"messages":[{"role":"assistant","content":"","reasoning_content":@}]}"#,
        false,
    ),
    (
        r#"{"messages":[{"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":@}]}]}"#,
        false,
    ),
    (
        r#"{"messages":[{"role":"assistant","provider_specific_fields":{"reasoning_content":@}}]}"#,
        false,
    ),
    (
        r#"{"messages":[{"role":"assistant","tool_calls":@}]}"#,
        false,
    ),
    (
        r#"{"messages":[{"role":"assistant","tool_calls":[{"id":@,"function":{"name":"f"}}]}]}"#,
        false,
    ),
    (
        r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":@,"arguments":"{}"}}]}]}"#,
        false,
    ),
    (
        r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":@}}]}]}"#,
        false,
    ),
    (
        r#"{"messages":[{"role":"tool","tool_call_id":@,"content":"1"}]}"#,
        false,
    ),
    (r#"{"messages":[],"tools":@}"#, false),
    (r#"{"messages":[],"tools":[0,@]}"#, false),
    (
        r#"{"messages":[],"tools":[{"type":"function","function":@}]}"#,
        false,
    ),
    (
        r#"{"messages":[],"tools":[{"type":"function","function":{"name":@}}]}"#,
        false,
    ),
    (
        r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":@}}]}"#,
        false,
    ),
    (
        r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":@}}}}]}"#,
        false,
    ),
    (
        r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"enum":["x",@]}}}}}]}"#,
        false,
    ),
    (r#"{"messages":[],"response_format":@}"#, false),
    (
        r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"f","schema":@}}}"#,
        false,
    ),
    (r#"{"messages":[],"temperature":@}"#, false),
    (r#"{"messages":[],"n":@,"top_p":1}"#, false),
    (r#"{"messages":[],"thinking":@}"#, false),
    (r#"{"messages":[],"thinking":{"type":@}}"#, false),
    (r#"{"messages":[],"reasoning_effort":@}"#, false),
    (r#"{"messages":[],"tool_choice":@,"tools":[]}"#, false),
    (r#"{"messages":[],"max_tokens":@}"#, false),
];

/// The offset of the error of a body, or `None` if it is valid.
fn error(body: &[u8]) -> Option<usize> {
    let body = Bytes::copy_from_slice(body);
    let (rope, report) = MoonshotCompatLayer::new().rewrite(body.clone());
    match report.skipped() {
        Some(Skipped::InvalidJson(invalid)) => {
            assert_eq!(rope.into_bytes().as_ptr(), body.as_ptr());
            Some(invalid.offset())
        }
        Some(Skipped::NotAChatRequest) | None => None,
        Some(other) => panic!("{other}"),
    }
}

fn split(place: &str) -> (&[u8], &[u8]) {
    let (before, after) = place.split_once('@').unwrap();
    (before.as_bytes(), after.as_bytes())
}

#[test]
fn every_kind_of_value_has_its_verdict_in_every_place() {
    for &(place, is_kept) in PLACES {
        let (before, after) = split(place);
        for &(value, verdict) in VALUES {
            let body = [before, value, after].concat();
            let shown = String::from_utf8_lossy(&body);
            let found = error(&body);
            match verdict {
                Verdict::Accept | Verdict::EitherAccepted => {
                    assert_eq!(found, None, "{shown}");
                    if is_kept {
                        let (rope, report) =
                            MoonshotCompatLayer::new().rewrite(body.clone().into());
                        assert_eq!(report.changes(), [], "{shown}");
                        assert_eq!(rope.into_bytes(), body, "{shown}");
                    }
                }
                Verdict::RejectOpen => {
                    assert!(
                        found.is_some_and(|at| at > before.len()),
                        "{shown}: {found:?}"
                    );
                }
                Verdict::Reject(offset) | Verdict::EitherRejected(offset) => {
                    assert_eq!(found, Some(before.len() + offset), "{shown}");
                }
            }
        }
    }
}

#[test]
fn every_kind_of_text_has_its_verdict() {
    for &(text, verdict) in TEXTS {
        let expected = match verdict {
            Verdict::Accept | Verdict::EitherAccepted => None,
            Verdict::RejectOpen => Some(text.len()),
            Verdict::Reject(offset) | Verdict::EitherRejected(offset) => Some(offset),
        };
        assert_eq!(error(text), expected, "{}", String::from_utf8_lossy(text));
    }
}

/// Parsers may limit the depth. Here 127 brackets may be open, those of the request
/// included, as many as serde_json accepts.
#[test]
fn values_are_accepted_up_to_a_depth_of_127_in_every_place() {
    for &(place, _) in PLACES {
        let (before, after) = split(place);
        let count = |bracket: u8| before.iter().filter(|&&byte| byte == bracket).count();
        let around = count(b'{') + count(b'[') - count(b'}') - count(b']');
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"\":", "}]")] {
            let per = open.bytes().filter(|byte| b"[{".contains(byte)).count();
            let nested = |times: usize| {
                let value = [open.repeat(times), "0".to_owned(), close.repeat(times)].concat();
                [before, value.as_bytes(), after].concat()
            };
            let most = (127 - around) / per;
            assert_eq!(error(&nested(most)), None, "{place}");
            // The bracket that opens level 128.
            let at = match per {
                2 if (127 - around) % 2 == 1 => before.len() + most * open.len() + 1,
                _ => before.len() + most * open.len(),
            };
            assert_eq!(error(&nested(most + 1)), Some(at), "{place}");
            assert_eq!(error(&nested(100_000)), Some(at), "{place}");
        }
    }
}

/// Keys are strings, and nothing else.
#[test]
fn only_strings_are_keys() {
    for place in [
        r#"{@:1}"#,
        r#"{"messages":[],@:1}"#,
        r#"{"messages":[{"role":"user",@ : 1}]}"#,
        r#"{"messages":[],"x":{"a":[{@:{}}]}}"#,
    ] {
        let (before, after) = split(place);
        for &(value, verdict) in VALUES {
            let body = [before, value, after].concat();
            let found = error(&body);
            let shown = String::from_utf8_lossy(&body);
            let is_key = value.starts_with(b"\"");
            match verdict {
                Verdict::Accept | Verdict::EitherAccepted if is_key => {
                    assert_eq!(found, None, "{shown}");
                }
                Verdict::RejectOpen => assert!(found.is_some(), "{shown}"),
                Verdict::Reject(offset) | Verdict::EitherRejected(offset) if is_key => {
                    assert_eq!(found, Some(before.len() + offset), "{shown}");
                }
                _ => assert_eq!(found, Some(before.len()), "{shown}"),
            }
        }
    }
}
