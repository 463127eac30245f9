//! The layer in a stack with others.

use axum::{Router, body::Body};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::{ServiceBuilder, ServiceExt};
use tower_moonshot::{
    MoonshotCompatLayer, Report, RequestBody, Rule,
    emulator::Emulator,
    inline_media::{InlineMedia, MediaReport},
};

use crate::harness::*;

/// At least one model of every family with vision.
const MODELS: [&str; 8] = [
    "kimi-k3",
    "k3",
    "kimi-k2.7",
    "kimi-for-coding",
    "kimi-k2.6",
    "kimi-k2.5",
    "moonshot-v1-8k-vision-preview",
    "moonshot-v1-128k-vision-preview",
];

fn question(model: &str, url: &str) -> String {
    chat([
        serde_json::json!({"type": "text", "text": "What is this?"}),
        image(url),
    ])
    .replace("kimi-k3", model)
}

/// The reports of both layers.
#[derive(Default)]
struct Told {
    changes: Option<Report>,
    media: Option<MediaReport>,
}

async fn ask(app: Router, body: String) -> (StatusCode, Value, Told) {
    let request = Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap();
    let response = in_time(app.oneshot(request)).await.unwrap();
    let told = Told {
        changes: response.extensions().get().cloned(),
        media: response.extensions().get().cloned(),
    };
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap(), told)
}

#[tokio::test]
async fn moonshot_accepts_with_the_layer_what_it_refuses_without_it() {
    let origin = Origin::of_images().await;
    let url = origin.url("/a.png");
    for model in MODELS {
        let emulator = Emulator::new();
        let with = ServiceBuilder::new()
            .layer(layer())
            .layer(MoonshotCompatLayer::new())
            .service(emulator.clone());
        let without = ServiceBuilder::new()
            .layer(MoonshotCompatLayer::new())
            .service(emulator);

        let app = Router::new().fallback_service(without);
        let (status, answer, _) = ask(app, question(model, &url)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(
            answer["error"]["message"],
            format!("Invalid request: unsupported image url: {url}")
        );

        let app = Router::new().fallback_service(with);
        let (status, answer, told) = ask(app, question(model, &url)).await;
        assert_eq!(status, StatusCode::OK, "{model}: {answer}");
        assert_eq!(told.media.unwrap().media().len(), 1);
    }
}

#[tokio::test]
async fn each_layer_has_its_own_report() {
    let origin = Origin::of_images().await;
    let app = Router::new().fallback_service(
        ServiceBuilder::new()
            .layer(layer())
            .layer(MoonshotCompatLayer::new())
            .map_request(|request: Request<RequestBody<RequestBody<Body>>>| {
                // The inner service sees them as well.
                let report = request.extensions().get::<Report>().unwrap();
                let media = request.extensions().get::<MediaReport>().unwrap();
                assert_eq!((report.changes().len(), media.media().len()), (1, 2));
                request
            })
            .service(Emulator::new()),
    );
    let body = chat([image(&origin.url("/a")), image("http://10.0.0.1/")])
        .replace("kimi-k3", "moonshot/kimi-k3");
    let (_, _, told) = ask(app, body).await;
    let (changes, media) = (told.changes.unwrap(), told.media.unwrap());
    assert_eq!(changes.changes()[0].rule(), Rule::Model);
    assert!(media.media()[0].outcome().is_ok());
    let text = media.to_string();
    assert!(
        text.ends_with(
            "; not inlined at /messages/0/content/1/image_url/url: 10.0.0.1 is not a public address"
        ),
        "{text}"
    );
}

/// Images are fetched even if the compat layer then skips the body.
#[tokio::test]
async fn fetches_are_reported_even_if_the_compat_layer_skips_the_body() {
    let origin = Origin::of_images().await;
    let app = Router::new().fallback_service(
        ServiceBuilder::new()
            .layer(layer())
            .layer(MoonshotCompatLayer::new().with_max_body_bytes(10))
            .service(Emulator::new()),
    );
    let (_, _, told) = ask(app, question("kimi-k3", &origin.url("/a"))).await;
    assert!(told.changes.unwrap().skipped().is_some());
    assert_eq!(told.media.unwrap().media().len(), 1);
}

/// The two layers in the wrong order.
#[tokio::test]
async fn a_skipped_body_is_reported_in_the_wrong_order_of_layers() {
    let origin = Origin::of_images().await;
    let app = Router::new().fallback_service(
        ServiceBuilder::new()
            .layer(MoonshotCompatLayer::new().with_max_body_bytes(10))
            .layer(layer())
            .service(Emulator::new()),
    );
    let (_, _, told) = ask(app, question("kimi-k3", &origin.url("/a"))).await;
    assert!(told.changes.unwrap().skipped().is_some());
    assert_eq!(told.media.unwrap().media().len(), 1);
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn it_wraps_a_service_without_a_layer_and_returns_it() {
    let mut service = InlineMedia::new(Emulator::new());
    service.get_mut().clone_from(&Emulator::new());
    let _: &Emulator = service.get_ref();
    let request = Request::post("/v1/chat/completions")
        .body(Body::empty())
        .unwrap();
    let future = assert_send(service.clone().oneshot(request));
    assert_eq!(future.await.unwrap().status(), StatusCode::BAD_REQUEST);
    let _: Emulator = service.into_inner();
}
