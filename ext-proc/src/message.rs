//! The messages to Envoy.

use envoy_types::pb::envoy::{
    extensions::filters::http::ext_proc::v3::{
        ProcessingMode,
        processing_mode::{BodySendMode, HeaderSendMode},
    },
    service::ext_proc::v3::{
        BodyMutation, BodyResponse, CommonResponse, HeaderMutation, HeadersResponse,
        ProcessingResponse, StreamedBodyResponse, TrailersResponse, body_mutation::Mutation,
        processing_response::Response,
    },
};

/// Which half of an exchange a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// Answers a head.
pub(crate) fn head(side: Side, response: CommonResponse) -> ProcessingResponse {
    let headers = HeadersResponse {
        response: Some(response),
    };
    of(match side {
        Side::Request => Response::RequestHeaders(headers),
        Side::Response => Response::ResponseHeaders(headers),
    })
}

/// Answers the body that Envoy has buffered. Without `replaced`, it stays as it is.
pub(crate) fn buffered_body(
    side: Side,
    mut response: CommonResponse,
    replaced: Option<Vec<u8>>,
) -> ProcessingResponse {
    response.body_mutation = replaced.map(|body| BodyMutation {
        mutation: Some(Mutation::Body(body)),
    });
    body(side, response)
}

/// Sends a piece of a body that is streamed both ways.
pub(crate) fn piece(side: Side, text: Vec<u8>, end_of_stream: bool) -> ProcessingResponse {
    let piece = StreamedBodyResponse {
        body: text,
        end_of_stream,
        ..StreamedBodyResponse::default()
    };
    let response = CommonResponse {
        body_mutation: Some(BodyMutation {
            mutation: Some(Mutation::StreamedResponse(piece)),
        }),
        ..CommonResponse::default()
    };
    body(side, response)
}

fn body(side: Side, response: CommonResponse) -> ProcessingResponse {
    let body = BodyResponse {
        response: Some(response),
    };
    of(match side {
        Side::Request => Response::RequestBody(body),
        Side::Response => Response::ResponseBody(body),
    })
}

/// Answers trailers.
pub(crate) fn trailers(side: Side, mutation: Option<HeaderMutation>) -> ProcessingResponse {
    let trailers = TrailersResponse {
        header_mutation: mutation,
    };
    of(match side {
        Side::Request => Response::RequestTrailers(trailers),
        Side::Response => Response::ResponseTrailers(trailers),
    })
}

/// Asks Envoy to send nothing else of the exchange.
pub(crate) fn nothing_else() -> ProcessingMode {
    ProcessingMode {
        request_header_mode: HeaderSendMode::Default as i32,
        response_header_mode: HeaderSendMode::Skip as i32,
        request_body_mode: BodySendMode::None as i32,
        response_body_mode: BodySendMode::None as i32,
        request_trailer_mode: HeaderSendMode::Skip as i32,
        response_trailer_mode: HeaderSendMode::Skip as i32,
    }
}

pub(crate) fn of(response: Response) -> ProcessingResponse {
    ProcessingResponse {
        response: Some(response),
        ..ProcessingResponse::default()
    }
}
