//! A bad line between gateway and Stripe: it may lose answers, be down, or answer by itself.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How the line is just now.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// Everything passes.
    Good,
    /// Requests to open a session arrive, their answers do not; so many times.
    LosesAnswers(u32),
    /// Every request to open a session is answered so, and Stripe never sees it.
    Answers { status: u16, body: &'static str },
}

pub(crate) struct Proxy {
    pub(crate) url: String,
    line: Arc<Mutex<Line>>,
}

impl Proxy {
    pub(crate) async fn before(stripe: &str, line: Line) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stripe = stripe.strip_prefix("http://").unwrap().to_owned();
        let line = Arc::new(Mutex::new(line));
        let shared = Arc::clone(&line);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, stripe.clone(), Arc::clone(&shared)));
            }
        });
        Self { url, line }
    }

    pub(crate) fn becomes(&self, line: Line) {
        *self.line.lock().unwrap() = line;
    }
}

async fn pass(mut client: TcpStream, stripe: String, line: Arc<Mutex<Line>>) {
    let Some(request) = read_request(&mut client).await else { return };
    let opens_session = request.starts_with(b"POST /v1/checkout/sessions ");
    let now = line.lock().unwrap().clone();
    if let (true, Line::Answers { status, body }) = (opens_session, &now) {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        let _ = client.write_all(answer.as_bytes()).await;
        return;
    }
    let mut server = TcpStream::connect(&stripe).await.unwrap();
    server.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    let _ = server.read_to_end(&mut answer).await;
    if let (true, Line::LosesAnswers(left @ 1..)) = (opens_session, now) {
        *line.lock().unwrap() = Line::LosesAnswers(left - 1);
        return;
    }
    let _ = client.write_all(&answer).await;
}

/// One whole request, changed so that the connection ends after it.
async fn read_request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = client.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
        let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
        });
        let whole = end + 4 + length.unwrap_or(0_usize);
        while bytes.len() < whole {
            let read = client.read(&mut part).await.ok().filter(|read| *read > 0)?;
            bytes.extend_from_slice(&part[..read]);
        }
        let mut request = format!("{head}\r\nconnection: close\r\n\r\n").into_bytes();
        request.extend_from_slice(&bytes[end + 4..whole]);
        return Some(request);
    }
}
