//! Bodies that are streamed both ways.

use envoy_types::pb::envoy::service::ext_proc::v3::{
    HttpBody, HttpHeaders, HttpTrailers, body_mutation::Mutation,
    processing_request::Request as Ask, processing_response::Response as Answer,
};

use crate::client::{
    BODY, CHAT, NONE, Processor, REWRITTEN, STREAMED, body, fields, head, refused, set, target,
};

#[tokio::test]
async fn a_streamed_request_is_rewritten_once_it_is_complete() {
    let processor = Processor::start(&[]);
    for at in [0, 1, 20, BODY.len()] {
        let mut exchange = processor.exchange(STREAMED, NONE).await;
        exchange.send(head(CHAT, &[], false)).await;
        exchange.send(body(&BODY[..at], false)).await;
        exchange.send(body(&BODY[at..], true)).await;
        let Answer::RequestHeaders(answer) = exchange.expect().await else {
            panic!("the head comes first");
        };
        let answer = answer.response.unwrap();
        assert_eq!(set(&answer), target());
        assert!(!answer.clear_route_cache);
        assert_eq!(exchange.body().await, REWRITTEN);
    }
}

#[tokio::test]
async fn trailers_stay_behind_a_streamed_body() {
    let processor = Processor::start(&[]);
    let mut exchange = processor.exchange(STREAMED, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    exchange.send(body(BODY, false)).await;
    let trailers = fields(&[("content-md5", "x"), ("x-other", "y")]);
    exchange
        .send(Ask::RequestTrailers(HttpTrailers { trailers }))
        .await;
    assert!(matches!(exchange.expect().await, Answer::RequestHeaders(_)));
    let Answer::RequestBody(piece) = exchange.expect().await else {
        panic!("not a body");
    };
    let mutation = piece.response.unwrap().body_mutation.unwrap().mutation;
    let Some(Mutation::StreamedResponse(piece)) = mutation else {
        panic!("not a piece");
    };
    assert_eq!((piece.body, piece.end_of_stream), (REWRITTEN.into(), false));
    let Answer::RequestTrailers(trailers) = exchange.expect().await else {
        panic!("no trailers");
    };
    // The digest is of the body before.
    assert_eq!(
        trailers.header_mutation.unwrap().remove_headers,
        ["content-md5"]
    );
}

#[tokio::test]
async fn a_body_over_the_limit_passes_as_it_comes() {
    let processor = Processor::start(&["--max-body-bytes", "30"]);
    let mut exchange = processor.exchange(STREAMED, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    exchange.send(body(&BODY[..40], false)).await;
    // Before its end is there.
    assert!(matches!(exchange.expect().await, Answer::RequestHeaders(_)));
    exchange.send(body(&BODY[40..], true)).await;
    assert_eq!(exchange.body().await, BODY);

    let processor = Processor::start(&["--max-body-bytes", "30", "--fail", "closed"]);
    let mut exchange = processor.exchange(STREAMED, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    exchange.send(body(BODY, true)).await;
    let answer = refused(exchange.expect().await);
    assert_eq!(answer, (413, "request_too_large".to_owned()));
}

#[tokio::test]
async fn responses_are_repaired_as_they_come() {
    let processor = Processor::start(&[]);
    let mut exchange = processor.exchange(STREAMED, STREAMED).await;
    let text = BODY.replacen(
        '{',
        r#"{"stream":true,"stream_options":{"include_usage":true},"#,
        1,
    );
    exchange.send(head(CHAT, &[], false)).await;
    exchange.send(body(&text, true)).await;
    assert!(matches!(exchange.expect().await, Answer::RequestHeaders(_)));
    exchange.body().await;
    let list = [(":status", "200"), ("content-type", "text/event-stream")];
    let headers = HttpHeaders {
        headers: fields(&list),
        ..HttpHeaders::default()
    };
    exchange.send(Ask::ResponseHeaders(headers)).await;
    assert!(matches!(
        exchange.expect().await,
        Answer::ResponseHeaders(_)
    ));
    let event = r#"data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"kimi-k3","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"#;
    let piece = |text: String, end_of_stream| {
        Ask::ResponseBody(HttpBody {
            body: text.into(),
            end_of_stream,
            ..HttpBody::default()
        })
    };
    exchange.send(piece(format!("{event}\n\n"), false)).await;
    // The first event doesn't wait for the next.
    let Answer::ResponseBody(first) = exchange.expect().await else {
        panic!("not a body");
    };
    let mutation = first.response.unwrap().body_mutation.unwrap().mutation;
    let Some(Mutation::StreamedResponse(first)) = mutation else {
        panic!("not a piece");
    };
    assert_eq!(first.body, format!("{event}\n\n").as_bytes());
    let last = event.replace(r#""delta":{"content":"Hi"},"finish_reason":null"#, r#""delta":{},"finish_reason":"stop","usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}"#);
    exchange
        .send(piece(format!("{last}\n\ndata: [DONE]\n\n"), true))
        .await;
    let rest = exchange.body().await;
    assert!(rest.contains(r#""choices":[],"usage":"#), "{rest}");
}
