//! The one TLS set-up: rustls with ring, trusting the roots that Mozilla publishes.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// Makes the TLS configuration that HTTP clients are given preconfigured, so that neither the
/// platform's verifier nor a process-wide crypto provider is ever asked.
pub fn client_config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
