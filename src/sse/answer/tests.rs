use super::*;

fn read(text: &str) -> Option<Answer> {
    let mut answer = Answer::default();
    answer
        .read(text.as_bytes(), 0..text.len())
        .then_some(answer)
}

#[test]
fn a_chunk_and_a_whole_answer_have_the_same_fields() {
    for part in ["delta", "message"] {
        let json = format!(
            r#"{{"id":"1", "model":"kimi-k3" ,"usage":{{"a":1}},"choices":[
                {{"index":3,"{part}":{{"role":"assistant","content":"Hi\n","reasoning_content":"Hm",
                 "tool_calls":[{{"index":2,"id":"f:0","type":"function","function":{{"name":"f","arguments":"{{}}"}}}},{{}}]}},
                 "finish_reason":"stop","usage":{{"b":2}}}},
                {{"{part}":null,"finish_reason":null}}]}}"#
        );
        // Spans are those of the whole text.
        let text = format!("data: {json}\n\n");
        let mut answer = Answer::default();
        assert!(answer.read(text.as_bytes(), 6..6 + json.len()));
        let text = text.as_bytes();
        assert_eq!(answer.object.of(text), json.as_bytes());
        assert_eq!(answer.model.unwrap().span.of(text), b"\"kimi-k3\"");
        assert_eq!(answer.usage.unwrap().span().of(text), br#""usage":{"a":1}"#);
        assert_eq!(answer.choices_array.unwrap().span.of(text)[0], b'[');
        assert_eq!(answer.choices.len(), 2);
        let choice = &answer.choices[0];
        assert_eq!(choice.index, 3);
        assert_eq!(choice.content(text).as_deref(), Some(&b"Hi\n"[..]));
        assert_eq!(choice.reasoning_content(text).as_deref(), Some(&b"Hm"[..]));
        assert_eq!(choice.finish_reason(text).as_deref(), Some(&b"stop"[..]));
        assert!(choice.is_finished());
        assert_eq!(choice.usage.unwrap().span.of(text), br#"{"b":2}"#);
        let calls = answer.calls_of(choice);
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0].index(text), Some(2));
        assert_eq!(calls[0].id(text).as_deref(), Some(&b"f:0"[..]));
        assert_eq!(calls[0].name(text).as_deref(), Some(&b"f"[..]));
        assert_eq!(calls[0].arguments(text).as_deref(), Some(&b"{}"[..]));
        assert_eq!(calls[1].object.of(text), b"{}");
        assert_eq!(calls[1].index(text), None);
        let other = &answer.choices[1];
        // Without an index, the place counts.
        assert_eq!((other.index, other.is_finished()), (1, false));
        assert_eq!(other.content(text), None);
        assert!(answer.calls_of(other).is_empty());
    }
}

#[test]
fn of_a_key_that_appears_twice_the_last_counts() {
    let text = r#"{"model":1,"choices":[{"delta":{"tool_calls":[{}]}}],"choices":[{"delta":{"tool_calls":[{},{}],"tool_calls":[{"index":7}]}}],"m\u006fdel":2}"#;
    let answer = read(text).unwrap();
    assert_eq!(answer.model.unwrap().span.of(text.as_bytes()), b"2");
    assert_eq!(answer.choices.len(), 1);
    let calls = answer.calls_of(&answer.choices[0]);
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].index(text.as_bytes()), Some(7));
}

#[test]
fn values_of_other_types_are_passed_over() {
    let text = r#"{"model":{},"error":null,"choices":[null,1,"x",{"index":"0","delta":[],"finish_reason":1},{"delta":{"content":[],"tool_calls":{"index":0}}},{"delta":{"tool_calls":[null,{"function":null,"index":1.5}]}}]}"#;
    let answer = read(text).unwrap();
    assert!(answer.error.is_none());
    assert_eq!(answer.choices.len(), 3);
    assert!(!answer.choices[0].is_finished());
    assert_eq!(answer.choices[1].content(text.as_bytes()), None);
    assert!(answer.calls_of(&answer.choices[1]).is_empty());
    let calls = answer.calls_of(&answer.choices[2]);
    assert_eq!((calls.len(), calls[0].index(text.as_bytes())), (1, None));
    let text = r#"{"choices":{"delta":{}},"error":"no"}"#;
    let answer = read(text).unwrap();
    assert!(answer.choices_array.is_none() && answer.choices.is_empty());
    assert_eq!(answer.error.unwrap().kind, Kind::String);
}

#[test]
fn what_is_no_json_object_is_not_read() {
    for text in [
        "",
        "[DONE]",
        "[]",
        "null",
        "{",
        "{} {}",
        "{\"a\":01}",
        "{\"a\":\"\u{1}\"}",
    ] {
        assert!(read(text).is_none(), "{text}");
    }
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * SHORT));
    assert!(read(&long).is_some());
    assert!(read(&long[1..]).is_none());
}

#[test]
fn an_answer_with_far_too_many_items_is_not_read() {
    let answer = |items: usize| format!(r#"{{"choices":[{}]}}"#, vec!["{}"; items].join(","));
    assert!(read(&answer(MAX_ITEMS)).is_some());
    let text = answer(100 * MAX_ITEMS);
    let mut answer = Answer::default();
    assert!(!answer.read(text.as_bytes(), 0..text.len()));
    assert!(answer.choices.len() <= MAX_ITEMS + 1);
}
