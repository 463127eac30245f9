//! A minimal proxy of axum and hyper-util, with the layer or without.

use std::io::{self, Write};

use axum::{Router, body::Body, extract::Request, serve::ListenerExt};
use http::{
    Response, StatusCode, Uri,
    header::HOST,
    uri::{Authority, Scheme},
};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt};
use tower_moonshot::{MoonshotCompatLayer, Region};

use crate::Failure;

/// Serves until the process ends.
pub(crate) async fn serve(upstream: &str, has_layer: bool) -> Result<(), Failure> {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build(http);
    let authority: Authority = upstream.parse()?;
    let app = if has_layer {
        let region = Region::custom(&format!("http://{upstream}/v1"))?;
        let layer = MoonshotCompatLayer::new().with_region(region);
        let client = client.map_request(|request: http::Request<_>| request.map(Body::new));
        router(layer.layer(client))
    } else {
        router(client.map_request(move |mut request: Request| {
            let mut uri = request.uri().clone().into_parts();
            uri.scheme = Some(Scheme::HTTP);
            uri.authority = Some(authority.clone());
            *request.uri_mut() = Uri::from_parts(uri).unwrap();
            request.headers_mut().remove(HOST);
            request
        }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    io::stdout().flush()?;
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    Ok(axum::serve(listener, app).await?)
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
