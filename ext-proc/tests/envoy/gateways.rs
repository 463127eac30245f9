//! Two gateways behind Envoy, with one Redis.

use std::net::SocketAddr;

use tower_moonshot::emulator::Emulator;

use crate::{
    envoy,
    process::{Envoy, Gateway, Redis},
    replicas::{Loop, emulated, restored},
    until,
};

/// A cluster of gateways with health checks. Requests that were not sent are retried.
fn configuration(gateways: &[SocketAddr]) -> String {
    let endpoint = |at: &SocketAddr| {
        format!(
            "              - endpoint: {{ address: {{ socket_address: \
             {{ address: 127.0.0.1, port_value: {} }} }} }}\n",
            at.port()
        )
    };
    let endpoints: String = gateways.iter().map(endpoint).collect();
    include_str!("gateways.yaml").replace("ENDPOINTS\n", &endpoints)
}

#[tokio::test]
async fn two_gateways_keep_all_thoughts_and_one_may_be_killed() {
    let Some(program) = envoy() else { return };
    let Some(redis) = Redis::start().await else {
        return;
    };
    let moonshot = Emulator::new().with_unique_thoughts();
    let upstream = emulated(&moonshot).await;
    let url = redis.url();
    let arguments = ["--reasoning-store", &url, "--reasoning-store-timeout", "60"];
    let mut first = Gateway::start(upstream, &arguments).await;
    let second = Gateway::start(upstream, &arguments).await;
    let text = configuration(&[first.address, second.address]);
    let envoy = Envoy::start(&program, &text).await;
    envoy.has_healthy("gateways", 2).await;

    // The turns of each loop alternate between the gateways.
    let mut alone = Loop::new(envoy.url("/v1/chat/completions"), 0);
    for turn in 0..8 {
        assert_eq!(alone.turn().await, 200, "turn {turn}");
        until(async || redis.holds() == turn + 1).await;
    }
    assert_eq!(restored(&moonshot), (0..8).collect::<Vec<_>>());

    // Eight loops at once, in the middle of which one gateway is killed.
    let loops = (1..=8).map(|place| {
        let mut own = Loop::new(envoy.url("/v1/chat/completions"), place);
        tokio::spawn(async move {
            let mut failed = 0;
            while own.turns < 30 {
                let status = own.turn().await;
                if status != 200 {
                    // Loud: never an empty or a partial answer.
                    assert!(status.is_server_error(), "{status}");
                    failed += 1;
                }
            }
            failed
        })
    });
    let loops: Vec<_> = loops.collect();
    until(async || redis.holds() > 60).await;
    first.process.kill().await;
    let mut failed = 0;
    for own in loops {
        failed += crate::in_time(own).await.unwrap();
    }
    // Of each loop at most the one request that was in flight.
    assert!(failed <= 8, "{failed} requests failed");
    drop(second);
}
