//! Bodies that Envoy buffers.

use std::collections::BTreeMap;

use envoy_types::pb::envoy::service::ext_proc::v3::{
    body_mutation::Mutation, processing_response::Response as Answer,
};

use crate::client::{BODY, BUFFERED, CHAT, NONE, Processor, REWRITTEN, body, head, set, target};

#[tokio::test]
async fn a_buffered_request_is_asked_for_and_only_mutated_if_it_changes() {
    let processor = Processor::start(&[]);
    let rewritten = REWRITTEN.len().to_string();
    for (text, length) in [(BODY, Some(rewritten)), (REWRITTEN, None)] {
        let mut exchange = processor.exchange(BUFFERED, NONE).await;
        let own = text.len().to_string();
        exchange
            .send(head(CHAT, &[("content-length", &own)], false))
            .await;
        let answer = exchange.answer().await.unwrap();
        assert!(answer.mode_override.is_none());
        let Some(Answer::RequestHeaders(answer)) = answer.response else {
            panic!("the head comes first");
        };
        assert_eq!(set(&answer.response.unwrap()), BTreeMap::new());
        exchange.send(body(text, true)).await;
        let Answer::RequestBody(answer) = exchange.expect().await else {
            panic!("not a body");
        };
        let answer = answer.response.unwrap();
        let mut headers = target();
        headers.extend(
            length
                .clone()
                .map(|length| ("content-length".to_owned(), length)),
        );
        assert_eq!(set(&answer), headers);
        let mutation = answer
            .body_mutation
            .map(|mutation| mutation.mutation.unwrap());
        let expected = length.map(|_| Mutation::Body(REWRITTEN.into()));
        assert_eq!(mutation, expected);
    }
}

#[tokio::test]
async fn other_requests_are_not_asked_for_their_body() {
    let processor = Processor::start(&[]);
    for (path, more) in [
        ("/v1/files", &[][..]),
        (CHAT, &[("content-encoding", "gzip")]),
        (CHAT, &[("content-length", "200000000")]),
    ] {
        let mut exchange = processor.exchange(BUFFERED, NONE).await;
        exchange.send(head(path, more, false)).await;
        let answer = exchange.answer().await.unwrap();
        let mode = answer.mode_override.expect("an override");
        assert_eq!(mode.request_body_mode(), NONE);
        let Some(Answer::RequestHeaders(answer)) = answer.response else {
            panic!("not a head");
        };
        assert_eq!(
            set(&answer.response.unwrap())["authorization"],
            "Bearer sk-up"
        );
        // Envoy may not allow it.
        exchange.send(body("anything", true)).await;
        let Answer::RequestBody(answer) = exchange.expect().await else {
            panic!("not a body");
        };
        assert!(answer.response.unwrap().body_mutation.is_none());
    }
}
