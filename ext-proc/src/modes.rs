//! How Envoy sends bodies, as its filter is configured.

use envoy_types::pb::envoy::{
    extensions::filters::http::ext_proc::v3::processing_mode::BodySendMode,
    service::ext_proc::v3::ProtocolConfiguration,
};
use tonic::Status;

/// How one body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Not at all.
    None,
    /// As one message, after the head was answered.
    Buffered,
    /// In pieces, both ways, at any time.
    Streamed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Modes {
    pub(crate) request: Mode,
    /// [`Mode::Buffered`] responses are not read: nothing would be streamed.
    pub(crate) response: Mode,
}

impl Modes {
    /// # Errors
    ///
    /// A mode in which no body can be rewritten.
    pub(crate) fn of(config: Option<&ProtocolConfiguration>) -> Result<Self, Status> {
        // Before Envoy 1.33 the filter didn't say how it is configured.
        let Some(config) = config else {
            return Ok(Self {
                request: Mode::Buffered,
                response: Mode::None,
            });
        };
        Ok(Self {
            request: mode("request_body_mode", config.request_body_mode())?,
            response: mode("response_body_mode", config.response_body_mode())?,
        })
    }
}

fn mode(name: &str, mode: BodySendMode) -> Result<Mode, Status> {
    match mode {
        BodySendMode::None => Ok(Mode::None),
        BodySendMode::Buffered => Ok(Mode::Buffered),
        BodySendMode::FullDuplexStreamed => Ok(Mode::Streamed),
        // Pieces are answered one by one, without a look at the next.
        other => Err(Status::invalid_argument(format!(
            "{name} is {}; expected FULL_DUPLEX_STREAMED, BUFFERED or NONE",
            other.as_str_name()
        ))),
    }
}
