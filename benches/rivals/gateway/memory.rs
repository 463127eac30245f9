//! What the gateway holds when many large requests are in flight.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::{
    Failure,
    client::{Connection, Expected},
    job::Job,
    process::{Gateway, Process},
};

const REQUESTS: usize = 1000;

/// What the gateway may take for them, in MB.
const LIMIT: f64 = 1200.0;

/// Sends 1 000 requests of 1 MB to an upstream that reads none of them before all
/// have come, so that the gateway has all of them in its memory.
pub(crate) async fn run() -> Result<(), Failure> {
    let upstream = Process::role(&["upstream", &REQUESTS.to_string()])?;
    let gateway = Gateway::build(upstream.address)?.start(&[])?;
    let idle = gateway.memory("VmRSS")?;
    let job = Arc::new(Job::large());
    // One by one: so many at once look like an attack to the kernel.
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
