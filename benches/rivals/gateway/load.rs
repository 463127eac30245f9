//! Compares the gateway with a TCP relay and with a minimal proxy.

use std::{sync::Arc, time::Duration};

use crate::{
    Failure,
    client::{Expected, Figures, load},
    job::Job,
    process::{Gateway, Process},
    table::{head, median, row, together},
};

const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// How often each process gets its turn. Odd, so that there is a median.
const ROUNDS: usize = 5;

/// How long one process is under load in one round.
const TURN: Duration = Duration::from_millis(300);

const NAMES: [&str; 5] = [
    "TCP relay",
    "proxy",
    "proxy + layer",
    "gateway, no rewrite",
    "gateway",
];

/// Whether each of them rewrites requests.
const REWRITES: [bool; NAMES.len()] = [false, false, true, false, true];

/// The upstream behind all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// The one of this program: accepts anything, recognises what should arrive, and takes
    /// little processor time.
    Light,
    /// The example `emulator`, which refuses what Moonshot refuses. Processes that do not
    /// rewrite get requests that need no rewrite.
    Emulator,
}

impl Upstream {
    fn start(self) -> Result<Process, Failure> {
        match self {
            Self::Light => Process::role(&["upstream", "0"]),
            Self::Emulator => Process::emulator(),
        }
    }

    fn jobs(self, rewrites: bool) -> [Arc<Job>; 3] {
        Job::all(rewrites || self == Self::Light).map(Arc::new)
    }

    const fn expected(self, rewrites: bool) -> Expected {
        match (self, rewrites) {
            (Self::Light, false) => Expected::Untouched,
            (Self::Light, true) => Expected::Rewritten,
            (Self::Emulator, _) => Expected::Accepted,
        }
    }
}

/// Prints the tables. With `is_test`, it only verifies the answers.
pub(crate) async fn run(before: Upstream, is_test: bool) -> Result<(), Failure> {
    let upstream = before.start()?;
    let gateway = Gateway::build(upstream.address)?;
    let address = upstream.address.to_string();
    let ways = [
        Process::role(&["relay", &address])?,
        Process::role(&["proxy", &address])?,
        Process::role(&["proxy-with-layer", &address])?,
        gateway.start(&["--no-rewrite"])?,
        gateway.start(&[])?,
    ];
    let jobs = REWRITES.map(|rewrites| before.jobs(rewrites));
    let (rounds, turn) = if is_test {
        (1, Duration::ZERO)
    } else {
        (ROUNDS, TURN)
    };
    let (mut costs, mut latencies) = (Vec::new(), Vec::new());
    for (number, Job { name, .. }) in Job::all(true).iter().enumerate() {
        for connections in CONNECTIONS {
            let mut figures: [Vec<Figures>; NAMES.len()] = Default::default();
            for round in 0..rounds {
                // The order alternates, so that no process always follows the same one.
                for index in 0..ways.len() {
                    let index = if round % 2 == 0 {
                        index
                    } else {
                        ways.len() - 1 - index
                    };
                    let job = &jobs[index][number];
                    let expected = before.expected(REWRITES[index]);
                    let turn = load(&ways[index], job, expected, connections, turn).await?;
                    figures[index].push(turn);
                }
            }
            if !is_test {
                costs.push(cost(name, connections, &figures));
                latencies.push(latency(name, connections, &figures));
            }
        }
    }
    if is_test {
        return Ok(());
    }

    println!("CPU time per request of the process itself, in microseconds:\n");
    let mut names = vec!["body", "connections"];
    names.extend(NAMES);
    let added = ["layer adds", "rewrite adds to the gateway"];
    println!("{}", head(&[&names[..], &added].concat()));
    println!("{}", costs.join("\n"));
    println!("\nTime to the end of the answer in milliseconds, p50 / p99:\n");
    println!("{}", head(&names));
    println!("{}", latencies.join("\n"));
    Ok(())
}

fn cost(name: &str, connections: usize, figures: &[Vec<Figures>; NAMES.len()]) -> String {
    let of = |way: usize| figures[way].iter().map(Figures::cpu_per_request);
    // Compared within each round, because the load of the machine changes between rounds.
    let added = |without: usize, with: usize| {
        let ratios = of(without)
            .zip(of(with))
            .map(|(without, with)| with / without);
        format!("{:+.1} %", (median(ratios.collect()) - 1.0) * 100.0)
    };
    let costs = (0..NAMES.len()).map(|way| format!("{:.0}", median(of(way).collect())));
    row([name.to_owned(), connections.to_string()]
        .into_iter()
        .chain(costs)
        .chain([added(1, 2), added(3, 4)]))
}

fn latency(name: &str, connections: usize, figures: &[Vec<Figures>; NAMES.len()]) -> String {
    let latencies = figures.iter().map(|rounds| {
        let all = together(rounds);
        format!("{:.2} / {:.2}", all.latency(0.5), all.latency(0.99))
    });
    row([name.to_owned(), connections.to_string()]
        .into_iter()
        .chain(latencies))
}
