//! The stream of messages to Envoy, which drives the exchange that sends them.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use envoy_types::pb::envoy::service::ext_proc::v3::ProcessingResponse;
use futures_core::Stream;
use tokio::sync::mpsc;
use tonic::Status;

use super::body::Lost;

/// How many messages wait to be sent. While there are as many, the exchange waits.
const WAITING: usize = 4;

/// Sends messages to Envoy.
#[derive(Clone, Debug)]
pub(crate) struct Outbound(mpsc::Sender<ProcessingResponse>);

impl Outbound {
    pub(crate) async fn send(&self, message: ProcessingResponse) -> Result<(), Lost> {
        self.0.send(message).await.map_err(|_| Lost)
    }

    /// Sends the first message, for which there always is room.
    pub(crate) fn send_first(&self, message: ProcessingResponse) {
        let _ = self.0.try_send(message);
    }
}

type Exchange = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

/// The messages of one exchange. It is polled by the task of its gRPC stream, only while
/// Envoy accepts more, and so is the exchange: there is no other task.
pub(crate) struct Answers {
    messages: mpsc::Receiver<ProcessingResponse>,
    exchange: Option<Exchange>,
}

impl Answers {
    /// Takes a function that creates the exchange.
    pub(crate) fn new<F>(exchange: impl FnOnce(Outbound) -> F) -> Self
    where
        F: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let (sender, messages) = mpsc::channel(WAITING);
        Self {
            messages,
            exchange: Some(Box::pin(exchange(Outbound(sender)))),
        }
    }
}

impl Stream for Answers {
    type Item = Result<ProcessingResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            // `None` once the exchange, which has the sender, is over.
            let message = self.messages.poll_recv(cx);
            if let Poll::Ready(Some(message)) = message {
                return Poll::Ready(Some(Ok(message)));
            }
            let Some(exchange) = &mut self.exchange else {
                return message.map(|_| None);
            };
            match exchange.as_mut().poll(cx) {
                Poll::Ready(result) => {
                    self.exchange = None;
                    if let Err(status) = result {
                        return Poll::Ready(Some(Err(status)));
                    }
                }
                Poll::Pending if self.messages.is_empty() => return Poll::Pending,
                // It has sent messages, and waits for something else.
                Poll::Pending => {}
            }
        }
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}
