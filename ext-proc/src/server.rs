//! Serves gRPC and metrics, until a signal and the end of open streams.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use envoy_types::pb::envoy::service::ext_proc::v3::external_processor_server::ExternalProcessorServer;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    time,
};
use tonic::transport::{Server, server::TcpIncoming};
use tower::BoxError;

use super::{
    args::Args,
    metrics::{Metrics, OPEN_METRICS},
    processor::Processing,
    tls,
};

/// How many bytes of one stream, and of one connection, Envoy may send ahead.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// What a message has beside the body in it.
const MESSAGE_OVERHEAD: usize = 1024 * 1024;

/// Notices an Envoy that is gone without a word.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

pub(crate) async fn serve(
    args: &Args,
    processing: Processing,
    metrics: Arc<Metrics>,
) -> Result<(), BoxError> {
    // Before the address is printed, after which a signal may arrive.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = tls::secure(Server::builder(), args)?;
    let listener = bind(&args.host, args.port).await?;
    let metrics_listener = bind(&args.host, args.metrics_port).await?;
    println!("gRPC:     {}", listener.local_addr()?);
    println!(
        "Metrics:  http://{}/metrics",
        metrics_listener.local_addr()?
    );

    let metrics = Router::new().route(
        "/metrics",
        get(async move || ([(CONTENT_TYPE, OPEN_METRICS)], metrics.text())),
    );
    tokio::spawn(async move { axum::serve(metrics_listener, metrics).await });

    let (health, health_service) = tonic_health::server::health_reporter();
    health
        .set_serving::<ExternalProcessorServer<Processing>>()
        .await;
    let service = ExternalProcessorServer::new(processing)
        .max_decoding_message_size(args.max_body_bytes.get().saturating_add(MESSAGE_OVERHEAD));
    let (finish, finishing) = oneshot::channel::<()>();
    let mut serving = tokio::spawn(
        server
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .add_service(health_service)
            .add_service(service)
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                async {
                    let _ = finishing.await;
                },
            ),
    );
    tokio::select! {
        ended = &mut serving => return Ok(ended??),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("waiting for open requests; another signal ends them at once");
    health
        .set_not_serving::<ExternalProcessorServer<Processing>>()
        .await;
    let drained = async {
        // Envoy learns of it by its next health check.
        time::sleep(args.drain_delay).await;
        let _ = finish.send(());
        time::timeout(args.shutdown_deadline, &mut serving).await
    };
    tokio::select! {
        ended = drained => match ended {
            Ok(ended) => Ok(ended??),
            Err(_) => {
                tracing::warn!("the shutdown deadline has passed: open requests are cut off");
                Ok(())
            }
        },
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

async fn bind(host: &str, port: u16) -> Result<TcpListener, BoxError> {
    let listener = TcpListener::bind((host, port)).await;
    listener.map_err(|error| format!("cannot listen on {host}:{port}: {error}").into())
}
