//! Clients and upstreams that fail, as scripts over raw sockets. Each row says what both
//! ends do, and then what each gets. After it nothing is open, and the next request is served.
//!
//! The gateway speaks HTTP/1.1 to its upstream. HTTP/2 clients are in `http2.rs`.

mod client;
mod cuts;
mod http2;
mod pressure;

mod upstream;

use std::time::Duration;

use tokio::net::TcpListener;

use crate::{
    harness::{Gateway, Setup, in_time},
    messages::{OK, REWRITTEN, chat},
    script::{
        Act::{Reads, Sends},
        Got,
        Step::{self, Client, Upstream},
        run,
    },
};

use Gets::{CutOff, Error, Nothing, Whole};

/// What an end gets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gets<'a> {
    Nothing,
    /// A part of a message, with so much of its body. A response says 200.
    CutOff(&'a str),
    /// A whole message with this body. A response says 200.
    Whole(&'a str),
    /// A whole response with this status, and an error with this code.
    Error(u16, &'a str),
}

impl Gets<'_> {
    pub(super) fn check(self, got: &Got, whose: &str) {
        let is_right = match (self, got) {
            (Nothing, Got::Nothing) => true,
            (CutOff(body), Got::CutOff(got)) | (Whole(body), Got::Whole(got)) => {
                let is_ok = got.head.starts_with("HTTP/1.1 200 ") || got.head.starts_with("POST ");
                got.body == body && is_ok
            }
            (Error(status, code), Got::Whole(got)) => {
                got.head.starts_with(&format!("HTTP/1.1 {status} "))
                    && got.body.contains(&format!("\"code\":\"{code}\""))
            }
            _ => false,
        };
        assert!(is_right, "{whose} should get {self:?}: {got:?}");
    }
}

/// A gateway, and where its upstream listens.
pub(super) struct Stack {
    pub(super) gateway: Gateway,
    pub(super) upstream: TcpListener,
    open_files: usize,
}

impl Stack {
    pub(super) async fn start(arguments: &[&str]) -> Self {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let setup = Setup::to(upstream.local_addr().unwrap()).arguments(["--workers", "1"]);
        let gateway = setup.arguments(arguments.iter().copied()).start().await;
        let mut stack = Self {
            gateway,
            upstream,
            open_files: usize::MAX,
        };
        stack.serves("the first one").await;
        stack.is_idle().await;
        stack.open_files = stack.gateway.open_files();
        stack
    }

    pub(super) async fn run(&self, steps: &[Step<'_>]) -> (Got, Got) {
        run(self.gateway.address, &self.upstream, steps).await
    }

    /// Waits until no request and no connection is open but the one that asks for them.
    pub(super) async fn is_idle(&self) {
        self.is_idle_but_for(0).await;
    }

    /// Waits until no request is open, and no connection but so many of clients.
    pub(super) async fn is_idle_but_for(&self, clients: usize) {
        let idle = async {
            while self.gateway.metric("gateway_in_flight_requests").await != Some(0.0)
                || self.gateway.metric("gateway_open_connections").await
                    != Some(1.0 + clients as f64)
                || self.gateway.open_files() > self.open_files + clients
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        in_time(idle).await;
    }

    /// Checks that a request is served, on a connection of its own.
    pub(super) async fn serves(&self, name: &str) {
        let request = chat();
        let steps = [
            Client(Sends(&request)),
            Upstream(Reads(REWRITTEN)),
            Upstream(Sends(OK)),
        ];
        let (client, upstream) = self.run(&steps).await;
        Whole("{}").check(&client, &format!("{name}: the next client"));
        Whole(REWRITTEN).check(&upstream, &format!("{name}: the next upstream"));
    }
}

/// A name, the steps, and what the client and the upstream get.
pub(super) type Row<'a> = (&'a str, Vec<Step<'a>>, Gets<'a>, Gets<'a>);

pub(super) async fn check(arguments: &[&str], rows: Vec<Row<'_>>) {
    let stack = Stack::start(arguments).await;
    for (name, steps, client, upstream) in rows {
        // Tells which row a time limit has ended.
        println!("{name}");
        let (by_client, by_upstream) = stack.run(&steps).await;
        client.check(&by_client, &format!("{name}: the client"));
        upstream.check(&by_upstream, &format!("{name}: the upstream"));
        stack.is_idle().await;
        stack.serves(name).await;
    }
}
