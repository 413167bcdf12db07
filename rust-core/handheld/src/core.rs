//! The facade: one [`Core`] for each data folder.

use crate::engine::{Call, Engine, Reply};
use crate::error::{EnrolError, HoldError, MethodError, OpenError, RefreshError, SummaryError};
use crate::net::{HttpNetwork, Network};
use crate::port::Ports;
use crate::runtime::{Clock, Parts, PatientVault, Shell, locked};
use crate::store::{RecordStore, SealedStore};
use crate::view::{CartLine, EnrolmentView, PaymentView, Snapshot};
use holdfast_domain::{PaymentId, PaymentTypeCode};
use holdfast_protocol::EnrolmentLink;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What the platform tells the core once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreConfig {
    /// Folder of this core alone; on Android within `noBackupFilesDir`.
    pub data_dir: String,
    /// Language tag such as `en-US`.
    pub locale: String,
    /// Version of the app, for the gateway's list of handhelds.
    pub app_version: String,
}

/// The device core. Its methods may be called from any thread, and their futures polled on any
/// executor; dropping a future stops the waiting, not the work.
pub struct Core {
    engine: Arc<Mutex<Engine>>,
    clock: Clock,
    shell: Shell,
}

impl Core {
    /// Opens the data folder, and goes on with whatever was left undone there. Blocks; call it away
    /// from the main thread.
    pub fn open(config: CoreConfig, ports: Ports) -> Result<Self, OpenError> {
        let network = HttpNetwork::new(&config.app_version, &config.locale);
        let network = Arc::new(network.map_err(|_| OpenError::Resources)?);
        Self::open_with_network(config, ports, network)
    }

    /// The same with another network, for tests.
    pub fn open_with_network(
        config: CoreConfig,
        ports: Ports,
        network: Arc<dyn Network>,
    ) -> Result<Self, OpenError> {
        let vault = PatientVault(ports.vault);
        let mut store = SealedStore::open(Path::new(&config.data_dir), &vault)?;
        let durable = store.load().map_err(|_| OpenError::Storage)?;
        let name = format!("Handheld, app {}", config.app_version);
        let engine = Arc::new(Mutex::new(Engine::load(durable, name)));
        let clock = Clock::new();
        let parts = Parts {
            engine: engine.clone(),
            clock,
            store: Box::new(store),
            network,
            device_key: ports.device_key,
            listener: ports.listener,
        };
        let shell = Shell::start(parts).map_err(|_| OpenError::Resources)?;
        Ok(Self { engine, clock, shell })
    }

    /// Everything a screen shows, from memory.
    pub fn snapshot(&self) -> Snapshot {
        locked(&self.engine).snapshot(self.clock.now())
    }

    /// One payment, however old.
    pub fn payment(&self, payment_id: &str) -> Option<PaymentView> {
        self.view(PaymentId::parse(payment_id).ok()?)
    }

    /// Joins a gateway with the link (or QR code) of its admin page.
    pub async fn enrol(&self, link: String) -> Result<EnrolmentView, EnrolError> {
        let link = EnrolmentLink::parse(&link).map_err(|_| EnrolError::LinkInvalid)?;
        match self.shell.ask(Call::Enrol(link)).await {
            Some(Reply::Enrol(answer)) => answer?,
            _ => return Err(EnrolError::Closed),
        }
        self.snapshot().enrolment.ok_or(EnrolError::Storage)
    }

    /// Sends, asks and fetches now; returns when that is done.
    pub async fn refresh(&self) -> Result<(), RefreshError> {
        match self.shell.ask(Call::Refresh).await {
            Some(Reply::Refresh(answer)) => answer,
            _ => Err(RefreshError::Closed),
        }
    }

    /// Mints the payment ID, commits the draft, then returns.
    pub async fn open_summary(&self, lines: Vec<CartLine>) -> Result<PaymentView, SummaryError> {
        match self.shell.ask(Call::OpenSummary(lines)).await {
            Some(Reply::OpenSummary(answer)) => self.view(answer?).ok_or(SummaryError::NotFound),
            _ => Err(SummaryError::Closed),
        }
    }

    /// Chooses how a draft will be paid.
    pub async fn choose_method(
        &self,
        payment_id: String,
        code: String,
    ) -> Result<PaymentView, MethodError> {
        let payment = PaymentId::parse(&payment_id).map_err(|_| MethodError::NotFound)?;
        let code =
            PaymentTypeCode::parse(&code).map_err(|_| MethodError::UnknownMethod { code })?;
        match self.shell.ask(Call::ChooseMethod(payment, code)).await {
            Some(Reply::ChooseMethod(answer)) => answer?,
            _ => return Err(MethodError::Closed),
        }
        self.view(payment).ok_or(MethodError::NotFound)
    }

    /// Signs and stores the order; returns when it is on disk, and finishes even if nobody waits any
    /// more. The same payment ID gives the same answer again.
    pub async fn hold(&self, payment_id: String) -> Result<PaymentView, HoldError> {
        let payment = PaymentId::parse(&payment_id).map_err(|_| HoldError::NotFound)?;
        match self.shell.ask(Call::Hold(payment)).await {
            Some(Reply::Hold(answer)) => answer?,
            _ => return Err(HoldError::Closed),
        }
        self.view(payment).ok_or(HoldError::NotFound)
    }

    /// Throws a draft away.
    pub async fn discard_draft(&self, payment_id: String) -> Result<(), SummaryError> {
        let payment = PaymentId::parse(&payment_id).map_err(|_| SummaryError::NotFound)?;
        match self.shell.ask(Call::DiscardDraft(payment)).await {
            Some(Reply::DiscardDraft(answer)) => answer,
            _ => Err(SummaryError::Closed),
        }
    }

    /// Stops every task and releases the files. Calling it again does nothing; dropping the core
    /// does it too.
    pub fn close(&self) {
        self.shell.close();
    }

    fn view(&self, payment: PaymentId) -> Option<PaymentView> {
        locked(&self.engine).payment(payment)
    }
}

#[cfg(test)]
mod tests;
