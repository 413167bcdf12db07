//! The sandbox on a port: the core behind a lock, a clock, an HTTP server and a webhook sender.

mod api;
mod clock;
mod connections;
mod control;
mod dashboard;
mod forms;
mod journal;
mod listeners;
mod options;
mod pages;
mod sender;
mod stripe_js;

pub use listeners::Heard;
pub use options::{Options, StartError, TargetError};

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::core::{Config, Core, Input};
use clock::Clock;
use journal::{Beginning, Journal, Opened};
use listeners::Listeners;

/// What every part of the server shares.
struct Shared {
    core: Mutex<Core>,
    clock: Clock,
    listeners: Listeners,
    /// Where inputs are kept, if they are.
    journal: Option<Mutex<Journal>>,
    /// Something may be due that was not before.
    changed: Notify,
}

impl Shared {
    /// The core, with the time. Nothing that holds it waits for anything.
    fn core(&self) -> (MutexGuard<'_, Core>, i64) {
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        (core, self.clock.now_ms())
    }

    fn with_core<R>(&self, act: impl FnOnce(&mut Core, i64) -> R) -> R {
        let result = {
            let (mut core, now_ms) = self.core();
            let result = act(&mut core, now_ms);
            // Under the core's lock, so that lines stand in the order of what they tell.
            self.keep(&core.take_inputs());
            result
        };
        self.changed.notify_one();
        result
    }

    fn skip_ahead(&self, by: Duration) {
        self.clock.skip_ahead(by);
        self.with_core(|core, now_ms| core.clock_moved(self.clock.ahead_ms(), now_ms));
    }

    fn keep(&self, inputs: &[Input]) {
        let Some(journal) = self.journal.as_ref().filter(|_| !inputs.is_empty()) else { return };
        let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = journal.append(inputs) {
            tracing::error!(path = %journal.path().display(), %error, "cannot write the journal");
        }
    }
}

/// A sandbox that runs. Dropping it stops it; [`Running::shutdown`] also waits until it has.
pub struct Running {
    url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a sandbox; it answers when this returns.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let listener = listen(options.listen).await?;
    let address = listener.local_addr().map_err(StartError::Listen)?;
    let url = options.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let clock = Clock::new(options.clock_by_hand);
    let begin =
        Beginning { seed: options.seed.map_or_else(random_seed, Ok)?, at_ms: clock.now_ms() };
    let opened = options.data_dir.as_deref().map(|dir| Journal::open(dir, begin)).transpose()?;
    let begin = opened.as_ref().map_or(begin, |opened| opened.beginning);
    if options.seed.is_some_and(|seed| seed != begin.seed) {
        return Err(StartError::OtherSeed { seed: begin.seed });
    }
    let config = Config {
        business_name: options.business_name.clone(),
        answer_time_ms: u64::try_from(options.answer_time.as_millis()).unwrap_or(u64::MAX),
        rate_limit_per_s: options.rate_limit_per_s,
        recorded: opened.is_some(),
        live: options.live,
        ..Config::new(begin.seed, &url)
    };
    let mut core = Core::new(config, begin.at_ms);
    let journal = opened.map(|opened| replayed(&mut core, opened)).transpose()?.map(Mutex::new);
    if journal.is_some() {
        let (was_ahead_ms, stood_at_ms) = core.clock();
        clock.resume(was_ahead_ms, stood_at_ms);
    }
    let shared = Arc::new(Shared {
        core: Mutex::new(core),
        clock,
        listeners: Listeners::default(),
        journal,
        changed: Notify::new(),
    });
    shared.with_core(|core, now_ms| {
        options.put_in_force(core, now_ms);
        // Whoever listened before a restart has gone.
        for listener in core.listeners() {
            core.stop_listening(&listener, now_ms);
        }
    });
    let (stop, stopped) = watch::channel(false);
    let sender = sender::Sender::new(shared.clone())?;
    let tasks = vec![
        tokio::spawn(connections::serve(listener, router(shared.clone()), stopped.clone())),
        tokio::spawn(sender.run(stopped)),
    ];
    tracing::info!(%url, "sandbox started");
    Ok(Running { url, address, shared, stop, tasks })
}

fn replayed(core: &mut Core, opened: Opened) -> Result<Journal, StartError> {
    let Opened { journal, inputs, .. } = opened;
    let replayed = core.replay(inputs);
    let path = journal.path().to_owned();
    replayed.map(|()| journal).map_err(|why| StartError::Replay { path, why })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => StartError::PortInUse { address },
        _ => StartError::Listen(error),
    })
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/c/pay/{session}", get(pages::show).post(pages::pay))
        .route("/c/confirm/{session}", get(pages::show_challenge).post(pages::answer_challenge))
        .route("/receipts/{charge}", get(pages::receipt))
        .route("/assets/page.css", get(pages::style))
        .route("/c/authenticate/{intent}", get(pages::ask).post(pages::answer_bank))
        .merge(stripe_js::routes())
        .merge(dashboard::routes())
        .merge(control::routes())
        .fallback(api::answer)
        .with_state(shared)
}

/// IDs must differ from those of an earlier run: a gateway with a memory takes a known event ID
/// for a repetition.
fn random_seed() -> Result<u64, StartError> {
    getrandom::u64().map_err(|_| StartError::NoRandomness)
}

impl Running {
    /// Where it is, such as `http://127.0.0.1:4010`: API and pages alike.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A way in for tests and tools of the same process.
    pub fn handle(&self) -> Handle {
        Handle(self.shared.clone())
    }

    /// Stops accepting, lets open requests end, and returns when all has stopped.
    pub async fn shutdown(self) {
        // Without a receiver all tasks have ended already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            // A task that panicked has stopped, too.
            let _ = task.await;
        }
    }
}

/// A way into a running sandbox from the same process.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

impl Handle {
    /// Looks at the state, or acts on it, at the sandbox's own time in Unix milliseconds. What
    /// becomes due is sent.
    pub fn with_core<R>(&self, act: impl FnOnce(&mut Core, i64) -> R) -> R {
        self.0.with_core(act)
    }

    /// Moves the sandbox's clock ahead: sessions expire, deliveries fall due, keys are forgotten.
    pub fn skip_ahead(&self, by: Duration) {
        self.0.skip_ahead(by);
    }
}
