//! Mixed requests: bodies of 2 KB to 8 MB, a quarter of them streams, one in twenty with a
//! fault.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{task::JoinSet, time};

use crate::{
    Failure,
    bodies::Rng,
    process::{Gateway, Process},
    soak::client::Client,
    soak::request::{Plan, Requests},
    soak::upstream::SUMMARY,
    soak::watch::Watch,
};

const CONNECTIONS: u64 = 200;

/// How long the gateway may take to close what is no longer used.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the clients have counted.
#[derive(Debug, Default)]
struct Count {
    next: AtomicU64,
    plans: Mutex<BTreeMap<&'static str, usize>>,
    bytes: AtomicU64,
}

pub(crate) async fn run(time: Duration) -> Result<(), Failure> {
    let upstream = Process::role(&["soak-upstream", "0"])?;
    let gateway = Gateway::build(upstream.address)?.start(&["--first-byte-timeout", "30"])?;
    let idle = gateway.descriptors()?;
    let requests = Arc::new(Requests::new());
    let count = Arc::new(Count::default());
    let end = Instant::now() + time;
    let mut clients = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (requests, count) = (Arc::clone(&requests), Arc::clone(&count));
        let mut client = Client::new(gateway.address);
        clients.spawn(async move {
            let mut rng = Rng::new(number + 1);
            while Instant::now() < end {
                let next = count.next.fetch_add(1, Ordering::Relaxed);
                let planned = requests.choose(&mut rng, next);
                client.follow(&planned).await?;
                count.add(planned.plan, planned.body.len());
            }
            Ok::<_, Failure>(())
        });
    }
    let watch = async {
        let watch = Watch::watch(&gateway, time).await;
        while let Some(client) = clients.join_next().await {
            client??;
        }
        watch
    };
    let watch = watch.await?;
    let arrived = count.arrived();
    println!("{}", count.summary(time));
    verify(&upstream, arrived).await?;
    nothing_leaked(&gateway, &upstream, idle).await?;
    watch.report(time)
}

impl Count {
    fn add(&self, plan: Plan, bytes: usize) {
        *self.plans.lock().unwrap().entry(plan.name()).or_default() += 1;
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How many requests the upstream must have seen.
    fn arrived(&self) -> usize {
        let plans = self.plans.lock().unwrap();
        let arrive = plans.iter().filter(|(name, _)| {
            ![Plan::LeaveInUpload.name(), Plan::BrokenJson.name()].contains(name)
        });
        arrive.map(|(_, count)| count).sum()
    }

    fn summary(&self, time: Duration) -> String {
        let plans = self.plans.lock().unwrap();
        let all: usize = plans.values().sum();
        let megabytes = self.bytes.load(Ordering::Relaxed) as f64 / 1e6;
        format!(
            "{all} requests with {megabytes:.0} MB in {} s over {CONNECTIONS} connections, each \
             as planned: {plans:?}",
            time.as_secs()
        )
    }
}

/// Asks the upstream what has arrived: each request once, and nothing that should not.
async fn verify(upstream: &Process, expected: usize) -> Result<(), Failure> {
    let summary = summary(upstream).await?;
    let is_empty = |name: &str| summary[name].as_array().is_some_and(Vec::is_empty);
    if summary["arrived"] != expected || !is_empty("twice") || !is_empty("wrong") {
        return Err(format!("{expected} should have arrived, but: {summary}").into());
    }
    println!("{expected} arrived at the upstream, none twice");
    Ok(())
}

async fn summary(upstream: &Process) -> Result<Value, Failure> {
    Ok(serde_json::from_slice(
        &crate::soak::client::get(upstream.address, SUMMARY).await?,
    )?)
}

/// Waits until the gateway holds no descriptor more than before, but for the connections
/// to the upstream that it keeps for later.
async fn nothing_leaked(gateway: &Process, upstream: &Process, idle: usize) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        let kept = summary(upstream).await?["open"].as_u64().unwrap_or(0) as usize;
        let held = gateway.descriptors()?;
        if held <= idle + kept {
            println!("{idle} descriptors before, {held} after, {kept} of them kept connections");
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("{idle} descriptors before, {held} after, {kept} kept").into());
        }
        time::sleep(Duration::from_millis(100)).await;
    }
}
