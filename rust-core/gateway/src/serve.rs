//! Starting and stopping the server.

use crate::cidr::Cidr;
use crate::clients::Clients;
use crate::core::{Core, FolderError};
use crate::folder_lock::FolderLock;
use crate::http::operation::serve_operators;
use crate::http::server::serve;
use crate::http::tls::{Tls, TlsError, keep_renewed, private_ca};
use crate::http::{App, router};
use crate::store::StoreError;
use crate::urls::{PublicUrl, UrlError};
use crate::worker::{recover_all, work};
use crate::world::{SharedWorld, SystemWorld};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long open connections of operators' programs are waited for at the end.
const OPERATORS_GRACE: Duration = Duration::from_secs(2);

/// How a gateway is to be served.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The data folder that `init` made.
    pub data: PathBuf,
    /// Address and port; port 0 picks a free one.
    pub listen: String,
    /// Where payers reach it. Without one: what `init` was told, or the address it listens on.
    pub public_url: Option<String>,
    /// Certificate and key, to serve TLS itself.
    pub tls: Option<TlsFiles>,
    /// PEM file with the private CA that vouches for the gateway's certificate. Links that enrol
    /// handhelds carry its pin then.
    pub tls_ca: Option<PathBuf>,
    /// Address and port for operators' programs: health, readiness, metrics. Not for the world.
    pub metrics_listen: Option<String>,
    /// Proxies that are believed when they say who the client is.
    pub trusted_proxies: Vec<Cidr>,
}

/// PEM files.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate with its chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody listens there already.
    #[error("{0} is in use; stop what listens there, or choose another port with --listen")]
    PortInUse(String),
    /// The address cannot be listened on.
    #[error(
        "--listen {address}: it cannot be listened on; write it as ADDRESS:PORT, such as 127.0.0.1:8480"
    )]
    Listen {
        /// What was given.
        address: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The public address is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// TLS cannot be offered.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Another gateway, or a restore, has the data folder.
    #[error(
        "{0}: another gateway process serves this folder, or it is being restored. Stop it first: a \
         folder is served by one process"
    )]
    FolderInUse(PathBuf),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
}

/// A running gateway. Dropping it stops nothing in order; call [`Running::shutdown`].
pub struct Running {
    url: String,
    public_url: PublicUrl,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    working: JoinHandle<()>,
    recovering: JoinHandle<()>,
    operators: Option<Operators>,
    core: Arc<Core>,
    /// The folder is ours until the database is closed.
    lock: FolderLock,
}

/// The operators' address, which is served until everything else has ended.
struct Operators {
    url: String,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// Serves a data folder until [`Running::shutdown`].
pub async fn start(options: Options) -> Result<Running, StartError> {
    start_in(options, Arc::new(SystemWorld)).await
}

/// The same with a clock and randomness of the caller's.
pub async fn start_in(options: Options, world: SharedWorld) -> Result<Running, StartError> {
    let ca = options.tls_ca.as_deref().map(private_ca).transpose()?;
    let tls = options.tls.clone().map(|files| Tls::open(files, ca.clone())).transpose()?;
    let tls = tls.map(Arc::new);
    let given = options.public_url.as_deref().map(PublicUrl::parse).transpose()?;
    let listener = listen(&options.listen).await?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = url_of(scheme, &listener, &options.listen)?;
    let for_operators = match &options.metrics_listen {
        Some(address) => Some((listen(address).await?, address.as_str())),
        None => None,
    };
    let lock = match FolderLock::take(&options.data) {
        Ok(Some(lock)) => lock,
        Ok(None) => return Err(StartError::FolderInUse(options.data.clone())),
        Err(_) => return Err(FolderError::Missing { path: options.data.clone() }.into()),
    };
    let core = Core::open(&options.data, world).await?;
    let public_url = match given {
        Some(given) => given,
        None => match core.installation().await?.public_url {
            Some(stored) => PublicUrl::parse(&stored)?,
            None => PublicUrl::parse(&url)?,
        },
    };
    if ca.is_some() && !public_url.is_https() {
        return Err(TlsError::CaWithoutTls.into());
    }
    core.set_serving(public_url.as_str(), ca.as_deref()).await?;
    let freed = core.store.free_leases().await?;
    if freed > 0 {
        tracing::info!(jobs = freed, "jobs of a run that was cut short are taken up again");
    }
    let core = Arc::new(core);
    let clients = Arc::new(Clients::default());
    let (stop, stopping) = watch::channel(false);
    let proxies = options.trusted_proxies;
    let shared = (Arc::clone(&core), Arc::clone(&clients));
    let app = App::new(shared, public_url.clone(), proxies, tls.clone(), stopping.clone());
    let app = Arc::new(app.await?);
    let operators =
        for_operators.map(|(listener, asked)| operators(listener, asked, &app)).transpose()?;
    let app = router(app);
    let address = public_url.clone();
    let working =
        tokio::spawn(work(Arc::clone(&core), Arc::clone(&clients), address, stopping.clone()));
    let recovering = tokio::spawn(recover_all(Arc::clone(&core), clients, stopping.clone()));
    if let Some(tls) = tls.clone() {
        // It ends by itself when the gateway is told to stop.
        tokio::spawn(keep_renewed(tls, stopping.clone()));
    }
    let serving = tokio::spawn(serve(listener, tls, app, stopping));
    tracing::info!(url, public_url = public_url.as_str(), "the gateway is up");
    Ok(Running { url, public_url, stop, serving, working, recovering, operators, core, lock })
}

fn operators(listener: TcpListener, asked: &str, app: &Arc<App>) -> Result<Operators, StartError> {
    let url = url_of("http", &listener, asked)?;
    let (stop, stopping) = watch::channel(false);
    let serving = tokio::spawn(serve_operators(listener, Arc::clone(app), stopping));
    tracing::info!(url, "health, readiness and metrics");
    Ok(Operators { url, stop, serving })
}

/// Returns once the gateway is told to stop.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn listen(address: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(address.to_owned()),
        _ => StartError::Listen { address: address.to_owned(), source },
    })
}

/// The address to open. A gateway that listens on every interface is reached on this machine by
/// its own name.
fn url_of(scheme: &str, listener: &TcpListener, asked: &str) -> Result<String, StartError> {
    let address = listener
        .local_addr()
        .map_err(|source| StartError::Listen { address: asked.to_owned(), source })?;
    let shown = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("127.0.0.1:{}", v4.port()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("127.0.0.1:{}", v6.port()),
        other => other.to_string(),
    };
    Ok(format!("{scheme}://{shown}"))
}

impl Running {
    /// Where it listens, with the port that was picked.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where operators' programs ask, if they were given an address.
    pub fn metrics_url(&self) -> Option<&str> {
        self.operators.as_ref().map(|it| it.url.as_str())
    }

    /// Where payers reach it.
    pub fn public_url(&self) -> &str {
        self.public_url.as_str()
    }

    /// Lets running requests and jobs finish, then closes the database.
    pub async fn shutdown(self) {
        // Nobody may be listening any more; then there is nothing to stop.
        let _ = self.stop.send(true);
        for task in [self.serving, self.working, self.recovering] {
            if task.await.is_err() {
                tracing::error!("a task of the gateway stopped before its time");
            }
        }
        if let Some(Operators { stop, serving, .. }) = self.operators {
            // Somebody may still hold a connection open there; they are cut off.
            let _ = stop.send(true);
            let abort = serving.abort_handle();
            if tokio::time::timeout(OPERATORS_GRACE, serving).await.is_err() {
                abort.abort();
            }
        }
        match Arc::try_unwrap(self.core) {
            Ok(core) => core.close().await,
            // A request that was cut off still holds it; each commit is whole on disk already.
            Err(_) => tracing::warn!("the database was closed with a request still running"),
        }
        drop(self.lock);
    }
}
