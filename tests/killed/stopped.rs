//! SIGTERM to a real process: what it has begun it finishes, and then it ends well.

use crate::PATIENCE;
use crate::field::Field;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_half_sent_at_sigterm_is_taken_and_answered() {
    let field = Field::furnished().await;
    let gateway = field.serve();
    let hand = field.enrolled().await;
    let body = hand.order().to_bytes();
    let mut stream = TcpStream::connect(field.listen()).await.unwrap();
    let head = format!(
        "POST /api/demo/orders HTTP/1.1\r\nhost: {}\r\ncontent-type: application/cose\r\n\
         content-length: {}\r\n\r\n",
        field.listen(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (first, rest) = body.split_at(body.len() / 2);
    stream.write_all(first).await.unwrap();
    // Another connection is answered, so ours was accepted before it.
    assert_eq!(field.http().get(field.url("/health")).send().await.unwrap().status(), 200);
    gateway.terminate();
    let begun = Instant::now();
    while TcpStream::connect(field.listen()).await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "it still takes new connections");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stream.write_all(rest).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    gateway.ended_well();
    assert_eq!(field.count("SELECT COUNT(*) FROM payments").await, 1);
    field.is_whole().await;
}
