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
                // What it has just sent. Not in a loop: once a task has done much, tokio's
                // channels pretend to be empty until it has yielded.
                Poll::Pending => {
                    let message = self.messages.poll_recv(cx);
                    return message.map(|message| message.map(Ok));
                }
            }
        }
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::mpsc, thread, time::Duration};

    use tokio::runtime;

    use super::*;

    /// In a thread of its own, because a failure would not end.
    #[test]
    fn very_many_messages_at_once_are_sent() {
        let (done, is_done) = mpsc::channel();
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().build().unwrap();
            let receiving = async {
                let mut answers = Answers::new(|outbound| async move {
                    for number in 0..10_000 {
                        // So that the budget ends in the middle of anything.
                        if number % 7 == 0 {
                            tokio::task::consume_budget().await;
                        }
                        let _ = outbound.send(ProcessingResponse::default()).await;
                    }
                    Ok(())
                });
                let mut count = 0;
                while let Some(message) = poll_fn(|cx| Pin::new(&mut answers).poll_next(cx)).await {
                    message.unwrap();
                    count += 1;
                }
                count
            };
            let count = runtime.block_on(async { tokio::spawn(receiving).await.unwrap() });
            let _ = done.send(count);
        });
        let count = is_done.recv_timeout(Duration::from_secs(30));
        assert_eq!(count, Ok(10_000));
    }
}
