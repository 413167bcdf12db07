//! What a restored ledger has to ask Stripe before it lets anybody pay anew.
//!
//! A backup knows nothing of what happened after it: a payment may have been accepted, its card page
//! opened, even paid, and the ledger that is put back has never heard of it. So a restore writes one
//! [`Recovery`] for each set of credentials, and until it is done
//!
//! - nobody gets a *new* card page ([`crate::Pay`] answers that the ledger is recovering),
//! - no cancel is called proven, because a page may be open that is not known here,
//! - no order that is brought again is refused for good ([`crate::Accept`] says "later").
//!
//! First every session since shortly before the backup is listed, page by page. One of a payment
//! that the ledger knows becomes an attempt of it at once ([`crate::TakeSessions`]); one of a payment
//! that it does not know yet waits as a [`FoundSession`] until its order is brought again, and becomes
//! an attempt in the transaction that accepts the order. Either way it is in the ledger before an
//! attempt of the same number could be made. Then the events of that time are taken as if they
//! had just come, so that refunds and disputes of older payments are looked at.
//!
//! A page that waits for its order, and was not over when it was listed, is looked at again until it is
//! ([`crate::FollowFound`]): a payer may be on it, and then somebody has to know that money came for an
//! order that nobody has brought again.
//!
//! A request that the lost ledger had sent, and that reaches Stripe only after the listing, makes a
//! session whose address nobody ever received: it cannot be paid. If the new ledger uses the
//! same key meanwhile, Stripe refuses one of the two, and the look that follows finds the other.

use holdfast_domain::{Mode, PaymentId, PaymentTypeCode, SessionStatus, TenantSlug};

use crate::rows::Pin;

/// How far Stripe's clock, and the moment of the backup, may lie from what was written down, in
/// seconds.
pub const RECOVERY_MARGIN_S: i64 = 900;
/// How far back Stripe's list of events reaches, in seconds (30 days).
pub const EVENTS_REACH_S: i64 = 30 * 24 * 60 * 60;

/// How long a dispute that is not decided may be old, in seconds (120 days): one that was opened before
/// the backup may have ended since.
pub const DISPUTES_REACH_S: i64 = 120 * 24 * 60 * 60;

/// Which credentials are asked with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecoveryKey {
    /// Whose.
    pub tenant: TenantSlug,
    /// Of which payment type.
    pub payment_type: PaymentTypeCode,
    /// Its test set or its live set.
    pub mode: Mode,
    /// Which generation of the set.
    pub generation: u32,
}

/// How far asking has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryStage {
    /// Sessions are being listed.
    Sessions,
    /// All sessions are known; events are being listed.
    Events,
    /// The key may not read events: refunds are being listed.
    Refunds,
    /// The same, and all refunds are known; disputes are being listed.
    Disputes,
    /// Everything is known again.
    Done,
}

impl RecoveryStage {
    const ALL: [Self; 5] =
        [Self::Sessions, Self::Events, Self::Refunds, Self::Disputes, Self::Done];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Events => "events",
            Self::Refunds => "refunds",
            Self::Disputes => "disputes",
            Self::Done => "done",
        }
    }

    /// Reads what [`RecoveryStage::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

/// Asking Stripe, with one set of credentials, what happened since a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// With which credentials.
    pub key: RecoveryKey,
    /// Stripe's account, or empty while it is not known.
    pub account: String,
    /// How far it is.
    pub stage: RecoveryStage,
    /// Sessions and events from here on are asked for. Unix seconds.
    pub from_unix_s: i64,
    /// The last ID of the page before; empty at the start of a stage.
    pub cursor: String,
    /// Sessions that Stripe named.
    pub sessions_seen: u64,
    /// Sessions among them that the ledger did not know.
    pub sessions_found: u64,
    /// Events that the ledger did not know; without events, refunds and disputes of its payments.
    pub events_found: u64,
    /// The next page is not asked for before.
    pub due_at_ms: i64,
    /// Failures since the last page.
    pub failures: u32,
    /// What went wrong last, for the administrator; empty if nothing did.
    pub trouble: String,
    /// When the ledger was put back.
    pub started_at_ms: i64,
    /// When all was known again; 0 until then.
    pub finished_at_ms: i64,
}

impl Recovery {
    /// A recovery that begins now, of a ledger as it was at `backup_at_ms`.
    pub fn begin(key: RecoveryKey, account: String, backup_at_ms: i64, now_ms: i64) -> Self {
        Self {
            key,
            account,
            stage: RecoveryStage::Sessions,
            from_unix_s: backup_at_ms.div_euclid(1000).saturating_sub(RECOVERY_MARGIN_S),
            cursor: String::new(),
            sessions_seen: 0,
            sessions_found: 0,
            events_found: 0,
            due_at_ms: now_ms,
            failures: 0,
            trouble: String::new(),
            started_at_ms: now_ms,
            finished_at_ms: 0,
        }
    }

    /// The credentials that a payment found by it is tied to.
    pub fn pin(&self) -> Pin {
        Pin { account: self.account.clone(), generation: self.key.generation }
    }
}

/// A session that Stripe has, of a payment that the ledger does not know (yet).
#[derive(Clone, PartialEq, Eq)]
pub struct FoundSession {
    /// Whose, by our note on it.
    pub tenant: TenantSlug,
    /// Of which payment, by our note on it.
    pub payment: PaymentId,
    /// Stripe's ID.
    pub session: String,
    /// Number of the attempt, by our note on it.
    pub number: u32,
    /// How far it was when it was listed.
    pub status: SessionStatus,
    /// When Stripe made it. Unix seconds.
    pub created_unix_s: i64,
    /// When Stripe ends it. Unix seconds.
    pub expires_at_unix_s: i64,
    /// Stripe's page, while it was open. It lets anybody pay, so it is in no log.
    pub url: Option<String>,
    /// Test or live.
    pub mode: Mode,
    /// The payment type whose credentials found it.
    pub payment_type: PaymentTypeCode,
    /// The credentials that found it.
    pub pin: Pin,
    /// True once Stripe has the payer's money.
    pub is_paid: bool,
    /// When it is looked at next; 0 once it is final.
    pub due_at_ms: i64,
    /// How often it was looked at since it was listed.
    pub looks: u32,
}

impl FoundSession {
    /// What has this status, with the money or without, never changes again.
    pub fn is_final(status: SessionStatus, is_paid: bool) -> bool {
        match status {
            SessionStatus::Expired => true,
            // A slow way to pay completes first and pays days later, or never.
            SessionStatus::Complete => is_paid,
            SessionStatus::Open => false,
        }
    }

    /// The credentials to ask with.
    pub fn key(&self) -> RecoveryKey {
        RecoveryKey {
            tenant: self.tenant.clone(),
            payment_type: self.payment_type.clone(),
            mode: self.mode,
            generation: self.pin.generation,
        }
    }
}
