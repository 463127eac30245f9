//! Asks the emulator whether Moonshot accepts a request.

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower::ServiceExt;
use tower_moonshot::emulator::Emulator;

/// Returns the status and the body of the answer.
pub(crate) fn answer(request: &Value) -> (StatusCode, String) {
    let request = Request::post("/v1/chat/completions")
        .body(Full::<Bytes>::from(request.to_string()))
        .unwrap();
    async {
        let Ok(response) = Emulator::new().oneshot(request).await;
        let status = response.status();
        let Ok(body) = response.into_body().collect().await;
        (
            status,
            String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        )
    }
    .now_or_never()
    .unwrap()
}
