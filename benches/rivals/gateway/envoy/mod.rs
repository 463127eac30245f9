//! Compares Envoy alone, Envoy with an external processor that does nothing, Envoy with
//! ours, and the gateway. Each process may use one core.

mod idle;

use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use cpu_time::ProcessTime;
use tower_moonshot::MoonshotCompatLayer;

pub(crate) use self::idle::serve as idle;
use crate::{
    Failure,
    client::{Expected, Figures, load},
    job::Job,
    process::{Gateway, KEYS, Process, build_program},
    soak,
    table::{head, median, row, together},
};

const CONNECTIONS: [usize; 2] = [1, 16];

/// How often each way gets its turn. Odd, so that there is a median.
const ROUNDS: usize = 5;

/// How long one way is under load in one round.
const TURN: Duration = Duration::from_millis(500);

/// How long Envoy may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

const WAYS: [&str; 4] = ["Envoy", "Envoy + idle", "Envoy + ours", "gateway"];

/// A process that clients reach, and the external processor behind it.
struct Way {
    front: Process,
    processor: Option<Process>,
    expected: Expected,
}

/// What was measured of one way.
#[derive(Default)]
struct Measured {
    rounds: Vec<Figures>,
    /// Processor time of the external processor per request, in microseconds.
    processor: Vec<f64>,
}

/// Prints the tables. With `is_test`, it only verifies the answers.
pub(crate) async fn run(is_test: bool) -> Result<(), Failure> {
    let upstream = Process::role(&["upstream", "0"])?;
    let ways = ways(upstream.address).await?;
    let [small, medium, _] = Job::all(true);
    let jobs = [small, medium, Job::large()].map(Arc::new);
    let (rounds, turn) = if is_test {
        (1, Duration::ZERO)
    } else {
        (ROUNDS, TURN)
    };
    let mut tables = [Vec::new(), Vec::new(), Vec::new()];
    for job in &jobs {
        for connections in CONNECTIONS {
            let mut measured: [Measured; WAYS.len()] = Default::default();
            for _ in 0..rounds {
                for (way, measured) in ways.iter().zip(&mut measured) {
                    let before = way.processor_cpu()?;
                    let figures = load(&way.front, job, way.expected, connections, turn).await?;
                    let after = way.processor_cpu()?;
                    // The first requests, which the figures leave out.
                    let requests = figures.latencies.len() + connections;
                    let micros = (after - before) as f64 / 1e3 / requests as f64;
                    measured.processor.push(micros);
                    measured.rounds.push(figures);
                }
            }
            if !is_test {
                let place = || [job.name.clone(), connections.to_string()].into_iter();
                let each = |cell: &dyn Fn(&Measured) -> String| {
                    row(place().chain(measured.iter().map(cell)))
                };
                tables[0].push(each(&|way| format!("{:.0}", together(&way.rounds).rate())));
                tables[1].push(each(&|way| {
                    let all = together(&way.rounds);
                    format!("{:.2} / {:.2}", all.latency(0.5), all.latency(0.99))
                }));
                let own = |way: &Measured| {
                    let costs = way.rounds.iter().map(Figures::cpu_per_request);
                    median(costs.collect())
                };
                let processor = |way: &Measured| median(way.processor.clone());
                let layer = layer(job);
                let twice = 2.0 * (layer + processor(&measured[1]));
                tables[2].push(row(place().chain([
                    format!("{:.0}", own(&measured[0])),
                    format!("{:.0} + {:.0}", own(&measured[1]), processor(&measured[1])),
                    format!("{:.0} + {:.0}", own(&measured[2]), processor(&measured[2])),
                    format!("{:.0}", own(&measured[3])),
                    format!("{layer:.0}"),
                    format!("{:.2}", processor(&measured[2]) / twice * 2.0),
                ])));
            }
        }
    }
    if is_test {
        return Ok(());
    }
    let names = [&["body", "connections"][..], &WAYS].concat();
    let last = ["layer alone", "ours : (layer + idle)"];
    println!("Requests per second:\n\n{}", head(&names));
    println!("{}\n", tables[0].join("\n"));
    println!("Time to the end of the answer in milliseconds, p50 / p99:\n");
    println!("{}\n{}\n", head(&names), tables[1].join("\n"));
    println!("CPU time per request in microseconds, of Envoy + the external processor:\n");
    println!("{}", head(&[&names[..], &last].concat()));
    println!("{}", tables[2].join("\n"));
    Ok(())
}

/// Measures the memory of the external processor, with `count` slow streams at once.
pub(crate) async fn streams(count: usize) -> Result<(), Failure> {
    let upstream = Process::role(&["soak-upstream", "1000"])?;
    let processor = ours(upstream.address)?;
    let front = envoy(upstream.address, Some(&processor)).await?;
    let before = [front.memory("VmRSS")?, processor.memory("VmRSS")?];
    let held = soak::held(front.address, count, [&front, &processor]).await?;
    for (name, (before, held)) in ["Envoy", "moonshot-ext-proc"]
        .iter()
        .zip(before.into_iter().zip(held))
    {
        println!(
            "{count} streams at once: {name} has {:.1} KB of memory a stream \
             ({before:.0} MB before, {held:.0} MB with all open)",
            (held - before) * 1e3 / count as f64,
        );
    }
    Ok(())
}

async fn ways(upstream: SocketAddr) -> Result<[Way; WAYS.len()], Failure> {
    let mut command = Command::new(env::current_exe()?);
    let idle = Process::start(
        command
            .arg("ext-proc-idle")
            .env("TOKIO_WORKER_THREADS", "1"),
    )?;
    let ours = ours(upstream)?;
    let gateway = Gateway::build(upstream)?;
    let way = |front, processor, expected| Way {
        front,
        processor,
        expected,
    };
    Ok([
        way(envoy(upstream, None).await?, None, Expected::Untouched),
        way(
            envoy(upstream, Some(&idle)).await?,
            Some(idle),
            Expected::Untouched,
        ),
        way(
            envoy(upstream, Some(&ours)).await?,
            Some(ours),
            Expected::Rewritten,
        ),
        way(
            gateway.start(&["--workers", "1"])?,
            None,
            Expected::Rewritten,
        ),
    ])
}

impl Way {
    fn processor_cpu(&self) -> Result<u64, Failure> {
        self.processor.as_ref().map_or(Ok(0), Process::cpu)
    }
}

/// Starts our external processor.
fn ours(upstream: SocketAddr) -> Result<Process, Failure> {
    let mut command = Command::new(build_program("moonshot-ext-proc")?);
    command
        .args(["--port", "0", "--metrics-port", "0", "--workers", "1"])
        .env_remove("LITELLM_MASTER_KEY")
        .env_remove("RUST_LOG")
        .env("MOONSHOT_API_KEY", KEYS[0].1)
        .env("MOONSHOT_API_BASE", format!("http://{upstream}/v1"));
    Process::start(&mut command)
}

/// Starts Envoy, with an external processor or without.
async fn envoy(upstream: SocketAddr, processor: Option<&Process>) -> Result<Process, Failure> {
    let program = env::var_os("ENVOY").map_or_else(|| "envoy".into(), PathBuf::from);
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let port = processor.map_or(1, |processor| processor.address.port());
    let text = include_str!("envoy.yaml")
        .replace("PORT", &address.port().to_string())
        .replace("UPSTREAM", &upstream.port().to_string())
        .replace("PROCESSOR", &port.to_string())
        .replace(
            "IS_ALONE",
            if processor.is_none() { "true" } else { "false" },
        );
    let file = env::temp_dir().join(format!("envoy-bench-{}.yaml", address.port()));
    fs::write(&file, text)?;
    let mut command = Command::new(program);
    command.args([
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "-l",
        "error",
        "-c",
    ]);
    let process = Process::start_at(command.arg(&file), address, PATIENCE).await;
    fs::remove_file(file)?;
    process
}

/// Processor time of the rewrite alone, in microseconds.
fn layer(job: &Job) -> f64 {
    let layer = MoonshotCompatLayer::new();
    let (began, before) = (Instant::now(), ProcessTime::now());
    let mut count = 0;
    while began.elapsed() < TURN {
        for body in &job.bodies {
            let _ = std::hint::black_box(layer.rewrite(body.clone()));
            count += 1;
        }
    }
    before.elapsed().as_secs_f64() * 1e6 / f64::from(count)
}
