//! Compares the gateway with LiteLLM's proxy.

use std::{net::TcpListener, path::Path, process::Command, sync::Arc, time::Duration};

use crate::{
    Failure,
    client::{Expected, Figures, load},
    job::Job,
    process::{Gateway, KEYS, Process},
    table::{head, row, together},
};

const CONNECTIONS: [usize; 3] = [1, 16, 64];

const ROUNDS: usize = 2;

/// How long one process is under load in one round.
const TURN: Duration = Duration::from_millis(1500);

/// How long LiteLLM may take to start.
const PATIENCE: Duration = Duration::from_secs(120);

/// Prints two tables: load and memory. All processes read the same configuration and use
/// the same upstream. LiteLLM runs one worker process, so the gateway runs with one thread
/// as well as with one per core, its default.
pub(crate) async fn run(litellm: &Path) -> Result<(), Failure> {
    let upstream = Process::role(&["upstream", "0"])?;
    let gateway = Gateway::build(upstream.address)?;
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new(litellm);
    command
        .envs(KEYS)
        .args(["--host", "127.0.0.1", "--port", &free.port().to_string()])
        .args(["--num_workers", "1"])
        .arg("--config")
        .arg(&gateway.config);
    let ways = [
        (
            "LiteLLM, 1 worker",
            Process::start_at(&mut command, free, PATIENCE).await?,
            Expected::Same,
        ),
        (
            "gateway, 1 thread",
            gateway.start(&["--workers", "1"])?,
            Expected::Rewritten,
        ),
        (
            "gateway, a thread per core",
            gateway.start(&[])?,
            Expected::Rewritten,
        ),
    ];

    let names = [
        "body",
        "connections",
        "",
        "requests/s",
        "p50, ms",
        "p99, ms",
        "CPU, ms per request",
    ];
    println!("{}", head(&names));
    for job in Job::all(true).map(Arc::new) {
        for connections in CONNECTIONS {
            let mut figures: [Vec<Figures>; 3] = Default::default();
            for _ in 0..ROUNDS {
                for ((_, process, expected), figures) in ways.iter().zip(&mut figures) {
                    figures.push(load(process, &job, *expected, connections, TURN).await?);
                }
            }
            for ((name, ..), figures) in ways.iter().zip(&figures) {
                let all = together(figures);
                let figures = [
                    format!("{:.0}", all.rate()),
                    format!("{:.2}", all.latency(0.5)),
                    format!("{:.2}", all.latency(0.99)),
                    format!("{:.3}", all.cpu_per_request() / 1e3),
                ];
                let names = [
                    job.name.clone(),
                    connections.to_string(),
                    (*name).to_owned(),
                ];
                println!("{}", row(names.into_iter().chain(figures)));
            }
        }
    }
    println!("\n{}", head(&["", "RSS at the end, MB", "highest RSS, MB"]));
    for (name, process, _) in &ways {
        let memory = ["VmRSS", "VmHWM"].map(|line| process.memory(line));
        let [now, most] = memory;
        let cells = [
            (*name).to_owned(),
            format!("{:.0}", now?),
            format!("{:.0}", most?),
        ];
        println!("{}", row(cells));
    }
    Ok(())
}
