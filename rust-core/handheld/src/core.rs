//! The facade: one [`Core`] for each data folder.

use crate::error::{EnrolError, HoldError, MethodError, OpenError, RefreshError, SummaryError};
use crate::port::Ports;
use crate::view::{CartLine, EnrolmentView, LinkState, PaymentView, Snapshot};

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

/// The device core.
pub struct Core {}

impl Core {
    /// Opens the data folder. Blocks; call it away from the main thread.
    pub fn open(_config: CoreConfig, _ports: Ports) -> Result<Self, OpenError> {
        Err(OpenError::Storage)
    }

    /// Everything a screen shows, from memory.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            revision: 0,
            enrolment: None,
            catalogue: Vec::new(),
            catalogue_age_ms: None,
            payment_types: Vec::new(),
            payments: Vec::new(),
            link: LinkState::Unknown,
            queued: 0,
            quarantine: Vec::new(),
        }
    }

    /// One payment, however old.
    pub fn payment(&self, _payment_id: &str) -> Option<PaymentView> {
        None
    }

    /// Joins a gateway with the link (or QR code) of its admin page.
    pub async fn enrol(&self, _link: String) -> Result<EnrolmentView, EnrolError> {
        Err(EnrolError::Closed)
    }

    /// Sends, asks and fetches now; returns when that is done.
    pub async fn refresh(&self) -> Result<(), RefreshError> {
        Err(RefreshError::Closed)
    }

    /// Mints the payment ID, commits the draft, then returns.
    pub async fn open_summary(&self, _lines: Vec<CartLine>) -> Result<PaymentView, SummaryError> {
        Err(SummaryError::Closed)
    }

    /// Chooses how a draft will be paid.
    pub async fn choose_method(
        &self,
        _payment_id: String,
        _code: String,
    ) -> Result<PaymentView, MethodError> {
        Err(MethodError::Closed)
    }

    /// Signs and stores the order; returns when it is on disk.
    pub async fn hold(&self, _payment_id: String) -> Result<PaymentView, HoldError> {
        Err(HoldError::Closed)
    }

    /// Throws a draft away.
    pub async fn discard_draft(&self, _payment_id: String) -> Result<(), SummaryError> {
        Err(SummaryError::Closed)
    }

    /// Stops every task and releases the files. Calling it again does nothing.
    pub fn close(&self) {}
}
