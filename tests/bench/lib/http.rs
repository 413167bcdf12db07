//! One kept connection over HTTP/1.1, without anything that would cost time of its own.

use crate::Outcome;
use std::io::{Read, Write};
use std::net::TcpStream;

/// A connection to a server of this machine.
pub(crate) struct Connection {
    stream: TcpStream,
    address: String,
}

/// Head and body of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address: address.to_owned() })
    }

    /// Sends a request with these further header lines, each ended, and waits for the whole answer.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> Outcome<Answer> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request)?;
        self.read_answer()
    }

    fn read_answer(&mut self) -> Outcome<Answer> {
        let mut read = Vec::new();
        let mut chunk = [0; 16 * 1024];
        loop {
            let length = self.stream.read(&mut chunk)?;
            if length == 0 {
                return Err("the connection ended".into());
            }
            read.extend_from_slice(chunk.get(..length).unwrap_or_default());
            let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(read.get(..end).unwrap_or_default()).into_owned();
            let announced = header(&head, "content-length").and_then(|it| it.parse().ok());
            let announced: usize = announced.unwrap_or(0);
            let body = read.get(end + 4..).unwrap_or_default();
            if body.len() >= announced {
                let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
                return Ok(Answer {
                    status: status.ok_or("no status")?,
                    body: body.to_vec(),
                    head,
                });
            }
        }
    }
}

impl Answer {
    /// An answer that is no success is an error.
    pub(crate) fn good(self) -> Outcome<Self> {
        if (200..400).contains(&self.status) {
            return Ok(self);
        }
        Err(format!("{}\n{}", self.head, String::from_utf8_lossy(&self.body)).into())
    }
}

/// The value of a header.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let named = |line: &'a str| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim())
    };
    head.lines().find_map(named)
}
