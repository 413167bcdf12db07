//! Spoils good requests, seeded: the same seed spoils in the same ways.

use super::request::{Payload, Request};
use serde_json::{Value, json};

/// A small generator (SplitMix64): enough to choose with, and the same on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Markup that must never be found raw in a page: elements, and the end of an attribute.
pub(crate) const RAW_MARKUP: [&str; 2] = ["<zq", "zq\"zq"];

/// Texts that mean something else to somebody: a database, a browser, a spreadsheet, a parser.
const TEXTS: &[&[u8]] = &[
    b"",
    b" ",
    b"' OR '1'='1",
    b"'; DROP TABLE payments; --",
    b"\" OR 1=1 --",
    b"%",
    b"_",
    b"\\",
    b"<zq onload=zq>",
    b"\"><zq>",
    b"zq\"zq",
    b"' onzq='zq",
    b"</title><zq>",
    b"javascript:zq",
    b"=HYPERLINK(\"http://zq\",\"zq\")",
    b"+1+1",
    b"-2",
    b"@SUM(A1)",
    b"\t=1",
    b"\r\nset-cookie: zq=1",
    b"a\0b",
    b"\0",
    b"\xFF\xFE",
    b"\xC0\xAE\xC0\xAE/",
    b"\xED\xA0\x80",
    "\u{202E}gnp.zq".as_bytes(),
    "\u{feff}".as_bytes(),
    "e\u{301}\u{1F4B3}".as_bytes(),
    b"../../etc/passwd",
    b"..%2f..%2f",
    b"${jndi:zq}",
    b"{{7*7}}",
    b"%s%n%x",
    b"0",
    b"-1",
    b"1.5",
    b"1e309",
    b"NaN",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"4294967296",
    b"999999999999.99",
    b"0x10",
    b"true",
    b"null",
    b"other",
    b"F-7042",
    b"2",
    b"live",
    b"USD",
    b"2026-02-30",
    b"\xE2\x80\x8B",
];

pub(crate) fn text(dice: &mut Dice) -> Vec<u8> {
    match dice.below(8) {
        0 => vec![*dice.pick(b"A0 %<\xFF"); 1 + dice.below(9_000)],
        1 => (0..dice.below(24)).map(|_| u8::try_from(dice.below(256)).unwrap()).collect(),
        _ => dice.pick(TEXTS).to_vec(),
    }
}

/// Headers with values that somebody might believe.
const HEADERS: &[(&str, &[&[u8]])] = &[
    (
        "host",
        &[
            b"evil.example.org",
            b"LOCALHOST.",
            b"localhost@evil",
            b"localhost:99999",
            b"[::1",
            b"",
            b"a b",
            b"\xFF",
            b"127.0.0.1:1, evil.example.org",
        ],
    ),
    (
        "x-forwarded-for",
        &[
            b"",
            b",",
            b"192.0.2.7",
            b"::1",
            b"[2001:db8::7]:4711",
            b"unknown",
            b"\xFF",
            b"1.2.3.4,5.6.7.8,127.0.0.1",
            b"999.999.999.999",
            b"127.0.0.1,127.0.0.1,127.0.0.1",
        ],
    ),
    (
        "forwarded",
        &[b"for=192.0.2.7", b"for=\"[::1]:1\";proto=http;by=_zq", b"for=", b";;;,,,", b"\xFF"],
    ),
    (
        "stripe-signature",
        &[
            b"",
            b"t=1",
            b"t=,v1=",
            b"t=1,v1=00",
            b"t=99999999999999999999,v1=00",
            b"v1=00,v1=00,v1=00,t=-1",
            b"\xFF",
        ],
    ),
    (
        "content-type",
        &[
            b"",
            b"text/plain",
            b"application/json",
            b"application/cose",
            b"multipart/form-data",
            b"application/x-www-form-urlencoded; charset=utf-7",
            b"application/json; charset=utf-16",
            b"\xFF",
        ],
    ),
    ("content-length", &[b"-1", b"x", b"", b"99999999999999999999", b"5, 6", b"0x10", b"+5"]),
    ("transfer-encoding", &[b"chunked", b"identity", b"gzip, chunked", b"zq"]),
    (
        "cookie",
        &[
            b"holdfast_office=",
            b"holdfast_office=zq; holdfast_office=zq2",
            b"=;=;=",
            b"\xFF",
            b"__Host-holdfast_office=zq",
        ],
    ),
    (
        "authorization",
        &[b"", b"Bearer", b"Bearer ", b"Bearer zq", b"Basic enE6enE=", b"\xFF", b"Bearer \xFF"],
    ),
    ("accept-language", &[b"", b"fr;q=zq", b"*", b"\xFF", b"en-US,en;q=0.9,<zq>;q=0.8"]),
    ("range", &[b"bytes=0-0", b"bytes=-1", b"bytes=9-1", b"zq", b"bytes=0-,0-,0-,0-"]),
    ("idempotency-key", &[b"", b"zq", b"\xFF"]),
    ("signature", &[b"", b"sig1=::", b"sig1=:AAAA:", b"zq", b"\xFF"]),
    ("signature-input", &[b"", b"sig1=()", b"sig1=(\"@method\");created=zq", b"\xFF"]),
    ("origin", &[b"null", b"http://evil.example.org", b"\xFF"]),
    ("last-event-id", &[b"", b"-1", b"18446744073709551615", b"zq"]),
    ("x-request-id", &[b"0123456789abcdef", b"<zq>", b"\xFF"]),
    ("x-http-method-override", &[b"DELETE"]),
    ("if-none-match", &[b"*", b"\"zq\""]),
    ("expect", &[b"100-continue", b"zq"]),
    ("upgrade", &[b"h2c", b"websocket"]),
    ("accept-encoding", &[b"gzip;q=zq", b"*"]),
];

/// Headers that change what the message is: the gateway may hang up on them.
const FRAMING: [&str; 4] = ["content-length", "transfer-encoding", "expect", "upgrade"];

/// What was done to a request, for whoever reads of a failure.
#[derive(Debug)]
pub(crate) struct Spoiled {
    pub(crate) how: String,
    /// False if the message was framed so that no answer is due.
    pub(crate) must_answer: bool,
}

/// Spoils one thing.
pub(crate) fn spoil(request: &mut Request, dice: &mut Dice) -> Spoiled {
    let said = |how: String| Spoiled { how, must_answer: true };
    let fields = match &request.payload {
        Payload::Form(fields) => fields.len(),
        Payload::Json(value) => leaves(value),
        Payload::None => 0,
        Payload::Raw { .. } => 2,
    };
    let (parts, queries) = (request.parts.len(), request.query.len());
    // Each field is as likely as each part of the address, and as one kind of header.
    let places = parts + queries + 2 * fields + 3;
    let place = dice.below(places);
    if place < parts {
        let (name, value) = &mut request.parts[place];
        *value = text(dice);
        return said(format!("part {name} = {:?}", String::from_utf8_lossy(value)));
    }
    if place < parts + queries {
        return said(spoil_pairs(&mut request.query, dice));
    }
    if place < parts + queries + 2 * fields {
        return said(spoil_payload(&mut request.payload, dice));
    }
    let (name, values) = dice.pick(HEADERS);
    let value =
        if dice.below(5) == 0 { header_safe(text(dice)) } else { dice.pick(values).to_vec() };
    let how = format!("header {name} = {:?}", String::from_utf8_lossy(&value));
    if dice.below(3) > 0 {
        request.headers.retain(|(known, _)| known != name);
    }
    request.headers.push(((*name).to_owned(), value));
    Spoiled { how, must_answer: !FRAMING.contains(name) }
}

/// Without line ends, which would begin another header and not spoil this one.
fn header_safe(text: Vec<u8>) -> Vec<u8> {
    text.into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
}

fn spoil_pairs(pairs: &mut Vec<(String, Vec<u8>)>, dice: &mut Dice) -> String {
    let at = dice.below(pairs.len());
    match dice.below(8) {
        0 => format!("without {}", pairs.remove(at).0),
        1 => {
            let twice = pairs[at].clone();
            let how = format!("{} twice", twice.0);
            pairs.push((twice.0, text(dice)));
            how
        }
        2 => {
            pairs.push((String::from_utf8_lossy(&text(dice)).into_owned(), text(dice)));
            "a field more".to_owned()
        }
        _ => {
            let (name, value) = &mut pairs[at];
            *value = text(dice);
            format!("{name} = {:?}", String::from_utf8_lossy(value))
        }
    }
}

fn spoil_payload(payload: &mut Payload, dice: &mut Dice) -> String {
    match payload {
        Payload::None => "nothing".to_owned(),
        Payload::Form(fields) if fields.is_empty() => "nothing".to_owned(),
        Payload::Form(fields) => spoil_pairs(fields, dice),
        Payload::Json(value) => {
            let at = dice.below(leaves(value));
            let with = json_value(dice);
            let how = format!("JSON leaf {at} = {with}");
            set_leaf(value, &mut { at }, &with);
            how
        }
        Payload::Raw { bytes, signed } => {
            *signed = dice.below(2) == 0;
            match dice.below(4) {
                0 => *bytes = text(dice),
                1 => bytes.truncate(dice.below(bytes.len())),
                _ => {
                    for _ in 0..=dice.below(4) {
                        let at = dice.below(bytes.len());
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte ^= u8::try_from(1 + dice.below(255)).unwrap();
                        }
                    }
                }
            }
            format!("bytes {:?}", String::from_utf8_lossy(bytes))
        }
    }
}

fn json_value(dice: &mut Dice) -> Value {
    match dice.below(9) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(i64::MAX),
        3 => json!(i64::MIN),
        4 => json!(-1),
        5 => json!({ "zq": {} }),
        6 => json!(vec![Value::Array(Vec::new()); 1 + dice.below(2_000)]),
        _ => Value::String(String::from_utf8_lossy(&text(dice)).into_owned()),
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(all) => all.iter().map(leaves).sum::<usize>().max(1),
        Value::Object(all) => all.values().map(leaves).sum::<usize>().max(1),
        _ => 1,
    }
}

/// Puts another value in the place of the leaf that is so many leaves away.
fn set_leaf(value: &mut Value, away: &mut usize, with: &Value) {
    let here = leaves(value);
    match value {
        _ if *away >= here => *away -= here,
        Value::Array(all) if !all.is_empty() => {
            for inner in all {
                let before = *away;
                let size = leaves(inner);
                set_leaf(inner, away, with);
                if before < size {
                    return;
                }
            }
        }
        Value::Object(all) if !all.is_empty() => {
            for inner in all.values_mut() {
                let before = *away;
                let size = leaves(inner);
                set_leaf(inner, away, with);
                if before < size {
                    return;
                }
            }
        }
        leaf => *leaf = with.clone(),
    }
}
