//! The gateway's own certificate, from PEM files.
//!
//! With a private CA the CA's own certificate goes out within the chain: a handheld that enrols knows
//! only its pin, and takes the certificate from there.

use holdfast_protocol::ca_pin::CA_BYTES_MAX;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file is missing or holds no certificate.
    #[error("--tls-cert {path}: no PEM certificates can be read from it; give the full chain")]
    Certificate {
        /// The file.
        path: PathBuf,
    },
    /// The key file is missing or holds no key.
    #[error("--tls-key {path}: no PEM private key can be read from it")]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The CA file holds no certificate, or several, or one that is no CA's.
    #[error(
        "--tls-ca {path}: give the PEM file of the one CA certificate that vouches for --tls-cert"
    )]
    Ca {
        /// The file.
        path: PathBuf,
    },
    /// The CA has not signed the certificate.
    #[error(
        "--tls-ca: this CA has not signed the first certificate of --tls-cert; give the CA at the end of its chain"
    )]
    CaDiffers,
    /// There is no TLS for a CA to vouch for.
    #[error(
        "--tls-ca: handhelds reach this gateway by plain http; serve with --tls-cert and --tls-key, or give the proxy's https address as --public-url"
    )]
    CaWithoutTls,
    /// They do not belong together.
    #[error("the TLS certificate and key do not belong together; give the pair of one certificate")]
    Pair(#[source] rustls::Error),
}

/// Reads the private CA's certificate.
pub(crate) fn private_ca(path: &Path) -> Result<CertificateDer<'static>, TlsError> {
    let refused = || TlsError::Ca { path: path.to_owned() };
    let mut certificates = CertificateDer::pem_file_iter(path).map_err(|_| refused())?;
    let (first, second) = (certificates.next(), certificates.next());
    let ca = first.and_then(Result::ok).filter(|ca| second.is_none() && ca.len() <= CA_BYTES_MAX);
    let ca = ca.ok_or_else(refused)?;
    roots(&ca).map(|_| ca).map_err(|_| refused())
}

fn roots(ca: &CertificateDer<'static>) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone())?;
    Ok(roots)
}

/// Reads both files.
pub(crate) fn acceptor(
    certificate: &Path,
    key: &Path,
    ca: Option<&CertificateDer<'static>>,
) -> Result<TlsAcceptor, TlsError> {
    let no_certificate = || TlsError::Certificate { path: certificate.to_owned() };
    let mut chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(no_certificate)?;
    if let Some(ca) = ca {
        check_signed_by(ca, &chain)?;
        if !chain.contains(ca) {
            chain.push(ca.clone());
        }
    }
    let key =
        PrivateKeyDer::from_pem_file(key).map_err(|_| TlsError::Key { path: key.to_owned() })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What a handheld would find at its first connection is found here, at the start. Names and dates
/// are left to it: the certificate may be renewed while this runs behind a name it does not know.
fn check_signed_by(
    ca: &CertificateDer<'static>,
    chain: &[CertificateDer<'static>],
) -> Result<(), TlsError> {
    let differs = |_| TlsError::CaDiffers;
    let (first, rest) = chain.split_first().ok_or(TlsError::CaDiffers)?;
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let parsed = ParsedCertificate::try_from(first).map_err(differs)?;
    let roots = roots(ca).map_err(differs)?;
    match verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &roots,
        rest,
        UnixTime::now(),
        algorithms.all,
    ) {
        Err(Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        )) => {
            tracing::warn!("the certificate of --tls-cert is out of date; handhelds refuse it");
            Ok(())
        }
        outcome => outcome.map_err(differs),
    }
}
