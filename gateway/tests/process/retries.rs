//! Retries.

use std::collections::HashSet;

use tower_moonshot::emulator::{Emulator, Failure};

use crate::harness::{
    OK, Setup, emulated, get, hello, hello_to, nobody, post, saying, saying_in_turn,
};

const OVERLOADED: &str = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\n\
     content-type: application/json\r\nconnection: close\r\ncontent-length: 44\r\n\r\n\
     {\"error\":{\"type\":\"engine_overloaded_error\"}}";

const BROKEN: &str = "HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn nothing_is_retried_by_default() {
    let mut upstream = saying_in_turn([BROKEN, OK]).await;
    let gateway = Setup::to(upstream.address).start().await;
    assert_eq!(gateway.send(hello()).await.status, 502);
    upstream.asked().await;
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn temporary_failures_are_retried_with_the_same_rewritten_body() {
    let mut upstream = saying_in_turn([BROKEN, "", OVERLOADED, OK]).await;
    let setup = Setup::to(upstream.address).arguments(["--retries", "3"]);
    let gateway = setup.start().await;
    let answer = gateway.send(hello_to("moonshot/kimi-k3")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-moonshot-rewrites"), Some("model"));
    let first = upstream.asked().await;
    assert!(first.ends_with("\"model\":\"kimi-k3\"}"), "{first}");
    for _ in 0..3 {
        assert_eq!(upstream.asked().await, first);
    }
    gateway.says("attempts=4").await;
    let metrics = gateway.send(get("/metrics")).await.body;
    assert!(metrics.contains("gateway_retries_total 3"), "{metrics}");
}

#[tokio::test]
async fn retries_are_limited_to_their_number() {
    let mut upstream = saying(BROKEN).await;
    let setup = Setup::to(upstream.address).arguments(["--retries", "2"]);
    let gateway = setup.start().await;
    assert_eq!(gateway.send(hello()).await.status, 502);
    for _ in 0..3 {
        upstream.asked().await;
    }
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn failures_that_a_retry_would_not_change_are_not_retried() {
    let later =
        "HTTP/1.1 503 No\r\nretry-after: 31\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let far = "HTTP/1.1 503 No\r\nretry-after: Thu, 31 Dec 2099 23:59:59 GMT\r\n\
               connection: close\r\ncontent-length: 0\r\n\r\n";
    let some_day =
        "HTTP/1.1 503 No\r\nretry-after: soon\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let refused = "HTTP/1.1 400 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    for (answer, status) in [(later, 503), (far, 503), (some_day, 503), (refused, 400)] {
        let mut upstream = saying_in_turn([answer, OK]).await;
        let setup = Setup::to(upstream.address).arguments(["--retries", "3"]);
        let gateway = setup.start().await;
        assert_eq!(gateway.send(hello()).await.status, status, "{answer}");
        upstream.asked().await;
        assert!(upstream.was_asked_nothing(), "{answer}");
    }
    let moonshot = emulated(Emulator::new().fail_first(1, Failure::QuotaExceeded)).await;
    let gateway = Setup::to(moonshot)
        .arguments(["--retries", "3"])
        .start()
        .await;
    assert_eq!(gateway.send(hello()).await.status, 429);
}

#[tokio::test]
async fn a_retry_waits_for_retry_after() {
    let moonshot = emulated(Emulator::new().fail_first(1, Failure::RateLimited)).await;
    let gateway = Setup::to(moonshot)
        .arguments(["--retries", "1"])
        .start()
        .await;
    assert_eq!(gateway.send(hello()).await.status, 200);
    let line = gateway.says("retrying").await;
    let (_, wait) = line.split_once("wait_ms=").unwrap();
    let wait: u64 = wait.trim().parse().unwrap();
    // The second in `Retry-After`, and the backoff with its jitter.
    assert!((1200..=1375).contains(&wait), "{line}");
}

/// `Retry-After` can be a date.
#[tokio::test]
async fn a_retry_after_that_is_a_date_is_understood() {
    // A date in the past, so that the test need not wait.
    let over = "HTTP/1.1 503 No\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n\
                connection: close\r\ncontent-length: 0\r\n\r\n";
    let upstream = saying_in_turn([over, OK]).await;
    let setup = Setup::to(upstream.address).arguments(["--retries", "1"]);
    let gateway = setup.start().await;
    assert_eq!(gateway.send(hello()).await.status, 200);
}

/// Otherwise requests that fail together are retried together.
#[tokio::test]
async fn no_two_requests_wait_equally_long() {
    let upstream = saying(BROKEN).await;
    let setup = Setup::to(upstream.address).arguments(["--retries", "1"]);
    let gateway = setup.start().await;
    for _ in 0..5 {
        assert_eq!(gateway.send(hello()).await.status, 502);
    }
    let log = gateway.output();
    let waits: HashSet<&str> = log
        .lines()
        .filter_map(|line| Some(line.split_once("wait_ms=")?.1))
        .collect();
    // All five are equal by chance once in 10^8 runs: there are 125 milliseconds.
    assert!(waits.len() > 1, "{log}");
}

#[tokio::test]
async fn nothing_is_retried_once_the_response_has_begun() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\ndata";
    let mut upstream = saying_in_turn([half, OK]).await;
    let setup = Setup::to(upstream.address).arguments(["--retries", "3"]);
    let gateway = setup.start().await;
    let answer = gateway.send(hello()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "data"));
    upstream.asked().await;
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn requests_that_are_forwarded_unread_are_not_retried() {
    let mut upstream = saying_in_turn([BROKEN, OK]).await;
    let setup = Setup::to(upstream.address).arguments(["--retries", "3"]);
    let gateway = setup.start().await;
    assert_eq!(gateway.send(post("/v1/files", "", "{}")).await.status, 502);
    upstream.asked().await;
    assert!(upstream.was_asked_nothing());
}

/// The first entry is unreachable and the second has no money left. The third is tried
/// at once.
#[tokio::test]
async fn a_retry_uses_the_next_entry_of_the_name() {
    let quota = "HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-length: 49\r\n\r\n\
                 {\"error\":{\"type\":\"exceeded_current_quota_error\"}}";
    let nobody = nobody().await;
    let mut poor = saying(quota).await;
    let mut rich = saying(OK).await;
    let mut config = "model_list:\n".to_owned();
    for (address, model) in [
        (nobody, "kimi-k3"),
        (poor.address, "kimi-k2.6"),
        (rich.address, "kimi-k2.5"),
    ] {
        config += &format!(
            "- model_name: kimi\n  litellm_params: {{model: moonshot/{model}, api_base: 'http://{address}'}}\n",
        );
    }
    let gateway = Setup::config(&config)
        .arguments(["--retries", "2", "--balance", "round-robin"])
        .start()
        .await;
    assert_eq!(gateway.send(hello_to("kimi")).await.status, 200);
    assert_eq!(poor.asked_json().await["model"], "kimi-k2.6");
    assert_eq!(rich.asked_json().await["model"], "kimi-k2.5");
    let line = gateway.says("attempts=3").await;
    assert!(line.contains(&rich.address.to_string()), "{line}");
    assert_eq!(
        gateway.output().matches("wait_ms=0").count(),
        2,
        "{}",
        gateway.output()
    );
}

/// How long an entry asks to be left alone says nothing about another one.
#[tokio::test]
async fn an_entry_whose_retry_after_is_unreadable_is_left_for_the_next_one() {
    const SOME_DAY: &str = "HTTP/1.1 429 No\r\nretry-after: 1.5\r\nconnection: close\r\n\
                            content-length: 0\r\n\r\n";
    let busy = saying(SOME_DAY).await;
    let mut free = saying(OK).await;
    let mut config = "model_list:\n".to_owned();
    for address in [busy.address, free.address] {
        config += &format!(
            "- model_name: kimi\n  litellm_params: {{model: moonshot/kimi-k3, api_base: 'http://{address}'}}\n",
        );
    }
    let gateway = Setup::config(&config)
        .arguments(["--retries", "1", "--balance", "round-robin"])
        .start()
        .await;
    assert_eq!(gateway.send(hello_to("kimi")).await.status, 200);
    free.asked().await;
}
