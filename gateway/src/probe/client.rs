//! Sends one request and reads the whole answer.

use std::time::Duration;

use axum::http::{
    HeaderMap, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time;
use tower::BoxError;
use tower_moonshot::emulator::SampleKey;

use super::plan::Question;
use crate::retry;

/// The longest answer that is read.
const MAX_ANSWER: usize = 1 << 20;

/// Moonshot doesn't know this key.
const WRONG_KEY: &str = "Bearer sk-this-key-belongs-to-nobody";

/// What Moonshot sent.
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) content_type: String,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

pub(super) struct Client {
    client: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Client {
    pub(super) fn new(timeout: Duration) -> Self {
        let https = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .build();
        Self {
            client: legacy::Client::builder(TokioExecutor::new()).build(https),
            timeout,
        }
    }

    /// Sends the request of a question. An error says why there is no answer.
    pub(super) async fn send(&self, question: &Question<'_>) -> Result<Response, String> {
        match time::timeout(self.timeout, self.exchange(question)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(format!("there is no valid answer: {}", causes(&*error))),
            Err(_) => Err(format!("there is no answer within {:?}", self.timeout)),
        }
    }

    async fn exchange(&self, question: &Question<'_>) -> Result<Response, BoxError> {
        let base = question.account.region.base_url();
        let mut request = Request::post(format!("{base}/chat/completions"))
            .header(CONTENT_TYPE, "application/json")
            .header(
                USER_AGENT,
                concat!("moonshot-gateway/", env!("CARGO_PKG_VERSION")),
            );
        match question.fact.key() {
            SampleKey::Missing => {}
            SampleKey::Wrong => request = request.header(AUTHORIZATION, WRONG_KEY),
            _ => request = request.header(AUTHORIZATION, question.account.key.bearer()),
        }
        let body = Full::from(question.body.clone());
        let response = self.client.request(request.body(body)?).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await?;
        Ok(Response {
            status: head.status,
            content_type: text(&head.headers, CONTENT_TYPE.as_str()),
            retry_after: head.headers.get(RETRY_AFTER).and_then(retry::time_of),
            body: body.to_bytes(),
        })
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// An error and what caused it.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
