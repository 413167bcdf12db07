//! The gateway's own certificate, from PEM files, which may be renewed while it runs.
//!
//! With a private CA the CA's own certificate goes out within the chain: a handheld that enrols knows
//! only its pin, and takes the certificate from there.

use crate::certificate::Validity;
use crate::serve::{TlsFiles, stopped};
use holdfast_protocol::ca_pin::CA_BYTES_MAX;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
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

/// How often the files are looked at: whoever renews a certificate sees it served soon after.
const RENEWAL_LOOK: Duration = Duration::from_secs(5);

/// The certificate that is served, renewed when its files change.
pub(crate) struct Tls {
    files: TlsFiles,
    ca: Option<CertificateDer<'static>>,
    current: RwLock<Loaded>,
}

struct Loaded {
    acceptor: TlsAcceptor,
    /// When the first certificate ends, in Unix seconds.
    ends_at_s: Option<i64>,
    /// The files as they were when they were read.
    stamps: [Stamp; 2],
}

/// By what a changed file is told: when it was written, and its length.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(path: &Path) -> Stamp {
    let known = path.metadata().ok()?;
    Some((known.modified().ok()?, known.len()))
}

impl Tls {
    /// Reads both files.
    pub(crate) fn open(
        files: TlsFiles,
        ca: Option<CertificateDer<'static>>,
    ) -> Result<Self, TlsError> {
        let current = RwLock::new(load(&files, ca.as_ref())?);
        Ok(Self { files, ca, current })
    }

    /// For the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.current.read().unwrap_or_else(PoisonError::into_inner).acceptor.clone()
    }

    /// When the certificate ends, in Unix seconds.
    pub(crate) fn ends_at_s(&self) -> Option<i64> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).ends_at_s
    }

    /// Reads the files again if they changed. What cannot be served is not: the old pair stays.
    fn renew(&self) {
        let stamps = stamps(&self.files);
        if self.current.read().unwrap_or_else(PoisonError::into_inner).stamps == stamps {
            return;
        }
        let loaded = load(&self.files, self.ca.as_ref());
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        match loaded {
            Ok(loaded) => {
                *current = loaded;
                tracing::info!("the certificate was renewed; new connections get it");
            }
            Err(error) => {
                // Said once for each change: half of a pair may be written a moment before the other.
                current.stamps = stamps;
                tracing::warn!(%error, "the files of --tls-cert and --tls-key changed and do not \
                                        fit; the old certificate is served on");
            }
        }
    }
}

/// Renews the certificate until `stop` turns true.
pub(crate) async fn keep_renewed(tls: Arc<Tls>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEWAL_LOOK) => tls.renew(),
            () = stopped(&mut stop) => return,
        }
    }
}

fn stamps(files: &TlsFiles) -> [Stamp; 2] {
    [stamp(&files.certificate), stamp(&files.key)]
}

fn load(files: &TlsFiles, ca: Option<&CertificateDer<'static>>) -> Result<Loaded, TlsError> {
    // Looked at before they are read: what is written meanwhile is read again.
    let stamps = stamps(files);
    let chain = chain(&files.certificate, ca)?;
    let ends_at_s = chain.first().and_then(|first| Validity::of(first)).map(|it| it.until_s);
    let acceptor = acceptor(chain, &files.key)?;
    Ok(Loaded { acceptor, ends_at_s, stamps })
}

/// The certificates to send, the private CA's own among them.
fn chain(
    path: &Path,
    ca: Option<&CertificateDer<'static>>,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let no_certificate = || TlsError::Certificate { path: path.to_owned() };
    let mut chain = CertificateDer::pem_file_iter(path)
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
    Ok(chain)
}

fn acceptor(chain: Vec<CertificateDer<'static>>, key: &Path) -> Result<TlsAcceptor, TlsError> {
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
