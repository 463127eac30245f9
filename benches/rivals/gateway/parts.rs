//! Divides what the layer adds to a minimal proxy into its parts.

use std::{sync::Arc, time::Duration};

use crate::{
    Failure,
    client::{Expected, Figures, load},
    job::Job,
    process::Process,
    table::{head, median, row},
};

const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// How often each proxy gets its turn. Odd, so that there is a median.
const ROUNDS: usize = 21;

/// How long one proxy is under load in one round.
const TURN: Duration = Duration::from_millis(200);

/// The proxies: each does what the one before it does, and more.
const PROXIES: [(&str, &str, Expected); 4] = [
    ("proxy", "proxy", Expected::Untouched),
    (
        "reads bodies to their end",
        "proxy-that-collects",
        Expected::Untouched,
    ),
    (
        "layer without rules",
        "proxy-without-rules",
        Expected::Untouched,
    ),
    ("layer", "proxy-with-layer", Expected::Rewritten),
];

/// Prints the processor time per request of each proxy.
pub(crate) async fn run() -> Result<(), Failure> {
    let upstream = Process::role(&["upstream", "0"])?;
    let address = upstream.address.to_string();
    let mut proxies = Vec::new();
    for (_, role, expected) in PROXIES {
        proxies.push((Process::role(&[role, &address])?, expected));
    }
    println!("CPU time per request of the proxy itself, in microseconds:\n");
    let names = PROXIES.map(|(name, ..)| name);
    println!("{}", head(&[&["body", "connections"], &names[..]].concat()));
    for job in Job::all(true).map(Arc::new).into_iter().take(2) {
        for connections in CONNECTIONS {
            let mut costs: [Vec<f64>; PROXIES.len()] = Default::default();
            for round in 0..ROUNDS {
                for index in 0..proxies.len() {
                    // Another one begins each round, so that none always follows the same.
                    let index = (index + round) % proxies.len();
                    let (proxy, expected) = &proxies[index];
                    let figures = load(proxy, &job, *expected, connections, TURN).await?;
                    costs[index].push(Figures::cpu_per_request(&figures));
                }
            }
            let costs = costs.map(|costs| format!("{:.1}", median(costs)));
            let what = [job.name.clone(), connections.to_string()];
            println!("{}", row(what.into_iter().chain(costs)));
        }
    }
    Ok(())
}
