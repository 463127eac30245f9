//! Serves one connection, HTTP/1.1 or HTTP/2, and decides when it is closed.
//!
//! A clock closes a connection that has had no open request for `--client-timeout`. It
//! starts again when a response has ended, and never runs while a request is open.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    http::{
        Response,
        header::{CONNECTION, HeaderValue},
    },
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    sync::watch,
    time::{self, Instant},
};
use tower::Service;

use super::{
    activity::{Activity, Protocol},
    current::Current,
    malformed::ExplainMalformed,
    reset,
    socket::Socket,
};

/// The number of headers that hyper parses without an allocation.
const ON_STACK: usize = 100;

/// The longest head of a request, and the most that is read of a body at once, in
/// bytes. A connection keeps a buffer of up to this size.
const BUFFER: usize = 32 * 1024;

/// How long an HTTP/2 client may take to respond to a ping.
const PONG: Duration = Duration::from_secs(20);

/// How long an idle connection is kept once the shutdown has begun. A request that the
/// client has sent before it could know is served.
const LAST_CALL: Duration = Duration::from_secs(1);

/// The settings of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Time for a client to send the head of a request, and to be idle.
    pub(crate) timeout: Duration,
    /// The number of headers in it.
    pub(crate) max_headers: usize,
    /// Whether a client that has closed its sending side gets its response.
    pub(crate) half_close: bool,
}

/// Serves the connections of one worker.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    http: Builder<TokioExecutor>,
    timeout: Duration,
}

impl Server {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut http = Builder::new(TokioExecutor::new());
        let mut http1 = http.http1();
        http1.timer(TokioTimer::new());
        http1.max_buf_size(BUFFER);
        http1.header_read_timeout(settings.timeout);
        http1.half_close(settings.half_close);
        if settings.max_headers != ON_STACK {
            http1.max_headers(settings.max_headers);
        }
        let mut http2 = http.http2();
        http2.timer(TokioTimer::new());
        http2.max_header_list_size(BUFFER as u32);
        // A client that does not respond to a ping in time has vanished.
        http2.keep_alive_interval(settings.timeout);
        http2.keep_alive_timeout(PONG);
        Self {
            http,
            timeout: settings.timeout,
        }
    }

    /// Serves a connection until it is closed. Once `ending` is true, no request is
    /// accepted that the client can send elsewhere.
    pub(crate) async fn serve(
        self,
        socket: Socket,
        router: Current<Router>,
        mut ending: watch::Receiver<bool>,
    ) {
        let activity = Activity::new();
        let stream = ExplainMalformed::new(socket.clone());
        let requests = stream.requests();
        let service = service_fn({
            let activity = activity.clone();
            move |mut request: hyper::Request<Incoming>| {
                request.extensions_mut().insert(requests.begin());
                let version = request.version();
                let open = activity.begin(version);
                let response = router.get().call(reset::of_request(request));
                let activity = activity.clone();
                async move {
                    let Ok::<_, Infallible>(mut response) = response.await;
                    if activity.is_ending() && activity.protocol() == Protocol::Http1 {
                        let close = HeaderValue::from_static("close");
                        response.headers_mut().insert(CONNECTION, close);
                    }
                    let (parts, body) = response.into_parts();
                    let body = open.until_sent(body).await;
                    Ok::<_, Infallible>(Response::from_parts(parts, body))
                }
            }
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // While hyper waits for a response, it does not read and would not notice.
        let mut reset = std::pin::pin!(socket.reset());
        let mut ending = std::pin::pin!(async move {
            let _ = ending.wait_for(|ending| *ending).await;
        });
        let mut clock = std::pin::pin!(time::sleep(self.timeout));
        let mut is_closing = false;
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error, "connection error");
                    }
                    return;
                }
                () = reset.as_mut() => {
                    tracing::debug!("a client has reset its connection");
                    return;
                }
                () = ending.as_mut(), if !activity.is_ending() => {
                    activity.end();
                    if activity.protocol() == Protocol::Http2 {
                        // Tells the client which requests are still served.
                        connection.as_mut().graceful_shutdown();
                        is_closing = true;
                    }
                }
                () = clock.as_mut() => {
                    let now = Instant::now();
                    match self.verdict(&activity, is_closing, now) {
                        Verdict::Wait(until) => {
                            clock.as_mut().reset(until);
                            continue;
                        }
                        Verdict::Finish => {
                            connection.as_mut().graceful_shutdown();
                            is_closing = true;
                        }
                        Verdict::Close => return,
                    }
                }
            }
            clock
                .as_mut()
                .reset(Instant::now() + self.patience(&activity, is_closing));
        }
    }

    /// How long nothing may happen until the clock acts.
    fn patience(&self, activity: &Activity, is_closing: bool) -> Duration {
        if activity.is_ending() && !is_closing {
            self.timeout.min(LAST_CALL)
        } else {
            self.timeout
        }
    }

    /// Decides what happens to a connection when its clock has run down.
    fn verdict(&self, activity: &Activity, is_closing: bool, now: Instant) -> Verdict {
        let patience = self.patience(activity, is_closing);
        match (activity.idle_since(), activity.protocol()) {
            (None, _) => Verdict::Wait(now + patience),
            (Some(since), _) if since + patience > now => Verdict::Wait(since + patience),
            // No whole head has arrived in time.
            (_, Protocol::Unknown) if is_closing || !activity.is_ending() => Verdict::Close,
            // hyper closes it once the rest of the response is sent, and has a clock for
            // the head of the next request.
            (_, Protocol::Http1) if is_closing => Verdict::Wait(now + patience),
            // The client has taken no part of its responses for as long again, or does
            // not say that it knows that the connection is being closed.
            (_, Protocol::Http2) if is_closing => Verdict::Close,
            _ => Verdict::Finish,
        }
    }
}

enum Verdict {
    Wait(Instant),
    /// Closes the connection once open requests have ended.
    Finish,
    Close,
}
