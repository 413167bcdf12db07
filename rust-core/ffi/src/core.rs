//! The object that Kotlin holds.

use crate::port::{self, CoreListener, DeviceKey, KeyVault};
use holdfast_handheld as handheld;
use holdfast_handheld::{
    CartLine, CodeError, CopiesExport, CoreConfig, EnrolError, EnrolmentView, ExportError,
    FoundCharges, HoldError, MethodError, OpenError, PaymentView, QrError, QrMatrix, ReceiptError,
    RefreshError, RequestError, RetryError, SearchError, Snapshot, SummaryError,
};
use std::sync::Arc;

/// The device core: one for each data folder.
#[derive(uniffi::Object)]
pub struct Core(handheld::Core);

#[uniffi::export]
impl Core {
    /// Opens the data folder. Blocks; call it off the main thread.
    #[uniffi::constructor]
    pub fn open(
        config: CoreConfig,
        device_key: Arc<dyn DeviceKey>,
        vault: Arc<dyn KeyVault>,
        listener: Arc<dyn CoreListener>,
    ) -> Result<Arc<Self>, OpenError> {
        let ports = port::adapt(device_key, vault, listener);
        Ok(Arc::new(Self(handheld::Core::open(config, ports)?)))
    }

    /// Everything a screen shows, from memory.
    pub fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }

    /// One payment, however old.
    pub fn payment(&self, payment_id: String) -> Option<PaymentView> {
        self.0.payment(&payment_id)
    }

    /// Joins a gateway with the link (or QR code) of its admin page.
    pub async fn enrol(&self, link: String) -> Result<EnrolmentView, EnrolError> {
        self.0.enrol(link).await
    }

    /// Sends, asks and fetches now; returns when that is done.
    pub async fn refresh(&self) -> Result<(), RefreshError> {
        self.0.refresh().await
    }

    /// Mints the payment ID, commits the draft, then returns.
    pub async fn open_summary(&self, lines: Vec<CartLine>) -> Result<PaymentView, SummaryError> {
        self.0.open_summary(lines).await
    }

    /// The same with charges, by their references: what `search_charges` found since the start.
    pub async fn open_summary_of(
        &self,
        lines: Vec<CartLine>,
        charges: Vec<String>,
    ) -> Result<PaymentView, SummaryError> {
        self.0.open_summary_of(lines, charges).await
    }

    /// Looks for what is owed, by plate, reference or name. Needs a network; each search is in the
    /// gateway's audit log.
    pub async fn search_charges(&self, find: String) -> Result<FoundCharges, SearchError> {
        self.0.search_charges(find).await
    }

    /// Chooses how a draft will be paid.
    pub async fn choose_method(
        &self,
        payment_id: String,
        code: String,
    ) -> Result<PaymentView, MethodError> {
        self.0.choose_method(payment_id, code).await
    }

    /// Signs and stores the order; returns when it is on disk, and finishes even if the caller is
    /// cancelled. The same payment ID gives the same answer again.
    pub async fn hold(&self, payment_id: String) -> Result<PaymentView, HoldError> {
        self.0.hold(payment_id).await
    }

    /// Throws a draft away.
    pub async fn discard_draft(&self, payment_id: String) -> Result<(), SummaryError> {
        self.0.discard_draft(payment_id).await
    }

    /// Asks the gateway to cancel a held payment; returns when the signed request is on disk. Paid
    /// wins.
    pub async fn cancel(&self, payment_id: String) -> Result<PaymentView, RequestError> {
        self.0.cancel(payment_id).await
    }

    /// Gives a held payment up, for a reason that is signed and sent with it. Paid wins.
    pub async fn withdraw(
        &self,
        payment_id: String,
        reason: String,
    ) -> Result<PaymentView, RequestError> {
        self.0.withdraw(payment_id, reason).await
    }

    /// Queues a parked payment again, as it was signed.
    pub async fn retry(&self, payment_id: String) -> Result<PaymentView, RetryError> {
        self.0.retry(payment_id).await
    }

    /// Checks the receipt on the payer's page, without a network.
    pub async fn verify_receipt(&self, scanned: String) -> Result<PaymentView, ReceiptError> {
        self.0.verify_receipt(scanned).await
    }

    /// Checks the confirm code on the payer's page, without a network.
    pub async fn verify_code(
        &self,
        payment_id: String,
        typed: String,
    ) -> Result<PaymentView, CodeError> {
        self.0.verify_code(payment_id, typed).await
    }

    /// Copies of the orders that wait, for the administrator; there even if a key is lost.
    pub async fn export_copies(&self) -> Result<Vec<CopiesExport>, ExportError> {
        self.0.export_copies().await
    }

    /// Says that the system has found a network, or lost it. Returns at once.
    pub fn network_changed(&self, available: bool) {
        self.0.network_changed(available);
    }

    /// Stops every task and releases the files; calling it again does nothing. Not named `close`,
    /// because UniFFI gives that name in Kotlin to what drops the object (which does this too).
    pub fn shut_down(&self) {
        self.0.close();
    }
}

/// Draws a text as a QR code of level M, without the quiet zone.
#[uniffi::export]
pub fn qr_code(text: String) -> Result<QrMatrix, QrError> {
    handheld::qr_code(&text)
}
