//! The emulator against every fact.

use http::{Request, StatusCode};
use serde_json::Value;
use tower_moonshot::emulator::{Emulator, Fact, SampleKey, explain, facts};

use super::harness::*;

const KEY: &str = "sk-test";

/// Emulates a service that sells one model of each family, and no others.
fn selling_all() -> Emulator {
    Emulator::new().with_models(ALL)
}

/// The facts that the checks report for the request of one: another one that its fault is
/// an example of, or that comes along.
fn reported(id: &str) -> Vec<&str> {
    match id {
        id if id.starts_with("schema_") => vec!["parameters_dialect"],
        "call_without_id" => vec![id, "answer_without_id"],
        id => vec![id],
    }
}

/// Sends the request of a fact, with its key.
fn ask(fact: &Fact, model: &str) -> Option<(StatusCode, Value)> {
    let emulator = selling_all().with_api_key(KEY);
    let request = Request::post("/v1/chat/completions");
    let request = match fact.key() {
        SampleKey::Valid => request.header("authorization", format!("Bearer {KEY}")),
        SampleKey::Wrong => request.header("authorization", "Bearer sk-wrong"),
        _ => request,
    };
    let response = send(&emulator, request.body(fact.request(model)?).unwrap());
    Some((response.status(), read(response)))
}

#[test]
fn the_emulator_answers_the_request_of_every_fact_as_it_says() {
    let mut asked = 0;
    let mut failures = Vec::new();
    for fact in facts() {
        assert!(
            ALL.iter().any(|model| fact.holds_for(model)),
            "{}",
            fact.id()
        );
        for model in ALL.iter().filter(|model| fact.holds_for(model)) {
            let Some((status, answer)) = ask(fact, model) else {
                continue;
            };
            let expected = fact.answer(model);
            let error = &answer["error"];
            let same_wording = expected
                .message
                .is_none_or(|message| error["message"] == *message);
            let same_type = error["type"].as_str() == expected.error_type;
            if status != expected.status || !same_type || !same_wording {
                failures.push(format!("{} on {model}: {status} {answer}", fact.id()));
            }
            asked += 1;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(asked > 700, "{asked}");
    let unsendable = facts().filter(|fact| fact.request(K3).is_none());
    let unsendable: Vec<&str> = unsendable.map(Fact::id).collect();
    assert_eq!(unsendable, ["body_too_long", "many_tools"]);
}

#[test]
fn the_request_of_a_fact_has_that_fault_and_no_other() {
    let mut failures = Vec::new();
    for fact in facts().filter(|fact| fact.key() == SampleKey::Valid) {
        let reported = reported(fact.id());
        for model in ALL {
            let Some(request) = fact.request(model) else {
                continue;
            };
            let found = selling_all().explain(request.as_bytes());
            let found: Vec<&str> = found.iter().map(|finding| finding.fact().id()).collect();
            let is_refused = fact.holds_for(model) && fact.answer(model).status != StatusCode::OK;
            let is_expected = if is_refused {
                found == reported
            } else if fact.holds_for(model) {
                found.is_empty()
            } else {
                !found.contains(&fact.id())
            };
            if !is_expected {
                failures.push(format!("{} on {model}: {found:?}", fact.id()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn no_fact_was_confirmed_yet() {
    assert!(facts().all(|fact| fact.confirmed().is_none()));
    assert!(explain(b"{}").len() > 1);
}
