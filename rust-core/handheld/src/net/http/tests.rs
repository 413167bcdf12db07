//! The real client against a few lines of server.

use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Answers one request with these bytes, and gives back what it read.
fn serve(answer: Vec<u8>) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = read_request(&mut stream);
        // The client may hang up in the middle of an answer that is too long.
        let _ = stream.write_all(&answer);
        request
    });
    (url, server)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(request).unwrap()
}

fn request(url: String) -> Request {
    let headers = vec![("authorization", "Bearer t".to_owned())];
    let (body, trust) = (Vec::new(), Trust::Public);
    Request { method: HttpMethod::Get, url, trust, headers, body, timeout_ms: 1_000 }
}

async fn exchange(url: String) -> Result<Response, TransportFault> {
    HttpNetwork::new("1.0 (β)", "fr").unwrap().exchange(request(url)).await
}

#[tokio::test]
async fn an_answer_comes_back_with_what_the_engine_needs() {
    let (url, server) =
        serve(b"HTTP/1.1 503 x\r\nretry-after: 7\r\ncontent-length: 2\r\n\r\nno".to_vec());
    let response = exchange(format!("{url}/api")).await.unwrap();
    assert_eq!((response.status, response.retry_after_s), (503, Some(7)));
    assert_eq!(response.body.as_slice(), b"no");
    let request = server.join().unwrap().to_lowercase();
    for line in ["get /api http/1.1", "authorization: bearer t", "accept-language: fr"] {
        assert!(request.contains(line), "{line}");
    }
    assert!(request.contains("user-agent: holdfast-handheld/1.0()"));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = "HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (url, _server) = serve(elsewhere.as_bytes().to_vec());
    assert_eq!(exchange(url).await.unwrap().status, 307);
}

#[tokio::test]
async fn ten_megabytes_are_not_read() {
    let mut answer = b"HTTP/1.1 200 x\r\ncontent-length: 10485760\r\n\r\n".to_vec();
    answer.resize(10 * 1024 * 1024, b'a');
    let (url, _server) = serve(answer);
    assert_eq!(exchange(url).await, Err(TransportFault::TooLarge));
}

#[tokio::test]
async fn an_answer_cut_short_is_none() {
    let (url, _server) = serve(b"HTTP/1.1 200 x\r\ncontent-length: 10\r\n\r\n{".to_vec());
    assert_eq!(exchange(url).await, Err(TransportFault::Unreachable));
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_plain_http_elsewhere_is_refused() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(exchange(format!("http://{closed}/")).await, Err(TransportFault::Unreachable));
    let refused = exchange("http://gateway.example/".to_owned()).await;
    assert_eq!(refused, Err(TransportFault::AddressRefused));
}
