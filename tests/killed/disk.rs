//! A real disk that is nearly full, and then full to the last byte: a small file system in memory, in a
//! name space of the gateway's own, so that nobody needs to be root and nothing stays behind.

use crate::PATIENCE;
use crate::field::Field;
use crate::program;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Size of the disk: the gateway's reserve of 64 MB, and a little more.
const DISK: &str = "size=72m";
/// Serves from the small disk, and takes what stands there home at the end.
const SERVE: &str = r#"
    set -e
    mount -t tmpfs -o "$0" none "$1/disk"
    cp -a "$1/data/." "$1/disk"
    trap 'kill -TERM "$gateway"' TERM
    shift
    "$@" & gateway=$!
    echo "$$" > "$home/pid"
    wait "$gateway" || wait "$gateway"
    cp -a "$home/disk/." "$home/data"
"#;

/// Writes until the file has so many bytes, or the disk takes no more.
fn fill(ballast: &Path, bytes: usize) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(ballast).unwrap();
    let part = [0x55; 4096];
    for _ in 0..bytes.div_ceil(part.len()) {
        match file.write_all(&part) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => return,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_disk_that_fills_up_refuses_first_and_loses_nothing() {
    let field = Field::furnished().await;
    let home = field.home();
    std::fs::create_dir(home.join("disk")).unwrap();
    let gateway = field.serve();
    let hand = field.enrolled().await;
    gateway.stop();
    let mut small = Command::new("unshare");
    small.args(["--user", "--map-root-user", "--mount", "bash", "-c", SERVE, DISK]);
    small.env("home", &home).arg(&home).args([program::binary(), "serve"]);
    let gateway = field.serve_from(small, &home.join("disk"));
    // The disk as the gateway sees it.
    let id = std::fs::read_to_string(home.join("pid")).unwrap();
    let inside = PathBuf::from(format!("/proc/{}/root{}", id.trim(), home.join("disk").display()));
    let ballast = inside.join("ballast");

    let kept = hand.order();
    assert_eq!(hand.submit_once(&kept).await.unwrap().0, 200);
    assert_eq!(field.ready().await.0, 200);
    for (bytes, how_full) in [(10 << 20, "nearly"), (100 << 20, "to the last byte")] {
        fill(&ballast, bytes);
        let refused = hand.order();
        for _ in 0..3 {
            let (status, body) = hand.submit_once(&refused).await.unwrap();
            assert_eq!(status, 503, "{how_full}: {body}");
            assert!(body.contains("disk is nearly full"), "{how_full}: {body}");
        }
        let (status, why) = field.ready().await;
        assert!(status == 503 && why.starts_with("disk: "), "{how_full}: {status} {why}");
        assert_eq!(hand.submit_once(&kept).await.unwrap().0, 503, "nothing is said at all");
    }
    std::fs::remove_file(&ballast).unwrap();
    let begun = Instant::now();
    while field.ready().await.0 != 200 {
        assert!(begun.elapsed() < PATIENCE, "never ready again");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let later = hand.order();
    for order in [&kept, &later] {
        assert_eq!(hand.submit_once(order).await.unwrap().0, 200);
    }
    gateway.stop();
    assert_eq!(field.count("SELECT COUNT(*) FROM payments").await, 2);
    field.is_whole().await;
}
