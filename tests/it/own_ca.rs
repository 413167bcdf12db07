//! A gateway on a private network, whose certificate only a CA of its own vouches for.

use crate::field::Field;
use crate::world::{World, tenant};
use holdfast_domain::PaymentState;
use holdfast_gateway::{TlsFiles, admin};
use holdfast_handheld::{EnrolError, RefreshError};
use holdfast_protocol::{CaPin, EnrolmentLink};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::path::PathBuf;
use tempfile::TempDir;

/// A made-up CA, and a certificate that it signed for this machine.
struct OwnCa {
    folder: TempDir,
    pin: CaPin,
}

impl OwnCa {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let ca_key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("a certificate");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).expect("a CA");
        let key = KeyPair::generate().expect("a key");
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a certificate");
        let server = server.signed_by(&key, &Issuer::new(params, ca_key)).expect("signed");
        let files =
            [("ca.pem", ca.pem()), ("cert.pem", server.pem()), ("key.pem", key.serialize_pem())];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        Self { pin: CaPin::of(ca.der()), folder }
    }

    fn tls(&self) -> (TlsFiles, PathBuf) {
        let file = |name: &str| self.folder.path().join(name);
        (TlsFiles { certificate: file("cert.pem"), key: file("key.pem") }, file("ca.pem"))
    }
}

async fn link(world: &World) -> EnrolmentLink {
    let code = admin::handheld_code(world.data(), &tenant(), None, true).await.expect("a code");
    EnrolmentLink::parse(&code.link).expect("a link")
}

fn untrusted() -> EnrolError {
    EnrolError::CertificateUntrusted { host: "127.0.0.1".to_owned() }
}

/// The port differs from run to run.
fn without_port(error: EnrolError) -> EnrolError {
    match error {
        EnrolError::CertificateUntrusted { host } => EnrolError::CertificateUntrusted {
            host: host.split(':').next().unwrap_or_default().to_owned(),
        },
        other => other,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handheld_enrols_holds_and_syncs_under_the_ca_of_its_link_and_no_other() {
    let ours = OwnCa::new();
    let world = World::with_tls(ours.tls()).await;
    let link = link(&world).await;
    assert_eq!(link.ca, Some(ours.pin));
    let field = Field::new();
    field.core.enrol(link.to_string()).await.expect("enrolled");
    field.core.refresh().await.expect("configured");
    let first = field.hold().await;
    field.until(&first.payment_id, PaymentState::Sent).await;

    // The same address, the same data, a certificate by somebody else.
    let theirs = OwnCa::new();
    let world = world.restarted_with_tls(theirs.tls()).await;
    let second = field.hold().await;
    assert_eq!(field.core.refresh().await, Err(RefreshError::CertificateUntrusted));
    assert_eq!(field.payment(&second.payment_id).state, PaymentState::Queued);
    // What is trusted is on disk, and outlives the process.
    let field = field.restarted(8, |_| {});
    assert_eq!(field.core.refresh().await, Err(RefreshError::CertificateUntrusted));
    assert_eq!(world.count("payments").await, 1);

    let world = world.restarted_with_tls(ours.tls()).await;
    while field.core.refresh().await.is_err() {}
    field.until(&second.payment_id, PaymentState::Sent).await;
    assert_eq!(world.count("payments").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_handheld_enrols_where_the_link_does_not_vouch_for_the_gateway() {
    let (ours, theirs) = (OwnCa::new(), OwnCa::new());
    let world = World::with_tls(ours.tls()).await;
    let link = link(&world).await;
    for pin in [Some(theirs.pin), None] {
        let wrong = EnrolmentLink { ca: pin, ..link.clone() }.to_string();
        let field = Field::new();
        let refused = field.core.enrol(wrong).await.map(|_| ()).map_err(without_port);
        assert_eq!(refused, Err(untrusted()), "{pin:?}");
        assert!(field.core.snapshot().enrolment.is_none());
    }
    // Nothing was sent to the wrong one: the code is still good.
    Field::new().core.enrol(link.to_string()).await.expect("enrolled");
}
