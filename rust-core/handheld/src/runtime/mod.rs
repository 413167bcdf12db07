//! The thin shell around the engine: threads, the clock, and calls to the outside.
//!
//! One small tokio runtime belongs to the core. One task, the [`actor`], owns the engine's turn:
//! event in, commit, commands out. Whatever may block (the disk, the device key, a listener) runs
//! beside the two workers; whatever may hang has a deadline.

mod actor;
mod clock;
mod foreign;

pub(crate) use clock::Clock;
pub(crate) use foreign::PatientVault;

use crate::engine::{Call, Engine, Event, Reply, StoreFault};
use crate::net::Network;
use crate::port::{CoreListener, DeviceKey};
use crate::store::RecordStore;
use actor::{Actor, Message};
use holdfast_protocol::wire::CopiesFile;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc as std_mpsc};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot, watch};

/// Threads that run tasks: one for the actor, one for everything else.
const WORKERS: usize = 2;
/// Threads for what may block, at the most: four deliveries and three requests looking up names,
/// a key, a listener, and always one left for the disk.
const BLOCKING_THREADS_MAX: usize = 16;
/// How long closing waits for a commit on its way, in seconds.
const CLOSE_S_MAX: u64 = 10;

/// What the shell runs.
pub(crate) struct Parts {
    pub(crate) engine: Arc<Mutex<Engine>>,
    pub(crate) clock: Clock,
    pub(crate) store: Box<dyn RecordStore>,
    pub(crate) network: Arc<dyn Network>,
    pub(crate) device_key: Arc<dyn DeviceKey>,
    pub(crate) listener: Arc<dyn CoreListener>,
}

/// The running shell.
pub(crate) struct Shell {
    inbox: mpsc::UnboundedSender<Message>,
    running: Mutex<Option<Running>>,
}

struct Running {
    runtime: Runtime,
    /// Closes when the actor has let go of everything.
    ended: std_mpsc::Receiver<()>,
}

impl Shell {
    /// Starts the actor. Fails if the system gives no threads.
    pub(crate) fn start(parts: Parts) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .thread_name("holdfast")
            .enable_all()
            .build()?;
        // Not bounded: each message is one act of a person, or the answer to one thing that the
        // engine asked for, and it asks for a handful at a time.
        let (inbox, messages) = mpsc::unbounded_channel();
        let (end, ended) = std_mpsc::channel();
        let (notices, heard) = watch::channel(0);
        runtime.spawn(foreign::notify(parts.listener.clone(), heard));
        let actor = Actor::new(parts, inbox.clone(), messages, notices);
        runtime.spawn(async move {
            actor.run().await;
            drop(end);
        });
        Ok(Self { inbox, running: Mutex::new(Some(Running { runtime, ended })) })
    }

    /// Asks the engine. The question is with the actor before this first waits, and is answered
    /// there even if nobody waits any more. `None` once the core is closed.
    pub(crate) async fn ask(&self, call: Call) -> Option<Reply> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Message::Call { call, answer }).ok()?;
        answered.await.ok()
    }

    /// The copies of waiting orders. `None` once the core is closed.
    pub(crate) async fn copies(&self) -> Option<Result<Vec<CopiesFile>, StoreFault>> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Message::Copies(answer)).ok()?;
        answered.await.ok()
    }

    /// Tells the engine something that nobody waits for.
    pub(crate) fn tell(&self, event: Event) {
        // Closed already: then it does not matter.
        let _ = self.inbox.send(Message::Event(event));
    }

    /// Stops, and returns when the files are released. Again: does nothing.
    pub(crate) fn close(&self) {
        let Some(running) = locked(&self.running).take() else {
            return;
        };
        let _ = self.inbox.send(Message::Close);
        // Nothing is ever sent: the channel just closes when the actor has ended.
        if running.ended.recv_timeout(Duration::from_secs(CLOSE_S_MAX))
            == Err(std_mpsc::RecvTimeoutError::Timeout)
        {
            log::error!("the core did not stop in {CLOSE_S_MAX} s");
        }
        // Does not wait for threads that a foreign call may hold for ever.
        running.runtime.shutdown_background();
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.close();
    }
}

/// A lock that a panic elsewhere does not take away. What it guards is changed in whole steps.
pub(crate) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
