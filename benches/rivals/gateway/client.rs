//! The client: sends requests over several connections and verifies the answers. Each
//! connection sends its next request once it has the answer to the last one.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Barrier, task::JoinSet, time};

use crate::{
    Failure,
    job::{ARRIVED, Job},
    process::{MASTER_KEY, Process},
};

/// The time limit for one answer.
const FOREVER: Duration = Duration::from_secs(60);

/// Requirements on the answers of a process under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The upstream's answer to the byte, and the request reached it as it was sent.
    Untouched,
    /// The upstream's answer to the byte, and the request reached it rewritten.
    Rewritten,
    /// The upstream's text, in any JSON around it.
    Same,
    /// A completion, from an upstream that refuses what Moonshot refuses.
    Accepted,
}

/// The measurements of one load run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) latencies: Vec<Duration>,
    /// Processor time of the process under load.
    pub(crate) cpu: Duration,
    pub(crate) elapsed: Duration,
}

impl Figures {
    /// Processor time per request, in microseconds.
    pub(crate) fn cpu_per_request(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.latencies.len() as f64
    }

    /// Requests per second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The time within which this share of the answers was complete, in milliseconds.
    pub(crate) fn latency(&self, share: f64) -> f64 {
        let mut all = self.latencies.clone();
        all.sort_unstable();
        let index = (all.len() as f64 * share) as usize;
        all[index.min(all.len() - 1)].as_secs_f64() * 1e3
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.cpu += other.cpu;
        self.elapsed += other.elapsed;
    }
}

/// Sends requests over this many connections for this long. Each connection is opened
/// and gets one answer before the measurement begins.
pub(crate) async fn load(
    process: &Process,
    job: &Arc<Job>,
    expected: Expected,
    connections: usize,
    duration: Duration,
) -> Result<Figures, Failure> {
    let start = Arc::new(Barrier::new(connections + 1));
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let (job, start, address) = (Arc::clone(job), Arc::clone(&start), process.address);
        tasks.spawn(async move {
            let mut number = number;
            let connection = async {
                let mut connection = Connection::open(address).await?;
                connection.ask(&job, number, expected).await?;
                Ok::<_, Failure>(connection)
            };
            let connection = connection.await;
            // Reached after a failure too: otherwise the others would wait for ever.
            start.wait().await;
            let mut connection = connection?;
            let end = Instant::now() + duration;
            let mut latencies = Vec::new();
            while Instant::now() < end {
                number += 1;
                latencies.push(connection.ask(&job, number, expected).await?);
            }
            Ok::<_, Failure>(latencies)
        });
    }
    let mut latencies = Vec::new();
    start.wait().await;
    let (began, before) = (Instant::now(), process.cpu()?);
    while let Some(task) = tasks.join_next().await {
        latencies.extend(task??);
    }
    let (elapsed, after) = (began.elapsed(), process.cpu()?);
    Ok(Figures {
        latencies,
        cpu: Duration::from_nanos(after - before),
        elapsed,
    })
}

/// A connection to the process under load.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // A failure of the connection also fails a request, which reports it.
        tokio::spawn(async { connection.await.unwrap_or_default() });
        Ok(Self { sender })
    }

    /// Sends a request, verifies the answer, and returns the time until the answer was
    /// complete.
    pub(crate) async fn ask(
        &mut self,
        job: &Job,
        number: usize,
        expected: Expected,
    ) -> Result<Duration, Failure> {
        let body = job.bodies[number % job.bodies.len()].clone();
        let request = Request::post("/v1/chat/completions")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {MASTER_KEY}"))
            .body(Full::new(body))?;
        let began = Instant::now();
        let answer = async {
            self.sender.ready().await?;
            let answer = self.sender.send_request(request).await?;
            let (head, body) = answer.into_parts();
            Ok::<_, Failure>((head, body.collect().await?.to_bytes()))
        };
        let (head, body) = time::timeout(FOREVER, answer).await??;
        let latency = began.elapsed();
        let arrived = head.headers.get(ARRIVED).map(|value| value.as_bytes());
        let is_right = match expected {
            Expected::Untouched => arrived == Some(b"untouched") && job.is_answer(&body),
            Expected::Rewritten => arrived == Some(b"rewritten") && job.is_answer(&body),
            Expected::Same => job.says_the_same(&body),
            Expected::Accepted => job.is_complete(&body),
        };
        if head.status != StatusCode::OK || !is_right {
            let body = String::from_utf8_lossy(&body);
            return Err(format!("{}: not {expected:?}: {head:?} {body}", job.name).into());
        }
        Ok(latency)
    }
}
