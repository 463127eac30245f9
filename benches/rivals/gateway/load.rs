//! The gateway beside a relay and the least of proxies.

use std::{sync::Arc, time::Duration};

use crate::{
    Failure,
    client::{Expected, Figures, load},
    job::Job,
    process::{Gateway, Process},
    table::{head, median, row, together},
};

const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// All of them in turn, so often. An odd number has a middle.
const ROUNDS: usize = 5;

/// For one of them, in one round.
const TURN: Duration = Duration::from_millis(300);

const NAMES: [&str; 5] = [
    "TCP relay",
    "proxy",
    "proxy + layer",
    "gateway, no rewrite",
    "gateway",
];

/// Which of them rewrite.
const REWRITES: [bool; NAMES.len()] = [false, false, true, false, true];

/// What they stand in front of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// Of this program: takes anything, knows what should arrive, and costs little.
    Light,
    /// Of the examples: refuses what Moonshot refuses. So all that don't rewrite are
    /// sent what is taken as it is.
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

/// Prints the tables. As a test, only the answers count.
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
                // There and back: nobody always comes after the same one.
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

    println!("Microseconds of CPU a request, of the process in the way alone:\n");
    let mut names = vec!["body", "connections"];
    names.extend(NAMES);
    let added = ["layer adds", "rewrite adds to the gateway"];
    println!("{}", head(&[&names[..], &added].concat()));
    println!("{}", costs.join("\n"));
    println!("\nMilliseconds to the end of the answer, p50 / p99:\n");
    println!("{}", head(&names));
    println!("{}", latencies.join("\n"));
    Ok(())
}

fn cost(name: &str, connections: usize, figures: &[Vec<Figures>; NAMES.len()]) -> String {
    let of = |way: usize| figures[way].iter().map(Figures::cpu_per_request);
    // Of each round by itself: what else this machine does changes from round to round.
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
