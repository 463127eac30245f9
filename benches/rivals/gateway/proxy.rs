//! A minimal proxy of axum and hyper-util, with the layer, with parts of it, or without.

use std::io::{self, Write};

use axum::{Router, body::Body, extract::Request, serve::ListenerExt};
use http::{
    Response, StatusCode, Uri,
    header::HOST,
    uri::{Authority, Scheme},
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt};
use tower_moonshot::{MoonshotCompatLayer, Region};

use crate::Failure;

/// What the proxy does with the bodies of requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum With {
    /// Forwards their frames.
    Nothing,
    /// Reads each to its end, as axum's extractors do, and forwards it.
    Collect,
    /// The layer, without rules: it reads each to its end and validates it.
    NoRules,
    /// The layer.
    Layer,
}

/// Serves until the process ends.
pub(crate) async fn serve(upstream: &str, with: With) -> Result<(), Failure> {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build(http);
    let authority: Authority = upstream.parse()?;
    let layer = || {
        let region = Region::custom(&format!("http://{upstream}/v1"))?;
        Ok::<_, Failure>(MoonshotCompatLayer::new().with_region(region))
    };
    let forward = move |mut request: Request| {
        let mut uri = request.uri().clone().into_parts();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(authority.clone());
        *request.uri_mut() = Uri::from_parts(uri).unwrap();
        request.headers_mut().remove(HOST);
        request
    };
    let app = match with {
        With::Nothing => router(client.map_request(forward)),
        With::Collect => {
            let client = client.map_request(forward);
            router(tower::service_fn(move |request: Request| {
                let client = client.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    client
                        .oneshot(Request::from_parts(head, Body::from(body)))
                        .await
                }
            }))
        }
        With::NoRules => router(behind(layer()?.without_rules(), client)),
        With::Layer => router(behind(layer()?, client)),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    io::stdout().flush()?;
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    Ok(axum::serve(listener, app).await?)
}

fn behind(
    layer: MoonshotCompatLayer,
    client: Client<HttpConnector, Body>,
) -> impl Service<
    Request,
    Response = Response<Incoming>,
    Error = hyper_util::client::legacy::Error,
    Future: Send,
> + Clone
+ Send
+ Sync
+ 'static {
    layer.layer(client.map_request(|request: http::Request<_>| request.map(Body::new)))
}

fn router<S>(client: S) -> Router
where
    S: Service<Request, Response = Response<Incoming>> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    Router::new().fallback(async move |request: Request| {
        let answer = client.clone().oneshot(request).await;
        answer
            .map_err(|_| StatusCode::BAD_GATEWAY)
            .map(|answer| answer.map(Body::new))
    })
}
