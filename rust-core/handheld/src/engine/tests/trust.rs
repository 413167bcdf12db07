//! A gateway with a private CA: what is trusted, from the enrolment on.

use super::bench::Bench;
use super::fixture;
use super::gateway::{Gateway, json};
use super::session::{LINK, enrol_response};
use crate::engine::{Call, Reply, Trust};
use crate::error::EnrolError;
use data_encoding::BASE64URL_NOPAD;
use holdfast_protocol::ca_pin::CA_BYTES_MAX;
use holdfast_protocol::wire::EnrolResponse;
use holdfast_protocol::{CaPin, EnrolmentLink};

const CA: &[u8] = b"the certificate of a CA";

fn begin(bench: &mut Bench, pinned: Option<&[u8]>) -> crate::engine::Caller {
    let link = EnrolmentLink::parse(LINK).unwrap();
    bench.call(Call::Enrol(EnrolmentLink { ca: pinned.map(CaPin::of), ..link }))
}

fn with_ca(ca: Option<&[u8]>) -> EnrolResponse {
    EnrolResponse { ca: ca.map(|ca| BASE64URL_NOPAD.encode(ca)), ..enrol_response() }
}

#[test]
fn the_enrolment_trusts_the_pin_and_everything_after_it_the_certificate() {
    let mut bench = Bench::new(Vec::new());
    let caller = begin(&mut bench, Some(CA));
    assert_eq!(bench.sent[0].1.trust, Trust::Pinned(CaPin::of(CA)));
    bench.answer(0, Ok(json(200, &with_ca(Some(CA)))));
    assert_eq!(bench.reply(caller), Some(&Reply::Enrol(Ok(()))));
    bench.serve(&mut Gateway::new());
    bench.held();
    assert!(!bench.sent.is_empty(), "it polls, or sends the order");
    for (_, request) in &bench.sent {
        assert_eq!(request.trust, Trust::Own(CA.to_vec()), "{request:?}");
    }
}

#[test]
fn another_ca_than_the_pinned_one_or_none_is_not_believed() {
    let long = vec![0; CA_BYTES_MAX + 1];
    for (pinned, answered) in [(CA, Some(b"another".as_slice())), (CA, None), (&long, Some(&long))]
    {
        let mut bench = Bench::new(Vec::new());
        let caller = begin(&mut bench, Some(pinned));
        bench.answer(0, Ok(json(200, &with_ca(answered))));
        let host = "gateway.example".to_owned();
        let refused = Err(EnrolError::CertificateUntrusted { host });
        assert_eq!(bench.reply(caller), Some(&Reply::Enrol(refused)));
        assert!(bench.disk.is_empty());
    }
}

#[test]
fn without_a_pin_the_public_roots_stay_whatever_the_gateway_offers() {
    let mut bench = Bench::new(Vec::new());
    begin(&mut bench, None);
    bench.answer(0, Ok(json(200, &with_ca(Some(CA)))));
    assert!(bench.sent.iter().all(|(_, sent)| sent.trust == Trust::Public));
    assert_eq!(bench.engine.durable().trust_of(fixture::GATEWAY_URL), Trust::Public);
}

#[test]
fn a_pin_without_tls_is_no_link() {
    let mut bench = Bench::new(Vec::new());
    let text = format!("http://127.0.0.1:80/e/demo/AB12-CD34/{}", CaPin::of(CA));
    let caller = bench.call(Call::Enrol(EnrolmentLink::parse(&text).unwrap()));
    assert_eq!(bench.reply(caller), Some(&Reply::Enrol(Err(EnrolError::LinkInvalid))));
    assert!(bench.sent.is_empty());
}
