//! The answer as one object.

use serde_json::{Value, json};

use super::harness::*;

#[test]
fn an_answer_is_the_object_of_openai_with_thoughts() {
    let answer = accepts(&[K25], json!({}));
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], K25);
    assert_eq!(
        answer["choices"],
        json!([{
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "You said: Hello",
                "reasoning_content": "The user wants an answer.",
            },
            "finish_reason": "stop",
        }]),
    );
    let usage = &answer["usage"];
    assert_eq!(usage["cached_tokens"], 0);
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 0);
    let tokens = |name: &str| usage[name].as_u64().unwrap();
    assert!(tokens("prompt_tokens") > 0 && tokens("completion_tokens") > 0);
    assert_eq!(
        tokens("total_tokens"),
        tokens("prompt_tokens") + tokens("completion_tokens"),
    );
}

#[test]
fn only_a_model_that_thinks_has_thoughts() {
    for (model, fields, thinks) in [
        (K3, json!({}), true),
        (K2_THINKING, json!({}), true),
        (K27, json!({}), true),
        (CODING, json!({}), true),
        (K3, json!({"thinking": {"type": "disabled"}}), false),
        (CODING, json!({"thinking": {"type": "disabled"}}), false),
        (K26, json!({"thinking": {"type": "disabled"}}), false),
        (K2, json!({}), false),
        (V1, json!({}), false),
    ] {
        let answer = accepts(&[model], fields);
        let message = answer["choices"][0]["message"].as_object().unwrap();
        assert_eq!(message.contains_key("reasoning_content"), thinks, "{model}");
    }
}

#[test]
fn it_repeats_the_last_user_message() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let image = json!({"type": "image_url", "image_url": {"url": PNG}});
    let answer = accepts(
        &[K25],
        messages(json!([
            {"role": "user", "content": "first"},
            {"role": "user", "content": [text("a"), image, text("b")]},
            {"role": "assistant", "content": "no"},
        ])),
    );
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: ab");
}

#[test]
fn several_answers_are_counted() {
    let answer = accepts(&[V1], json!({"n": 3, "temperature": 1}));
    let indices: Vec<_> = answer["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["index"])
        .collect();
    assert_eq!(indices, [0, 1, 2]);
}

#[test]
fn a_tool_is_called_if_one_has_to_be() {
    let tools = json!([weather(), clock()]);
    let clocked = json!({"type": "function", "function": {"name": "clock"}});
    let nudged = json!([{"role": "user", "content": "Hi"}, {"role": "user", "content": NUDGE}]);
    for (model, fields, name, arguments) in [
        (
            K3,
            json!({"tool_choice": "required"}),
            "weather",
            r#"{"city":"","days":1}"#,
        ),
        (V1, json!({"tool_choice": clocked}), "clock", "{}"),
        (
            V1,
            json!({"messages": nudged}),
            "weather",
            r#"{"city":"","days":1}"#,
        ),
    ] {
        let mut fields = fields;
        fields["tools"] = tools.clone();
        let answer = accepts(&[model], fields);
        let choice = &answer["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls");
        let function = &choice["message"]["tool_calls"][0]["function"];
        assert_eq!(function["name"], name);
        assert_eq!(function["arguments"], arguments);
    }
    let free = accepts(&[K3], json!({"tools": tools}));
    assert_eq!(free["choices"][0]["finish_reason"], "stop");
    let toolless = accepts(&[K3], json!({"messages": nudged}));
    assert_eq!(toolless["choices"][0]["finish_reason"], "stop");
}

/// The name of the function that is called with these tools and other fields.
fn called(model: &str, fields: Value) -> Option<String> {
    let mut fields = fields;
    fields["tools"] = json!([weather(), clock()]);
    let answer = accepts(&[model], fields);
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    call["function"]["name"].as_str().map(str::to_owned)
}

#[test]
fn a_tool_is_called_if_the_user_names_it() {
    let said = |text: &str| json!({"messages": [{"role": "user", "content": text}]});
    for model in ALL {
        for (text, name) in [
            ("What does the clock say?", Some("clock")),
            ("Ask `weather`, then the clock.", Some("weather")),
            ("What says the clockwork, or clock_2?", None),
        ] {
            assert_eq!(called(model, said(text)).as_deref(), name, "{model} {text}");
        }
    }
    let mut forbidden = said("What does the clock say?");
    forbidden["tool_choice"] = json!("none");
    assert_eq!(called(K3, forbidden), None);
    // With several, one a turn.
    let mut loop_of_two = turn("a");
    loop_of_two[0]["content"] = json!("Ask clock and weather.");
    loop_of_two[1]["tool_calls"][0]["function"]["name"] = json!("weather");
    let next = called(K3, messages(loop_of_two.clone()));
    assert_eq!(next.as_deref(), Some("clock"));
    loop_of_two[1]["tool_calls"][0]["function"]["name"] = json!("clock");
    let next = called(K3, messages(loop_of_two));
    assert_eq!(next.as_deref(), Some("weather"));
    // What the tool said is not what the user says.
    let mut answered = turn("a");
    answered[0]["content"] = json!("Use weather.");
    assert_eq!(called(K3, messages(answered)), None);
}

#[test]
fn the_user_gives_arguments_behind_the_name_of_a_tool() {
    for (text, arguments) in [
        (r#"Call weather {"city":  "Oslo"}."#, r#"{"city":  "Oslo"}"#),
        (r#"Call `weather`, or weather{"a":{}} {}"#, r#"{"a":{}}"#),
        // Broken, or not an object: the smallest arguments.
        (r#"weather {"city": "Os"#, r#"{"city":"","days":1}"#),
        (
            r#"weather ["Oslo"] {"city": "Bergen"}"#,
            r#"{"city":"","days":1}"#,
        ),
        // The object of another tool.
        (r#"weather, myweather {"a": 1}"#, r#"{"city":"","days":1}"#),
        (r#"weather, weather_2 {"a": 1}"#, r#"{"city":"","days":1}"#),
    ] {
        for choice in ["auto", "required"] {
            let answer = accepts(
                &[K3],
                json!({
                    "messages": [{"role": "user", "content": text}],
                    "tools": [weather()], "tool_choice": choice,
                }),
            );
            let call = &answer["choices"][0]["message"]["tool_calls"][0];
            assert_eq!(call["function"]["arguments"], arguments, "{text}");
        }
    }
}

#[test]
fn tools_with_arguments_are_called_whatever_agents_add() {
    let said = |texts: &[&str]| {
        let of_user = |text| json!({"role": "user", "content": text});
        let messages: Vec<Value> = texts.iter().map(of_user).collect();
        json!({"messages": messages})
    };
    for (texts, name) in [
        // The reminder names the first of the tools.
        (&[r"Call clock {}.", "Don't use weather."][..], "clock"),
        (&["Use weather.", "Call clock {}."], "clock"),
        (&["Call weather.", "Be brief."], "weather"),
    ] {
        assert_eq!(called(K3, said(texts)).as_deref(), Some(name), "{texts:?}");
    }
    // Those before an answer are of another turn.
    let mut answered = said(&["Call clock {}.", "", "Use weather."]);
    answered["messages"][1] = json!({"role": "assistant", "content": "?"});
    assert_eq!(called(K3, answered).as_deref(), Some("weather"));
}

#[test]
fn a_model_that_has_to_call_works_through_its_tools() {
    let nudge = json!({"role": "user", "content": NUDGE});
    for (calls, next) in [
        (&[][..], "weather"),
        (&["weather"], "clock"),
        (&["weather", "clock"], "clock"),
    ] {
        let mut said = vec![json!({"role": "user", "content": "Hello"})];
        for name in calls {
            let mut call = call(name);
            call["function"]["name"] = json!(name);
            said.extend([
                json!({"role": "assistant", "reasoning_content": "?", "tool_calls": [call]}),
                json!({"role": "tool", "tool_call_id": name, "content": "rain"}),
            ]);
        }
        let required = json!({"messages": said, "tool_choice": "required"});
        assert_eq!(called(K3, required).as_deref(), Some(next), "{calls:?}");
        said.push(nudge.clone());
        let nudged = called(K27, json!({"messages": said}));
        assert_eq!(nudged.as_deref(), Some(next), "{calls:?}");
        // Another question, another round.
        said.insert(
            said.len() - 1,
            json!({"role": "user", "content": "And now?"}),
        );
        let again = called(K27, json!({"messages": said}));
        assert_eq!(again.as_deref(), Some("weather"), "{calls:?}");
    }
}

#[test]
fn it_repeats_what_a_tool_said() {
    let answer = accepts(&ALL, messages(turn("a")));
    let content = &answer["choices"][0]["message"]["content"];
    assert_eq!(content, "The tool said: rain");
}

#[test]
fn its_tool_calls_have_ids_in_kimis_form_and_are_accepted_as_history() {
    let mut said = vec![json!({"role": "user", "content": "Hello"})];
    for number in 0..3 {
        let fields = json!({
            "tools": [weather()], "tool_choice": "required", "messages": said,
        });
        let message = accepts(&[K3], fields)["choices"][0]["message"].take();
        let id = message["tool_calls"][0]["id"].clone();
        assert_eq!(id, format!("functions.weather:{number}"));
        said.push(message);
        said.push(json!({"role": "tool", "tool_call_id": id, "content": "rain"}));
    }
}

#[test]
fn an_id_that_the_conversation_has_is_not_issued_again() {
    let fields = json!({
        "tools": [weather()], "tool_choice": "required",
        "messages": turn("functions.weather:1"),
    });
    let answer = accepts(&[K3], fields);
    let id = &answer["choices"][0]["message"]["tool_calls"][0]["id"];
    assert_eq!(id, "functions.weather:2");

    let several = json!({
        "tools": [weather()], "n": 3, "temperature": 1, "messages": [{"role": "user", "content": NUDGE}],
    });
    let answer = accepts(&[V1], several);
    for choice in 0..3 {
        let id = &answer["choices"][choice]["message"]["tool_calls"][0]["id"];
        assert_eq!(*id, format!("functions.weather:{choice}"));
    }
}

#[test]
fn the_answer_has_the_requested_format() {
    let content = |format: Value| {
        let mut answer = accepts(&[K25], json!({"response_format": format}));
        let content = answer["choices"][0]["message"]["content"].take();
        serde_json::from_str::<Value>(content.as_str().unwrap()).unwrap()
    };
    assert_eq!(
        content(json!({"type": "json_object"})),
        json!({"said": "Hello"})
    );
    let schema = &weather()["function"]["parameters"];
    let format = json!({"type": "json_schema", "json_schema": {"name": "w", "schema": schema}});
    assert_eq!(content(format), json!({"city": "", "days": 1}));
}

#[test]
fn a_fresh_emulator_always_says_the_same() {
    let ask = || read_text(send(&open(), post(&request(K25, &json!({"stream": true})))));
    assert_eq!(ask(), ask());
    let emulator = open();
    let ids = [(); 2].map(|()| read(send(&emulator, post(&request(K25, &json!({})))))["id"].take());
    assert_ne!(ids[0], ids[1]);
}
