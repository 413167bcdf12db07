//! The facade: one [`Core`] for each data folder.

use crate::engine::{Call, Engine, Event, Reply};
use crate::error::{
    CodeError, EnrolError, ExportError, HoldError, MethodError, OpenError, ReceiptError,
    RefreshError, RequestError, RetryError, SummaryError,
};
use crate::net::{HttpNetwork, Network};
use crate::port::Ports;
use crate::runtime::{Clock, Parts, PatientVault, Shell, locked};
use crate::search::{FoundCharges, SearchError};
use crate::store::{RecordStore, SealedStore};
use crate::view::{CartLine, CopiesExport, EnrolmentView, PaymentView, Snapshot};
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
        let mut engine = Engine::load(durable, name);
        let clock = Clock::new();
        engine.booted(clock.boot().ok_or(OpenError::Resources)?);
        let engine = Arc::new(Mutex::new(engine));
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

    /// The same with charges, by their references: what [`Core::search_charges`] found since the start.
    pub async fn open_summary_of(
        &self,
        lines: Vec<CartLine>,
        charges: Vec<String>,
    ) -> Result<PaymentView, SummaryError> {
        match self.shell.ask(Call::OpenSummaryOf(lines, charges)).await {
            Some(Reply::OpenSummary(answer)) => self.view(answer?).ok_or(SummaryError::NotFound),
            _ => Err(SummaryError::Closed),
        }
    }

    /// Looks for what is owed, by plate, reference or name. Needs a network; each search is in the
    /// gateway's audit log.
    pub async fn search_charges(&self, find: String) -> Result<FoundCharges, SearchError> {
        match self.shell.ask(Call::SearchCharges(find)).await {
            Some(Reply::SearchCharges(answer)) => answer,
            _ => Err(SearchError::Closed),
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

    /// Asks the gateway to cancel a held payment; returns when the signed request is on disk. Paid
    /// wins.
    pub async fn cancel(&self, payment_id: String) -> Result<PaymentView, RequestError> {
        self.request(payment_id, Call::Cancel).await
    }

    /// Gives a held payment up, for a reason that is signed and sent with it; returns when that is
    /// on disk. Paid wins.
    pub async fn withdraw(
        &self,
        payment_id: String,
        reason: String,
    ) -> Result<PaymentView, RequestError> {
        self.request(payment_id, |payment| Call::Withdraw(payment, reason)).await
    }

    async fn request(
        &self,
        payment_id: String,
        call: impl FnOnce(PaymentId) -> Call,
    ) -> Result<PaymentView, RequestError> {
        let payment = PaymentId::parse(&payment_id).map_err(|_| RequestError::NotFound)?;
        match self.shell.ask(call(payment)).await {
            Some(Reply::Request(answer)) => answer?,
            _ => return Err(RequestError::Closed),
        }
        self.view(payment).ok_or(RequestError::NotFound)
    }

    /// Queues a parked payment again, as it was signed.
    pub async fn retry(&self, payment_id: String) -> Result<PaymentView, RetryError> {
        let payment = PaymentId::parse(&payment_id).map_err(|_| RetryError::NotFound)?;
        match self.shell.ask(Call::Retry(payment)).await {
            Some(Reply::Retry(answer)) => answer?,
            _ => return Err(RetryError::Closed),
        }
        self.view(payment).ok_or(RetryError::NotFound)
    }

    /// Checks the receipt on the payer's page, without a network; returns the payment that it proves
    /// to be paid once the proof is on disk.
    pub async fn verify_receipt(&self, scanned: String) -> Result<PaymentView, ReceiptError> {
        match self.shell.ask(Call::VerifyReceipt(scanned)).await {
            Some(Reply::VerifyReceipt(answer)) => {
                self.view(answer?).ok_or(ReceiptError::UnknownPayment)
            }
            _ => Err(ReceiptError::Closed),
        }
    }

    /// Checks the confirm code on the payer's page, without a network.
    pub async fn verify_code(
        &self,
        payment_id: String,
        typed: String,
    ) -> Result<PaymentView, CodeError> {
        let payment = PaymentId::parse(&payment_id).map_err(|_| CodeError::NotFound)?;
        match self.shell.ask(Call::VerifyCode(payment, typed)).await {
            Some(Reply::VerifyCode(answer)) => answer?,
            _ => return Err(CodeError::Closed),
        }
        self.view(payment).ok_or(CodeError::NotFound)
    }

    /// Copies of the orders that wait, for the administrator: readable by the gateway alone, and
    /// there even if the keys of this handheld are lost. One file for each gateway and enrolment.
    pub async fn export_copies(&self) -> Result<Vec<CopiesExport>, ExportError> {
        let files = match self.shell.copies().await {
            Some(Ok(files)) if files.is_empty() => return Err(ExportError::Nothing),
            Some(Ok(files)) => files,
            Some(Err(_)) => return Err(ExportError::Storage),
            None => return Err(ExportError::Closed),
        };
        files.iter().map(|file| CopiesExport::of(file).ok_or(ExportError::Storage)).collect()
    }

    /// Says that the system has found a network, or lost it. Returns at once.
    pub fn network_changed(&self, available: bool) {
        self.shell.tell(Event::Network { available });
    }

    /// Stops every task and releases the files. Calling it again does nothing; dropping the core
    /// does it too.
    pub fn close(&self) {
        self.shell.close();
    }

    fn view(&self, payment: PaymentId) -> Option<PaymentView> {
        locked(&self.engine).payment_at(payment, self.clock.now())
    }
}

#[cfg(test)]
mod tests;
