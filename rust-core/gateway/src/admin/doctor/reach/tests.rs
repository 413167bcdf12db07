//! Real listeners at the other end, one for each way in which a webhook is not reached.

use super::*;
use crate::admin::Health;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const DAY_S: i64 = 24 * 60 * 60;

/// Listens and answers every request so; its port.
async fn answering(answer: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

/// What the doctor says of it.
async fn said(address: &str) -> (Health, String) {
    let found = told(0, address, &way_to(address, "").await);
    (found[0].health, found[0].words.clone())
}

#[tokio::test]
async fn each_wrong_answer_says_what_to_change() {
    let ours = format!("{{\"code\":\"malformed\",\"message\":\"{OUR_WORD}\"}}");
    for (status, headers, body, health, words) in [
        ("400 Bad Request", "", ours.as_str(), Health::Good, "it answers on this machine"),
        ("400 Bad Request", "", "bad", Health::Bad, "another program"),
        ("200 OK", "", "hello", Health::Bad, "another program"),
        (
            "301 Moved",
            "location: https://pay.example.org/x\r\n",
            "",
            Health::Bad,
            "redirects to https://pay",
        ),
        ("404 Not Found", "", "", Health::Bad, "let the proxy pass /api/ on"),
        ("421 Misdirected Request", "", "", Health::Bad, "register the name with --host"),
        ("403 Forbidden", "", "", Health::Bad, "a login or a filter"),
        ("502 Bad Gateway", "", "", Health::Bad, "nothing answers behind it"),
    ] {
        let port = answering(answer(status, headers, body)).await;
        let (found, told) =
            said(&format!("http://127.0.0.1:{port}/api/demo/qr/payment/webhook")).await;
        assert!(found == health && told.contains(words), "{status}: {told}");
    }
}

#[tokio::test]
async fn a_name_that_leads_nowhere_and_a_port_where_nobody_is_are_told_apart() {
    let (health, words) = said("https://nowhere.invalid/x").await;
    assert!(health == Health::Bad && words.contains("DNS"), "{words}");
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let (health, words) = said(&format!("https://localhost:{port}/x")).await;
    assert!(health == Health::Bad && words.contains("refused"), "{words}");
    let (health, words) = said(&format!("http://127.0.0.1:{port}/x")).await;
    assert!(health == Health::Advice && words.contains("holdfast serve"), "{words}");
}

async fn with_certificate(until: (i32, u8, u8), name: &str) -> u16 {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(until.0, until.1, until.2);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let (acceptor, listener) =
        (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    port
}

#[tokio::test]
async fn a_certificate_that_nobody_public_has_signed_is_named() {
    let port = with_certificate((2099, 1, 1), "localhost").await;
    let (health, words) = said(&format!("https://localhost:{port}/x")).await;
    assert!(health == Health::Bad && words.contains("nobody public has signed it"), "{words}");
    // What speaks no TLS at all.
    let port = answering(answer("400 Bad Request", "", "")).await;
    let (health, words) = said(&format!("https://localhost:{port}/x")).await;
    assert!(health == Health::Bad && words.contains("the connection breaks"), "{words}");
}

#[test]
fn a_certificate_is_renewed_in_time_or_the_doctor_says_so() {
    let until_s = 1_795_392_000;
    let validity = Validity { from_s: 0, until_s };
    for (days, health) in [
        (30, Health::Good),
        (14, Health::Good),
        (13, Health::Bad),
        (0, Health::Bad),
        (-5, Health::Bad),
    ] {
        let now_ms = (until_s - days * DAY_S) * 1000;
        let found = told(now_ms, "https://pay.example.org/x", &Way::Through(Some(validity)));
        assert_eq!(found[1].health, health, "{days}: {}", found[1].words);
        assert!(found[1].words.contains("23 Nov 2026"), "{}", found[1].words);
    }
    for (why, words) in [
        (rustls::CertificateError::Expired, "expired; renew"),
        (rustls::CertificateError::NotValidForName, "another name"),
    ] {
        let found = told(0, "https://a", &Way::Certificate(in_words(&why)));
        assert!(found[0].words.contains(words), "{}", found[0].words);
    }
}
