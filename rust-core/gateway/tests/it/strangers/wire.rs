//! HTTP/1.1 as it stands on the wire: a client that spells out what a well-bred one refuses to send.

use crate::world::World;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long an answer may take: longer than a payer waits for Stripe.
const PATIENCE: Duration = Duration::from_secs(50);
/// How long of a stream is read: its first words.
const STREAM_READ: Duration = Duration::from_millis(150);
/// As much of an answer as is read, in bytes: more than any page or export here has.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One request, to the byte.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.into(), target: target.into(), headers: vec![], body: vec![] }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn has(&self, wanted: &str) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    }

    fn bytes(&self, host: &str) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        if !self.has("host") {
            line("host", host.as_bytes());
        }
        line("connection", b"close");
        if !self.has("content-length") && !self.has("transfer-encoding") {
            line("content-length", self.body.len().to_string().as_bytes());
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The answer; none if the gateway hung up without one.
    pub(crate) async fn send(&self, world: &World) -> Option<Reply> {
        let host = world.url("").strip_prefix("http://").unwrap().to_owned();
        let mut stream = TcpStream::connect(&host).await.unwrap();
        // A gateway that refuses early hangs up while we still write.
        let _ = stream.write_all(&self.bytes(&host)).await;
        let mut read = Vec::new();
        let whole = async {
            let mut part = vec![0; 64 * 1024];
            loop {
                let is_stream = find(&read, b"text/event-stream").is_some();
                let next = stream.read(&mut part);
                let got = match is_stream {
                    false => next.await,
                    true => match tokio::time::timeout(STREAM_READ, next).await {
                        Ok(got) => got,
                        Err(_) => return,
                    },
                };
                match got {
                    Ok(0) | Err(_) => return,
                    Ok(length) => read.extend_from_slice(&part[..length]),
                }
                assert!(read.len() < ANSWER_BYTES_MAX, "an endless answer to {self:?}");
            }
        };
        let late = tokio::time::timeout(PATIENCE, whole).await.is_err();
        assert!(!late, "no answer in time to {} {}", self.method, self.target);
        Reply::read(&read)
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

impl Reply {
    fn read(bytes: &[u8]) -> Option<Self> {
        // "Go on" is no answer yet.
        let bytes = bytes.strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(bytes);
        let end = find(bytes, b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of plain text");
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head, body: bytes[end + 4..].to_vec() })
    }

    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn contains(&self, part: &str) -> bool {
        find(&self.body, part.as_bytes()).is_some() || self.head.contains(part)
    }
}
