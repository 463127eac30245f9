//! The layer among its neighbours.

use axum::{Router, body::Body};
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_moonshot::{
    MoonshotCompat, MoonshotCompatLayer,
    emulator::Emulator,
    reasoning_memory::{
        MemoryStore, ReasoningMemory, ReasoningMemoryLayer, ReasoningReport, ResponseBody,
    },
    response::ResponseCompatLayer,
};

use crate::harness::{chat, k3};

fn is_service<S>(_: &S)
where
    S: Service<Request<Full<bytes::Bytes>>> + Clone + std::fmt::Debug + Send + Sync + 'static,
    S::Future: Send,
{
}

#[test]
fn both_doors_lead_to_the_same_service() {
    let by_layer: ReasoningMemory<MoonshotCompat<Emulator>> =
        ReasoningMemoryLayer::default().layer(MoonshotCompat::new(Emulator::new()));
    is_service(&by_layer);
    let mut service = ReasoningMemory::new(by_layer.into_inner());
    is_service(&service);
    let _: &Emulator = service.get_ref().get_ref();
    let _: &mut Emulator = service.get_mut().get_mut();
    let body = ResponseBody::<Full<bytes::Bytes>, MemoryStore>::default();
    let _: Full<bytes::Bytes> = body.into_inner();
}

#[tokio::test]
async fn a_router_serves_it_with_repaired_answers() {
    let moonshot = Emulator::new().with_unique_thoughts();
    let app = Router::new().fallback_service(
        ServiceBuilder::new()
            .layer(ResponseCompatLayer::new())
            .layer(ReasoningMemoryLayer::new())
            .layer(MoonshotCompatLayer::new())
            .service(moonshot.clone()),
    );
    let mut messages = vec![json!({"role": "user", "content": "one"})];
    for turn in 0..3 {
        let request = k3(json!(messages)).to_string();
        let request = chat(request).map(Body::new);
        let response = app.clone().oneshot(request).await.unwrap();
        let report = response
            .extensions()
            .get::<ReasoningReport>()
            .unwrap()
            .clone();
        response.into_body().collect().await.unwrap();
        assert_eq!((report.restored(), report.remembered()), (turn, 1));
        messages.push(json!({"role": "assistant", "content": "You said: one"}));
        messages.push(json!({"role": "user", "content": "one"}));
    }
    let thought = |number| {
        Some(format!(
            "The user wants an answer. This is thought {number}.0."
        ))
    };
    assert_eq!(moonshot.returned_thoughts()[2], [thought(0), thought(1)]);
}
