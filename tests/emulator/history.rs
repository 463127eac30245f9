//! Tool calls, their ids and answers, and earlier thoughts.

use serde_json::{Value, json};

use super::harness::*;

#[test]
fn models_that_think_need_the_thoughts_of_their_tool_calls() {
    for reasoning in [None, Some(json!(null)), Some(json!(""))] {
        let mut said = turn("call_1");
        let message = said[1].as_object_mut().unwrap();
        message.remove("reasoning_content");
        message.extend(reasoning.map(|reasoning| ("reasoning_content".to_owned(), reasoning)));
        refuses(
            &THINKING,
            messages(said.clone()),
            "thinking is enabled but reasoning_content is missing in assistant tool call message \
             at index 1",
        );
        accepts(&SILENT, messages(said.clone()));
        accepts(
            &SWITCHED,
            json!({"messages": said, "thinking": {"type": "disabled"}}),
        );
    }
    accepts(&ALL, messages(turn("call_1")));
    let mut blank = turn("call_1");
    blank[1]["reasoning_content"] = json!(" ");
    accepts(&ALL, messages(blank));
    let mut wrong = turn("call_1");
    wrong[1]["reasoning_content"] = json!(5);
    refuses_naming(&ALL, messages(wrong), "reasoning_content");
}

/// A conversation with one plain answer.
fn plain(reasoning: Value) -> Value {
    json!([
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi", "reasoning_content": reasoning},
        {"role": "user", "content": "Bye"},
    ])
}

#[test]
fn preserved_thinking_needs_the_thoughts_of_all_answers() {
    let missing = "preserved thinking (thinking.keep=all) requires reasoning_content on every \
                   assistant message, but assistant message at index 1 is missing \
                   reasoning_content";
    let keep = json!({"keep": "all"});
    let with_keep = |said: Value| json!({"messages": said, "thinking": keep});
    let keeping = [K3, K3_CODE, K28, CODING, K27, K26];
    for reasoning in [json!(null), json!("")] {
        refuses(&keeping, with_keep(plain(reasoning.clone())), missing);
        // Only K2.7 always preserves.
        refuses(&[K27], messages(plain(reasoning.clone())), missing);
        accepts(
            &[K3, K3_CODE, K28, CODING, K26, K25, K2_THINKING, V1],
            messages(plain(reasoning)),
        );
    }
    accepts(&keeping, with_keep(plain(json!("?"))));
    accepts(&ALL, messages(plain(json!(" "))));
    accepts(
        &[K3, K28, K26],
        json!({
            "messages": plain(json!(null)),
            "thinking": {"type": "disabled", "keep": "all"},
        }),
    );
}

#[test]
fn kimis_own_ids_and_all_others_are_accepted() {
    let long = "x".repeat(1000);
    for id in [
        "functions.weather:0",
        "weather:12",
        "Shell:58",
        "call_1",
        "a.b:c/d",
        " ",
        "ü",
        &long,
    ] {
        accepts(&ALL, messages(turn(id)));
    }
}

#[test]
fn a_call_without_an_id_is_refused() {
    for id in [json!(""), json!(null)] {
        let mut said = turn("call_1");
        said[1]["tool_calls"][0]["id"] = id;
        refuses(
            &ALL,
            messages(said),
            "Invalid request: tool_call_id  is not found",
        );
    }
    let mut said = turn("call_1");
    let call = said[1]["tool_calls"][0].as_object_mut().unwrap();
    call.remove("id");
    refuses(
        &ALL,
        messages(said),
        "Invalid request: tool_call_id  is not found",
    );
}

#[test]
fn ids_are_unique_in_the_whole_request() {
    let mut turns = turn("weather:0");
    let second = turn("weather:1").as_array().unwrap().clone();
    turns.as_array_mut().unwrap().extend(second);
    accepts(&ALL, messages(turns));

    let duplicated = "Invalid request: tool call id weather:0 is duplicated";
    let mut twice = turn("weather:0");
    twice[1]["tool_calls"] = json!([call("weather:0"), call("weather:0")]);
    refuses(&ALL, messages(twice), duplicated);
    let mut turns = turn("weather:0");
    let second = turn("weather:0").as_array().unwrap().clone();
    turns.as_array_mut().unwrap().extend(second);
    refuses(&ALL, messages(turns), duplicated);
}

#[test]
fn every_call_has_an_answer_before_the_next_message() {
    let unanswered = |ids: &str| {
        format!(
            "Invalid request: an assistant message with 'tool_calls' must be followed by tool \
             messages responding to each 'tool_call_id'. The following tool_call_ids did not have \
             response messages: {ids}"
        )
    };
    let mut late = turn("call_1");
    late[2] = json!({"role": "user", "content": "Well?"});
    refuses(&ALL, messages(late.clone()), &unanswered("call_1"));
    late.as_array_mut().unwrap().truncate(2);
    refuses(&ALL, messages(late), &unanswered("call_1"));

    let mut three = turn("b");
    three[1]["tool_calls"] = json!([call("c"), call("b"), call("a")]);
    refuses(&ALL, messages(three.clone()), &unanswered("c, a"));
    // Answers may be in any order.
    for id in ["a", "c"] {
        let answer = json!({"role": "tool", "tool_call_id": id, "content": "sun"});
        three.as_array_mut().unwrap().push(answer);
    }
    accepts(&ALL, messages(three));
}

#[test]
fn every_answer_has_a_call() {
    let answer = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "rain"});
    let orphan = "Invalid request: messages with role 'tool' must be a response to a preceeding \
                  message with 'tool_calls'";
    let user = json!({"role": "user", "content": "Hello"});
    refuses(&ALL, messages(json!([user, answer("call_9")])), orphan);
    let mut late = turn("call_1");
    let late_answer = [user.clone(), answer("call_1")];
    late.as_array_mut().unwrap().extend(late_answer);
    refuses(&ALL, messages(late), orphan);

    let mut unknown = turn("call_1");
    unknown[2] = answer("call_2");
    refuses(
        &ALL,
        messages(unknown),
        "Invalid request: tool_call_id call_2 is not found",
    );
    let mut earlier = turn("call_1");
    let mut second = turn("call_2");
    second[2] = answer("call_1");
    let second = second.as_array().unwrap().clone();
    earlier.as_array_mut().unwrap().extend(second);
    refuses(
        &ALL,
        messages(earlier),
        "Invalid request: tool_call_id call_1 is not found",
    );
    for id in [json!(""), json!(null)] {
        let mut nameless = turn("call_1");
        nameless[2]["tool_call_id"] = id.clone();
        let first = json!([{"role": "tool", "tool_call_id": id, "content": "rain"}, user]);
        for said in [nameless, first] {
            refuses(
                &ALL,
                messages(said),
                "Invalid request: tool_call_id  is not found",
            );
        }
    }
    let mut again = turn("call_1");
    again.as_array_mut().unwrap().push(answer("call_1"));
    refuses_naming(&ALL, messages(again), "twice");
}

#[test]
fn calls_have_a_function_with_a_name_and_arguments() {
    for (broken, name) in [
        (json!("x"), "tool_calls[]"),
        (json!({"id": 5}), "id"),
        (json!({"id": "a"}), "function"),
        (json!({"id": "a", "function": {"name": "f"}}), "arguments"),
        (json!({"id": "a", "function": {"arguments": "{}"}}), "name"),
        (
            json!({"id": "a", "function": {"name": "f", "arguments": {}}}),
            "arguments",
        ),
    ] {
        let mut said = turn("a");
        said[1]["tool_calls"] = json!([broken]);
        refuses_naming(&ALL, messages(said), name);
    }
    // Whether arguments are valid JSON is not checked.
    for arguments in ["", "{\"city\": "] {
        let mut said = turn("a");
        said[1]["tool_calls"][0]["function"]["arguments"] = json!(arguments);
        accepts(&ALL, messages(said));
    }
}
