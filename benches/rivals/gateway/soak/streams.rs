//! Very many slow streams at once: what a stream costs in memory, how much later a chunk
//! arrives, and that none is lost.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet, time};

use crate::{
    Failure,
    process::{Gateway, Process},
    soak::client::post,
    soak::request::slow,
    soak::upstream::{SLOW_EVENTS, now},
};

/// Half of the streams are over HTTP/2, with this many on each connection: otherwise a
/// process needs more descriptors than it may have.
const ON_ONE: usize = 100;

/// Runs the streams once straight to the upstream and once through the gateway.
pub(crate) async fn run(count: usize, pause: Duration) -> Result<(), Failure> {
    let pause = pause.as_millis().to_string();
    let upstream = Process::role(&["soak-upstream", &pause])?;
    let (mut straight, _) = all(upstream.address, count, Protocol::Http1, []).await?;
    let gateway = Gateway::build(upstream.address)?;
    let limit = (count * 2).to_string();
    let gateway = gateway.start(&[
        "--max-requests",
        &limit,
        "--max-connections-per-address",
        "0",
    ])?;
    let before = gateway.memory("VmRSS")?;
    let cpu = gateway.cpu()?;
    let (mut through, [held]) = all(gateway.address, count, Protocol::Both, [&gateway]).await?;
    let cpu = Duration::from_nanos(gateway.cpu()? - cpu);
    straight.sort_unstable();
    through.sort_unstable();
    println!(
        "{count} streams at once, {} chunks, none lost: {:.1} KB of memory a stream \
         ({before:.0} MB before, {held:.0} MB with all open), {:.0} µs of CPU a chunk",
        through.len(),
        (held - before) * 1e3 / count as f64,
        cpu.as_secs_f64() * 1e6 / through.len() as f64,
    );
    println!("delay of a chunk in ms, p50 / p99 / most:");
    for (name, delays) in [("upstream alone", &straight), ("gateway", &through)] {
        let at = |share: f64| {
            let index = ((delays.len() - 1) as f64 * share) as usize;
            delays[index].as_secs_f64() * 1e3
        };
        println!(
            "  {name}: {:.2} / {:.2} / {:.2}",
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
    Ok(())
}

/// Returns the memory of each process while so many streams through `address` are open.
pub(crate) async fn held<const N: usize>(
    address: SocketAddr,
    count: usize,
    processes: [&Process; N],
) -> Result<[f64; N], Failure> {
    let (_, held) = all(address, count, Protocol::Both, processes).await?;
    Ok(held)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    /// HTTP/1.1 for one half, HTTP/2 for the other.
    Both,
}

/// Opens all streams and reads them to their ends. Returns the delay of each chunk that
/// arrived while all were open, and the memory of each process at that time.
async fn all<const N: usize>(
    address: SocketAddr,
    count: usize,
    protocol: Protocol,
    processes: [&Process; N],
) -> Result<(Vec<Duration>, [f64; N]), Failure> {
    let open = Arc::new(Open {
        streams: AtomicUsize::new(0),
        all: count,
    });
    let mut streams = JoinSet::new();
    let mut shared = None;
    for number in 0..count {
        let mut request = post(Full::new(slow(number)))?;
        let open = Arc::clone(&open);
        if protocol == Protocol::Both && number % 2 == 1 {
            if number / 2 % ON_ONE == 0 {
                shared = Some(http2_connection(address).await?);
            }
            let mut sender = shared.clone().ok_or("no connection")?;
            *request.uri_mut() = format!("http://{address}{}", request.uri()).parse()?;
            request.headers_mut().remove("host");
            streams.spawn(async move {
                sender.ready().await?;
                read(sender.send_request(request).await?.into_body(), &open).await
            });
        } else {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(async { connection.await.unwrap_or_default() });
            streams.spawn(async move {
                let answer = sender.send_request(request).await?;
                read(answer.into_body(), &open).await
            });
        }
    }
    let mut delays = Vec::with_capacity(count * SLOW_EVENTS);
    let mut memory = [0.0_f64; N];
    let mut look = time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            _ = look.tick() => if open.are_all() {
                for (memory, process) in memory.iter_mut().zip(processes) {
                    *memory = memory.max(process.memory("VmRSS")?);
                }
            },
            ended = streams.join_next() => match ended {
                Some(stream) => delays.extend(stream??),
                None if delays.is_empty() => return Err("the streams were never all open".into()),
                None => return Ok((delays, memory)),
            },
        }
    }
}

/// How many streams have begun and not ended.
#[derive(Debug)]
struct Open {
    streams: AtomicUsize,
    all: usize,
}

impl Open {
    fn are_all(&self) -> bool {
        self.streams.load(Ordering::Relaxed) == self.all
    }
}

async fn http2_connection(address: SocketAddr) -> Result<http2::SendRequest<Full<Bytes>>, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let builder = http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async { connection.await.unwrap_or_default() });
    Ok(sender)
}

/// Reads a stream, and verifies that every chunk arrives, in order, up to the end. Returns
/// the delays of chunks that arrived while all streams were open.
async fn read(mut body: Incoming, open: &Open) -> Result<Vec<Duration>, Failure> {
    let mut delays = Vec::with_capacity(SLOW_EVENTS);
    let mut rest = Vec::new();
    let mut next = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        let arrived = now();
        rest.extend_from_slice(&data);
        while let Some(end) = memchr::memmem::find(&rest, b"\n\n") {
            let event: Vec<u8> = rest.drain(..end + 2).collect();
            let event = event
                .trim_ascii()
                .strip_prefix(b"data: ")
                .ok_or("no data")?;
            if event == b"[DONE]" {
                if next != SLOW_EVENTS || !rest.is_empty() {
                    return Err(format!("{next} chunks of {SLOW_EVENTS}").into());
                }
                return Ok(delays);
            }
            let event: Value = serde_json::from_slice(event)?;
            let text = event["choices"][0]["delta"]["content"].as_str();
            let Some((number, sent)) = text.and_then(|text| text.split_once(' ')) else {
                continue;
            };
            if number.parse::<usize>()? != next {
                return Err(format!("chunk {number} as number {next}").into());
            }
            next += 1;
            if next == 1 {
                open.streams.fetch_add(1, Ordering::Relaxed);
            } else if open.are_all() {
                let delay = arrived.saturating_sub(sent.parse()?);
                delays.push(Duration::from_nanos(delay));
            }
            if next == SLOW_EVENTS {
                open.streams.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
    Err("a stream without an end".into())
}
