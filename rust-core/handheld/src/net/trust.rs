//! Whom this handheld believes that the other end is its gateway. The one place where trust is
//! decided.
//!
//! Either Mozilla's roots vouch, or one private CA does, and then nobody else. While enrolling only
//! the CA's pin is known (from the link); then the server has to send the CA's certificate within
//! its chain, and the handshake ends before the first byte of a request if it does not. CAs that
//! are installed on the device are not honoured.

use super::http::NoNetwork;
use crate::engine::Trust;
use holdfast_protocol::CaPin;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

/// The client's side of TLS for this trust.
pub(super) fn tls(trust: &Trust) -> Result<ClientConfig, NoNetwork> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| NoNetwork)?;
    let builder = match trust {
        Trust::Public => {
            let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            builder.with_root_certificates(roots)
        }
        Trust::Own(ca) => builder.with_root_certificates(only(ca).map_err(|_| NoNetwork)?),
        // Dangerous is what rustls calls every verifier but its own; this one hands over to that.
        Trust::Pinned(pin) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned { pin: *pin, provider })),
    };
    Ok(builder.with_no_client_auth())
}

/// True if the other end could not prove that it is the gateway.
pub(super) fn is_distrust(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        if matches!(current.downcast_ref(), Some(Error::InvalidCertificate(_))) {
            return true;
        }
        // An I/O error names as its source what lies below the error that it wraps.
        let wrapped = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => current.source(),
        };
    }
    false
}

/// This CA and nobody else.
fn only(ca: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(ca))?;
    Ok(roots)
}

/// Takes the CA with the right pin out of what the server sends, and then verifies as ever.
#[derive(Debug)]
struct Pinned {
    pin: CaPin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let ca = intermediates.iter().chain([end_entity]).find(|sent| self.pin.is_of(sent));
        let ca = ca.ok_or(CertificateError::UnknownIssuer)?;
        let provider = Arc::clone(&self.provider);
        let verifier = WebPkiServerVerifier::builder_with_provider(only(ca)?.into(), provider)
            .build()
            .map_err(|_| CertificateError::UnknownIssuer)?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
