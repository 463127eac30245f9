//! Measures the memory of the gateway with many large requests in flight.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::{
    Failure,
    client::{Connection, Expected},
    job::Job,
    process::{Gateway, Process},
};

const REQUESTS: usize = 1000;

/// The highest RSS that the gateway may reach, in MB.
const LIMIT: f64 = 1200.0;

/// Sends 1 000 requests of 1 MB. The upstream reads none of them before all have arrived,
/// so that the gateway holds all of them in memory.
pub(crate) async fn run() -> Result<(), Failure> {
    let upstream = Process::role(&["upstream", &REQUESTS.to_string()])?;
    let gateway = Gateway::build(upstream.address)?.start(&[])?;
    let idle = gateway.memory("VmRSS")?;
    let job = Arc::new(Job::large());
    // Opened one by one: the kernel takes this many at once for a SYN flood.
    let mut connections = Vec::new();
    for _ in 0..REQUESTS {
        connections.push(Connection::open(gateway.address).await?);
    }
    let mut requests = JoinSet::new();
    for (number, mut connection) in connections.into_iter().enumerate() {
        let job = Arc::clone(&job);
        requests.spawn(async move { connection.ask(&job, number, Expected::Rewritten).await });
    }
    while let Some(request) = requests.join_next().await {
        request??;
    }
    let most = gateway.memory("VmHWM")?;
    let bodies = (0..REQUESTS).map(|number| job.bodies[number % job.bodies.len()].len());
    let bodies = bodies.sum::<usize>() as f64 / 1e6;
    println!(
        "{REQUESTS} requests of 1 MB in flight, {bodies:.0} MB of bodies: the gateway had \
         {most:.0} MB at most (VmHWM), {idle:.0} MB before."
    );
    if most > LIMIT {
        return Err(format!("that is more than {LIMIT} MB").into());
    }
    Ok(())
}
