//! How the gateway is reached: its address, TLS, and what it says when it cannot be served.

use crate::world::{client, tenant};
use holdfast_gateway::{Options, TlsFiles, admin, start};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

async fn folder(public_url: Option<&str>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let init = admin::Init {
        data: folder.path().join("data"),
        tenant: tenant(),
        name: None,
        public_url: public_url.map(str::to_owned),
        hosts: Vec::new(),
    };
    admin::init(init).await.unwrap();
    folder
}

fn options(folder: &TempDir) -> Options {
    Options {
        data: folder.path().join("data"),
        listen: "127.0.0.1:0".into(),
        public_url: None,
        ..Options::default()
    }
}

async fn refused(options: Options) -> String {
    match start(options).await {
        Ok(running) => panic!("it serves on {}", running.url()),
        Err(error) => error.to_string(),
    }
}

fn tls_files(folder: &Path) -> (TlsFiles, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let files = TlsFiles {
        certificate: write("cert.pem", &cert.pem()),
        key: write("key.pem", &signing_key.serialize_pem()),
    };
    (files, cert.pem())
}

#[tokio::test]
async fn a_port_in_use_is_said_in_one_line_that_helps() {
    let folder = folder(None).await;
    let first = start(options(&folder)).await.unwrap();
    let listen = first.url().strip_prefix("http://").unwrap().to_owned();
    let error = refused(Options { listen: listen.clone(), ..options(&folder) }).await;
    assert!(error.contains(&listen) && error.contains("--listen"), "{error}");
    assert!(!error.contains('\n'));
    first.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_served_says_which_option_is_wrong() {
    let folder = folder(None).await;
    let with = |change: &dyn Fn(&mut Options)| {
        let mut options = options(&folder);
        change(&mut options);
        options
    };
    let missing =
        TlsFiles { certificate: "/nowhere/cert.pem".into(), key: "/nowhere/key.pem".into() };
    for (options, part) in [
        (with(&|o| o.listen = "here".into()), "--listen here"),
        (with(&|o| o.public_url = Some("http://pay.example.org".into())), "--public-url"),
        (with(&|o| o.data = "/nowhere".into()), "holdfast init"),
        (with(&|o| o.tls = Some(missing.clone())), "--tls-cert /nowhere/cert.pem"),
    ] {
        let error = refused(options).await;
        assert!(error.contains(part), "{error}");
    }
    let (mut files, _) = tls_files(folder.path());
    files.key = tls_files(tempfile::tempdir().unwrap().path()).0.key;
    let error = refused(with(&|o| o.tls = Some(files.clone()))).await;
    assert!(error.contains("--tls-key"), "{error}");
    let (files, _) = tls_files(folder.path());
    let other = tempfile::tempdir().unwrap();
    let other = tls_files(other.path()).0.certificate;
    for (tls, ca, part) in [
        (Some(files.clone()), "/nowhere/ca.pem".into(), "--tls-ca /nowhere/ca.pem"),
        (Some(files.clone()), files.key.clone(), "one CA certificate"),
        (Some(files.clone()), other, "--tls-ca"),
        (None, files.certificate.clone(), "plain http"),
    ] {
        let error = refused(with(&|o| (o.tls, o.tls_ca) = (tls.clone(), Some(ca.clone())))).await;
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn links_lead_to_where_it_is_reached() {
    let told = folder(Some("https://pay.example.org")).await;
    let link = admin::sign_in_link(&told.path().join("data"), &tenant()).await.unwrap().0;
    assert!(link.starts_with("https://pay.example.org/sign-in/"), "{link}");
    let not_told = folder(None).await;
    let running = start(options(&not_told)).await.unwrap();
    let link = admin::sign_in_link(&not_told.path().join("data"), &tenant()).await.unwrap().0;
    assert!(link.starts_with(running.url()), "{link}");
    running.shutdown().await;
}

#[tokio::test]
async fn it_serves_tls_from_pem_files_and_tells_browsers_to_stay_with_it() {
    let folder = folder(None).await;
    let (files, certificate) = tls_files(folder.path());
    let running = start(Options {
        public_url: Some("https://localhost:8443".into()),
        tls: Some(files),
        ..options(&folder)
    });
    let running = running.await.unwrap();
    let port = running.url().strip_prefix("https://127.0.0.1:").unwrap().to_owned();
    let answer = trusting(&certificate).get(format!("https://localhost:{port}/health"));
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("strict-transport-security"));
    // Without TLS there is no answer at that port.
    assert!(client().get(format!("http://localhost:{port}/health")).send().await.is_err());
    running.shutdown().await;
}

/// A client that trusts this certificate and no other.
fn trusting(certificate: &str) -> reqwest::Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(pem_bytes(certificate).into()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy();
    // A kept connection would go on with the old certificate.
    http.pool_max_idle_per_host(0).build().unwrap()
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart_and_half_of_a_pair_is_not() {
    let folder = folder(None).await;
    let (files, old) = tls_files(folder.path());
    let running = start(Options {
        public_url: Some("https://localhost:8443".into()),
        tls: Some(files.clone()),
        metrics_listen: Some("127.0.0.1:0".into()),
        ..options(&folder)
    });
    let running = running.await.unwrap();
    let port = running.url().strip_prefix("https://127.0.0.1:").unwrap().to_owned();
    let health = format!("https://localhost:{port}/health");
    let (old, metrics) = (trusting(&old), format!("{}/metrics", running.metrics_url().unwrap()));
    assert_eq!(old.get(&health).send().await.unwrap().status(), 200);
    let scraped = client().get(&metrics).send().await.unwrap().text().await.unwrap();
    // What rcgen makes ends in the year 4096.
    assert!(scraped.contains("holdfast_tls_certificate_ends_timestamp_seconds 67"), "{scraped}");
    let other = tempfile::tempdir().unwrap();
    let (new_files, new) = tls_files(other.path());
    let new = trusting(&new);
    // The certificate without its key: the old pair is served on.
    std::fs::copy(&new_files.certificate, &files.certificate).unwrap();
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_secs(7) {
        assert_eq!(old.get(&health).send().await.unwrap().status(), 200);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    std::fs::copy(&new_files.key, &files.key).unwrap();
    while new.get(&health).send().await.is_err() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(40), "never renewed");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(old.get(&health).send().await.is_err(), "both are served");
    running.shutdown().await;
}

/// The bytes inside a PEM text.
fn pem_bytes(pem: &str) -> Vec<u8> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}
