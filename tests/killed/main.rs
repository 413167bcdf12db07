//! The real program, as an operator runs it. It is killed at random moments under load, and the disk fills
//! up: nothing that was acknowledged is lost, and nothing is done twice. And what it tells of itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod desk;
mod disk;
mod doubled;
mod field;
mod nodes;
mod program;
mod stopped;
mod told;

use field::{Field, Work};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Kills in the test; `HOLDFAST_KILLS` asks for more.
const KILLS: u32 = 24;
/// Answers between two kills, at the most.
const ANSWERS_BETWEEN_MAX: u64 = 40;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_under_load_it_loses_and_doubles_nothing() {
    let kills = std::env::var("HOLDFAST_KILLS").ok().and_then(|text| text.parse().ok());
    let field = Field::furnished().await;
    let mut gateway = field.serve();
    let work = Work::begin(&field).await;
    for _ in 0..kills.unwrap_or(KILLS) {
        let until = work.answers.load(Ordering::SeqCst) + 1 + random() % ANSWERS_BETWEEN_MAX;
        let begun = Instant::now();
        while work.answers.load(Ordering::SeqCst) < until {
            assert!(begun.elapsed() < PATIENCE, "the load stands still");
            tokio::time::sleep(Duration::from_millis(random() % 5)).await;
        }
        // SIGKILL: no handler runs, nothing is flushed.
        gateway.kill();
        gateway = field.serve();
    }
    let promised = work.end().await;
    assert!(promised.orders.len() >= 20, "too little load: {}", promised.orders.len());
    field.until_settled(&promised, PATIENCE).await;
    gateway.stop();
    field.prove(&promised).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_before_it_acknowledges_and_loses_nothing() {
    let field = Field::furnished().await;
    let gateway = field.serve();
    let hand = field.enrolled().await;
    gateway.stop();
    // No file may grow beyond this: the write-ahead log hits it after a few payments.
    let limit_kib = field.database_kib() + 64;
    let mut limited = Command::new("bash");
    let serve = "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"";
    limited.args(["-c", serve, &limit_kib.to_string(), program::binary(), "serve"]);
    let gateway = field.serve_as(limited);
    let (mut acknowledged, mut refused) = (Vec::new(), None);
    for _ in 0..400 {
        let order = hand.order();
        let (status, body) = hand.submit_once(&order).await.unwrap();
        if status == 200 {
            acknowledged.push(order);
        } else {
            assert_eq!(status, 503, "{body}");
            assert!(body.contains("unavailable"), "{body}");
            refused = Some(order);
            break;
        }
    }
    let refused = refused.expect("the disk never was full");
    assert!(!acknowledged.is_empty());
    gateway.stop();
    // Room is made: the same bytes again are taken.
    let gateway = field.serve();
    assert_eq!(hand.submit_once(&refused).await.unwrap().0, 200);
    let stored = field.count("SELECT COUNT(*) FROM payments").await;
    assert_eq!(usize::try_from(stored).unwrap(), acknowledged.len() + 1);
    for order in &acknowledged {
        assert_eq!(hand.submit_once(order).await.unwrap().0, 200, "it answers as before");
    }
    assert_eq!(field.count("SELECT COUNT(*) FROM payments").await, stored);
    gateway.stop();
    field.is_whole().await;
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_be_bytes(bytes)
}
