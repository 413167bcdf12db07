//! Two gateway processes on one data folder: the second refuses to start, in a sentence that helps, and
//! the first goes on as if nothing had been.

use crate::PATIENCE;
use crate::field::{Field, Work};
use crate::program;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What a process that does not start says, and how it ends.
fn refused(folder: &Path) -> String {
    let mut second = program::holdfast(&["serve", "--listen", "127.0.0.1:0", "--data"]);
    let ended = second.arg(folder).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stdout.is_empty(), "it says that it listens");
    String::from_utf8(ended.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_on_a_folder_refuses_and_the_first_makes_one_order_of_each_payment() {
    let field = Field::furnished().await;
    let first = field.serve();
    let work = Work::begin(&field).await;
    // The same folder by another name is the same folder.
    let elsewhere = tempfile::tempdir().unwrap();
    let by_link = elsewhere.path().join("data");
    symlink(field.data(), &by_link).unwrap();
    for round in 1..=3_u64 {
        let begun = Instant::now();
        while work.answers.load(Ordering::SeqCst) < round * 10 {
            assert!(begun.elapsed() < PATIENCE, "the load stands still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for folder in [field.data(), by_link.clone()] {
            let said = refused(&folder);
            for part in
                ["another gateway process serves this folder", "Stop it first", "one process"]
            {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
    }
    let promised = work.end().await;
    field.until_settled(&promised, PATIENCE).await;
    // However the first one ends, the folder is free at once.
    first.kill();
    let second = field.serve();
    field.until_settled(&promised, PATIENCE).await;
    second.stop();
    field.prove(&promised).await;
}
