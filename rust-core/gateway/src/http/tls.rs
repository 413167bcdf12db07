//! The gateway's own certificate, from PEM files.

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
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
    /// They do not belong together.
    #[error("the TLS certificate and key do not belong together; give the pair of one certificate")]
    Pair(#[source] rustls::Error),
}

/// Reads both files.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let no_certificate = || TlsError::Certificate { path: certificate.to_owned() };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(no_certificate)?;
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
