//! `holdfast sandbox trigger` and `listen` beside a running `holdfast sandbox`, each a process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod program;

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ChildStdout;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use program::{Running, failed, holdfast, said};

/// The longest wait for anything, on a machine that also compiles.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A merchant's endpoint that takes one delivery with this status, and is gone again.
fn take_one(address: SocketAddr, status: u16) -> (SocketAddr, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    let (told, heard) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut signature, mut length, mut line) = (String::new(), 0, String::new());
        while reader.read_line(&mut line).unwrap() > 2 {
            let (name, value) = line.trim_end().split_once(": ").unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "stripe-signature" => signature = value.to_owned(),
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let answer =
            format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).unwrap();
        told.send((signature, body)).unwrap();
    });
    (address, heard)
}

/// Whether a delivery is signed as Stripe's page "Webhooks" says, by hand and not by our own code.
fn is_signed(signature: &str, body: &[u8], secret: &str) -> bool {
    let parts: Vec<(&str, &str)> =
        signature.split(',').map(|part| part.split_once('=').unwrap()).collect();
    let signed_at = parts.iter().find(|(name, _)| *name == "t").unwrap().1;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now_s.abs_diff(signed_at.parse().unwrap()) < 300);
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{signed_at}.").as_bytes());
    mac.update(body);
    let right = HEXLOWER.encode(&mac.finalize().into_bytes());
    parts.contains(&("v1", right.as_str()))
}

/// What a listener prints, line by line.
struct Printed(Lines<BufReader<ChildStdout>>);

impl Printed {
    fn next(&mut self) -> String {
        self.0.next().unwrap().unwrap()
    }
}

#[test]
fn what_is_triggered_is_printed_and_forwarded_with_a_signature_that_verifies() {
    let (sandbox, at) = Running::start(holdfast(&["sandbox", "--listen", "127.0.0.1:0"]));
    let (merchant, heard) = take_one("127.0.0.1:0".parse().unwrap(), 200);
    let hook = format!("http://{merchant}/hook");
    let only = "payment_intent.succeeded,charge.refunded";
    let listen = ["sandbox", "listen", "--forward-to", &hook, "--events", only, "--sandbox", &at];
    let (listener, listens_to, lines) = Running::start_talking(holdfast(&listen));
    assert_eq!(listens_to, at);
    let mut printed = Printed(lines);
    let ready = printed.next();
    let secret = ready.split_whitespace().find(|word| word.starts_with("whsec_")).unwrap();
    assert!(ready.starts_with("> Ready!"), "{ready}");

    let trigger = |kind: &str| {
        let output = holdfast(&["sandbox", "trigger", kind, "--sandbox", &at]).output().unwrap();
        let made = said(&output);
        let line = made.lines().find(|line| line.starts_with(&format!("{kind} ["))).unwrap();
        line.split_once(" [").unwrap().1.trim_end_matches(']').to_owned()
    };
    let paid = trigger("payment_intent.succeeded");
    let (signature, body) = heard.recv_timeout(WAIT_MAX).unwrap();
    assert!(is_signed(&signature, &body, secret) && !is_signed(&signature, &body, "whsec_another"));
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&event["id"], &event["type"]),
        (&paid.as_str().into(), &"payment_intent.succeeded".into())
    );
    assert_eq!(printed.next(), format!("  --> payment_intent.succeeded [{paid}]"));
    assert_eq!(printed.next(), format!("  <-- [200] POST {hook} [{paid}]"));

    // Nobody is at the address any more: the listener says so and goes on.
    let lost = trigger("payment_intent.succeeded");
    assert_eq!(printed.next(), format!("  --> payment_intent.succeeded [{lost}]"));
    let refused = printed.next();
    assert!(refused.starts_with(&format!("  <-- [failed] POST {hook} [{lost}]")), "{refused}");
    for status in [500, 200] {
        let (_, heard) = take_one(merchant, status);
        let back = trigger("charge.refunded");
        heard.recv_timeout(WAIT_MAX).unwrap();
        // The payment before the refund was asked for as well.
        let told: Vec<String> = (0..4).map(|_| printed.next()).collect();
        assert!(told.contains(&format!("  --> charge.refunded [{back}]")), "{told:?}");
        let answered = told.iter().filter(|line| line.contains(&format!("[{status}]"))).count();
        assert_eq!(answered, 1, "{told:?}");
    }
    listener.stop();
    sandbox.stop();
}

#[test]
fn what_cannot_be_done_is_said_in_one_line() {
    let (sandbox, at) = Running::start(holdfast(&["sandbox", "--listen", "127.0.0.1:0"]));
    let unknown =
        holdfast(&["sandbox", "trigger", "moon.full", "--sandbox", &at]).output().unwrap();
    let unknown = failed(&unknown);
    assert!(unknown.contains("payment_intent.succeeded"), "it names what there is: {unknown}");
    let known = said(&holdfast(&["sandbox", "trigger", "--list"]).output().unwrap());
    assert!(known.lines().any(|line| line == "checkout.session.completed"));
    sandbox.stop();
    for lever in [&["trigger", "charge.refunded"][..], &["listen"]] {
        let args = [&["sandbox"], lever, &["--sandbox", &at]].concat();
        let gone = failed(&holdfast(&args).output().unwrap());
        assert!(gone.contains(&at) && gone.contains("holdfast sandbox --listen"), "{gone}");
    }
}
