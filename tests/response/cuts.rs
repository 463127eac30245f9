//! Frames end anywhere. What a client gets doesn't depend on where.

use proptest::prelude::*;
use tower_moonshot::response::{ResponseCompatLayer, ResponseRule};

use crate::{
    generate::{self, Faults},
    harness::{EVENTS, JSON, Script, cases, repaired_by},
};

/// Streams with one fault each at least, in every spelling of a line end.
fn streams() -> Vec<String> {
    let text = concat!(
        ": hello\n\n",
        "data: {\"model\":\"kimi-k3\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\u{6708}\"}}]}\n\n",
        "data:{\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"re\"}}]}}]}\n\n",
        ": ping\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[\ndata: {\"id\":\"b\",\"function\":{\"name\":\"ad\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"x\",\"arguments\":\"{}\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\",\"usage\":{\"cached_tokens\":1}}]}\n\n",
    );
    let mut streams = Vec::new();
    for end in ["data: [DONE]\n\n", "", "data: {\"cut", "data: [DONE]"] {
        let text = text.to_owned() + end;
        streams.push(text.replace('\n', "\r\n"));
        streams.push(text.replace('\n', "\r"));
        streams.push("\u{feff}".to_owned() + &text.replace(": hello", "data: {\"error\":\"no\"}"));
        streams.push(text.replace("\"finish_reason\":\"stop\",", ""));
        streams.push(text);
    }
    streams
}

#[test]
fn a_stream_cut_at_any_byte_gives_the_same_bytes() {
    for text in streams() {
        let layer = ResponseCompatLayer::new();
        let whole = repaired_by(&layer, EVENTS, Script::of([&text]));
        let text = text.as_bytes();
        for first in 0..=text.len() {
            let (start, end) = text.split_at(first);
            let got = repaired_by(&layer, EVENTS, Script::of([start, end]));
            assert_eq!(got.text(), whole.text(), "cut at {first}");
            assert_eq!(got.report(), whole.report());
        }
        let bytes = repaired_by(&layer, EVENTS, Script::of(text.chunks(1)));
        assert_eq!(bytes.text(), whole.text());
    }
}

/// Short streams, so that all pairs of bytes are few enough.
fn short_streams() -> Vec<String> {
    let call = |call: &str| {
        format!("data:{{\"choices\":[{{\"delta\":{{\"tool_calls\":[{{{call}}}]}}}}]}}\n\n")
    };
    let name = call("\"id\":\"a\",\"function\":{\"name\":\"r\"}");
    let piece = call("\"id\":\"b\",\"function\":{\"name\":\"w\"}");
    let usage =
        "data: {\"choices\":[{\"finish_reason\":\"\",\"usage\":{\"cached_tokens\":1}}]}\n\n";
    let mut streams = vec![
        name + ":\n\n" + &piece + "data: [DONE]",
        usage.to_owned() + "\ndata: [DONE]\n\n",
        "data: {\"usage\":\ndata:{\"cached_tokens\":1}}\n\ndata: {\"choices\":".to_owned(),
        "\u{feff}data: {\"error\":\"\u{6708}\"}\n\n: x\n\n".to_owned(),
    ];
    for line_end in ["\r\n", "\r"] {
        streams.extend_from_within(..4);
        for stream in streams.iter_mut().rev().take(4) {
            *stream = stream.replace('\n', line_end);
        }
    }
    streams
}

#[test]
fn a_stream_cut_at_any_two_bytes_gives_the_same_bytes() {
    for text in short_streams() {
        let layer = ResponseCompatLayer::new();
        let whole = repaired_by(&layer, EVENTS, Script::of([&text])).text();
        assert_ne!(whole, text);
        let text = text.as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let frames = [&text[..first], &text[first..second], &text[second..]];
                let got = repaired_by(&layer, EVENTS, Script::of(frames));
                assert_eq!(got.bytes(), whole.as_bytes(), "cut at {first} and {second}");
            }
        }
    }
}

#[test]
fn limits_apply_wherever_a_stream_is_cut() {
    let text = &streams()[4];
    for limit in (0..260).step_by(3) {
        let layer = ResponseCompatLayer::new().with_max_answer_bytes(limit);
        let whole = repaired_by(&layer, EVENTS, Script::of([text])).text();
        for size in [1, 2, 3, 50, 97, 100] {
            let frames = Script::of(text.as_bytes().chunks(size));
            let got = repaired_by(&layer, EVENTS, frames).text();
            assert_eq!(got, whole, "limit {limit}, frames of {size}");
        }
    }
}

#[test]
fn json_answers_may_be_cut_too() {
    let text =
        r#"{"choices":[{"message":{"content":"Hi"},"usage":{"cached_tokens":1}}]}"#.as_bytes();
    let layer = ResponseCompatLayer::new();
    let whole = repaired_by(&layer, JSON, Script::of([text]));
    assert_ne!(whole.bytes(), text);
    for cut in 0..=text.len() {
        let got = repaired_by(&layer, JSON, Script::of([&text[..cut], &text[cut..]]));
        assert_eq!(got.bytes(), whole.bytes());
        // Over the limit nothing is repaired.
        let short = layer.clone().with_max_answer_bytes(text.len() - 1);
        let got = repaired_by(&short, JSON, Script::of([&text[..cut], &text[cut..]]));
        assert_eq!(got.bytes(), text);
    }
}

/// Frames of a text, cut at these places.
fn cut(text: &[u8], places: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = places
        .iter()
        .map(|place| place.index(text.len() + 1))
        .collect();
    places.sort_unstable();
    let mut frames = Vec::new();
    let mut start = 0;
    for end in places.into_iter().chain([text.len()]) {
        frames.push(text[start..end].to_vec());
        start = end;
    }
    frames
}

/// Bytes that look a little like a stream, so that more of the code is reached.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        "data: ",
        "data:",
        "data",
        "event: error",
        ": ",
        "\n",
        "\n\n",
        "\r",
        "\r\n\r\n",
        "\u{feff}",
        "[DONE]",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"choices\":",
        "\"delta\":",
        "\"tool_calls\":",
        "\"index\":",
        "\"id\":\"a\"",
        "\"function\":",
        "\"name\":\"f\"",
        "\"arguments\":\"x\"",
        "\"usage\":",
        "\"error\":",
        "\"message\":",
        "\"finish_reason\":\"stop\"",
        "null",
        "0",
        "1e9",
        "\"\\ud800\"",
        "\"",
    ]);
    let junk = prop::collection::vec(any::<u8>(), 0..6);
    let piece = prop_oneof![4 => token.prop_map(|token| token.as_bytes().to_vec()), 1 => junk];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(cases(300))]

    /// Whatever comes passes; where the end is missing, an error is added.
    #[test]
    fn arbitrary_bytes_pass(text in prop::collection::vec(any::<u8>(), 0..400), places in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let layer = ResponseCompatLayer::new().without_rule(ResponseRule::End);
        let got = repaired_by(&layer, EVENTS, Script::of(cut(&text, &places)));
        prop_assert_eq!(got.bytes(), &text[..]);
        let got = repaired_by(&layer, JSON, Script::of(cut(&text, &places)));
        prop_assert_eq!(got.bytes(), &text[..]);
    }

    /// Half-way streams: no panic, and no difference by cuts.
    #[test]
    fn bytes_like_those_of_a_stream_are_repaired_alike(text in bytes(), places in prop::collection::vec(any::<prop::sample::Index>(), 0..8), limit in prop_oneof![Just(1usize << 20), 0..200usize]) {
        let layer = ResponseCompatLayer::new().with_max_answer_bytes(limit);
        let whole = repaired_by(&layer, EVENTS, Script::of([&text]));
        let got = repaired_by(&layer, EVENTS, Script::of(cut(&text, &places)));
        prop_assert_eq!(got.bytes(), whole.bytes());
        prop_assert_eq!(got.report(), whole.report());
        // A stream that was repaired needs no repair.
        let again = repaired_by(&layer, EVENTS, Script::of([whole.bytes()]));
        if limit == 1 << 20 {
            prop_assert_eq!(again.bytes(), whole.bytes());
        }
    }

    /// Nothing wrong, however it is spelled: not a byte changes.
    #[test]
    fn a_stream_without_faults_keeps_its_bytes(answer in generate::answer(), style in generate::style(), places in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let text = style.write(&answer.chunks(&Faults::default()), true);
        let got = repaired_by(&ResponseCompatLayer::new(), EVENTS, Script::of(cut(text.as_bytes(), &places)));
        prop_assert_eq!(got.text(), text);
        prop_assert_eq!(got.report(), "nothing to repair");
    }
}
