//! An external processor that sends everything back as it came.

use std::{
    io::{self, Write},
    pin::Pin,
};

use envoy_types::pb::envoy::service::ext_proc::v3::{
    BodyMutation, BodyResponse, CommonResponse, HeadersResponse, HttpBody, ProcessingRequest,
    ProcessingResponse, StreamedBodyResponse, TrailersResponse,
    body_mutation::Mutation,
    external_processor_server::{ExternalProcessor, ExternalProcessorServer},
    processing_request::Request as Ask,
    processing_response::Response as Answer,
};
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt};
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Server, server::TcpIncoming},
};

use crate::Failure;

/// Serves until the process ends.
pub(crate) async fn serve() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    io::stdout().flush()?;
    Server::builder()
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(16 * 1024 * 1024)
        .add_service(ExternalProcessorServer::new(Idle))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await?;
    Ok(())
}

struct Idle;

#[tonic::async_trait]
impl ExternalProcessor for Idle {
    type ProcessStream = Pin<Box<dyn Stream<Item = Result<ProcessingResponse, Status>> + Send>>;

    async fn process(
        &self,
        request: Request<Streaming<ProcessingRequest>>,
    ) -> Result<Response<Self::ProcessStream>, Status> {
        let answers = request.into_inner().map(|message| {
            Ok(ProcessingResponse {
                response: message?.request.map(answer),
                ..ProcessingResponse::default()
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

fn answer(message: Ask) -> Answer {
    match message {
        Ask::RequestHeaders(_) => Answer::RequestHeaders(HeadersResponse::default()),
        Ask::ResponseHeaders(_) => Answer::ResponseHeaders(HeadersResponse::default()),
        Ask::RequestBody(body) => Answer::RequestBody(same(body)),
        Ask::ResponseBody(body) => Answer::ResponseBody(same(body)),
        Ask::RequestTrailers(_) => Answer::RequestTrailers(TrailersResponse::default()),
        Ask::ResponseTrailers(_) => Answer::ResponseTrailers(TrailersResponse::default()),
    }
}

fn same(body: HttpBody) -> BodyResponse {
    let piece = StreamedBodyResponse {
        body: body.body,
        end_of_stream: body.end_of_stream,
        ..StreamedBodyResponse::default()
    };
    BodyResponse {
        response: Some(CommonResponse {
            body_mutation: Some(BodyMutation {
                mutation: Some(Mutation::StreamedResponse(piece)),
            }),
            ..CommonResponse::default()
        }),
    }
}
