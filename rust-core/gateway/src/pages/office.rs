//! The office's pages.

use super::{Moment, StateView};
use crate::settings::FieldError;
use crate::users::Role;
use askama::Template;
use holdfast_domain::Money;
use holdfast_ledger::DeviceStatus;

/// What stands above every page of the office.
#[derive(Debug, Clone)]
pub(crate) struct Top {
    pub(crate) organisation: String,
    pub(crate) page: &'static str,
    pub(crate) csrf: String,
    /// True while some payment type is in test mode.
    pub(crate) is_test: bool,
    /// Who is signed in, and what their role lets them see.
    pub(crate) person: String,
    pub(crate) is_administrator: bool,
    pub(crate) is_finance: bool,
    /// Refunds and disputes that nobody of the finance role has read yet.
    pub(crate) unread: i64,
    /// Cash whose orders were refused and that nobody has dealt with.
    pub(crate) cash_waits: i64,
    /// Payments that wait for approval or need attention.
    pub(crate) to_look_at: i64,
    pub(crate) has_password: bool,
    /// After a restore: how far asking Stripe has come, as long as that matters.
    pub(crate) restored: Option<String>,
}

/// Behind the one-time link: a button, because following a link must change nothing.
#[derive(Template)]
#[template(path = "office/link.html")]
pub(crate) struct LinkPage {
    pub(crate) action: String,
    pub(crate) name: String,
    pub(crate) session_hours: i64,
}

/// Name and password.
#[derive(Template, Default)]
#[template(path = "office/sign_in.html")]
pub(crate) struct SignInPage {
    /// True where several tenants share the host name.
    pub(crate) asks_tenant: bool,
    pub(crate) tenant: String,
    pub(crate) name: String,
    /// The page of the office that opens then.
    pub(crate) to: String,
    /// Why the form stands here, where another page was asked for.
    pub(crate) notice: Option<&'static str>,
    pub(crate) error: Option<&'static str>,
}

/// One's own password.
#[derive(Template)]
#[template(path = "office/account.html")]
pub(crate) struct AccountPage {
    pub(crate) top: Top,
    pub(crate) role: &'static str,
    pub(crate) chars_min: usize,
    /// The field that was refused, and why.
    pub(crate) error: Option<FieldError>,
    pub(crate) saved: bool,
}

impl AccountPage {
    fn error(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|(name, _)| *name == field).map(|(_, why)| why.as_str())
    }
}

/// The people of the office.
#[derive(Template)]
#[template(path = "office/people.html")]
pub(crate) struct PeoplePage {
    pub(crate) top: Top,
    /// The number of whoever looks.
    pub(crate) me: i64,
    pub(crate) people: Vec<PersonView>,
    pub(crate) new_link: Option<NewLinkView>,
    /// What was refused, and why.
    pub(crate) error: Option<(Refused, String)>,
    /// The name that was refused, to be corrected.
    pub(crate) typed: String,
}

/// What the Users page refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A new name.
    Name,
    /// Something about somebody on the list.
    Change,
}

impl PeoplePage {
    fn error(&self, refused: Refused) -> Option<&str> {
        self.error.as_ref().filter(|(what, _)| *what == refused).map(|(_, why)| why.as_str())
    }
}

/// Somebody on the list.
#[derive(Debug, Clone)]
pub(crate) struct PersonView {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) has_password: bool,
    pub(crate) locked_until: Option<Moment>,
}

/// A one-time link that was just made.
#[derive(Debug, Clone)]
pub(crate) struct NewLinkView {
    pub(crate) name: String,
    pub(crate) link: String,
}

/// Who changed what.
#[derive(Template)]
#[template(path = "office/audit.html")]
pub(crate) struct AuditPage {
    pub(crate) top: Top,
    pub(crate) rows: Vec<AuditRow>,
    pub(crate) rows_max: i64,
    /// The first entry that does not fit; none while all do.
    pub(crate) broken_at: Option<i64>,
}

/// One act.
#[derive(Debug, Clone)]
pub(crate) struct AuditRow {
    pub(crate) number: i64,
    pub(crate) at: Moment,
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) detail: String,
    /// The beginning of its hash.
    pub(crate) head: String,
}

/// The live list.
#[derive(Template)]
#[template(path = "office/payments.html")]
pub(crate) struct PaymentsPage {
    pub(crate) top: Top,
    /// [`PaymentRow`]s, rendered.
    pub(crate) rows: Vec<String>,
    pub(crate) rows_max: i64,
    /// The live stream goes on after this revision.
    pub(crate) revision: u64,
    /// Only those that a person has to look at.
    pub(crate) is_narrowed: bool,
}

/// One payment in the list.
#[derive(Template)]
#[template(path = "office/payment_row.html")]
pub(crate) struct PaymentRow {
    pub(crate) payment: String,
    pub(crate) state: StateView,
    pub(crate) sentence: Option<&'static str>,
    pub(crate) amount: Money,
    pub(crate) receipt_order_id: Option<String>,
    pub(crate) paid_at: Option<Moment>,
    pub(crate) held_at: Moment,
    pub(crate) officer: String,
    pub(crate) is_test: bool,
}

/// Handhelds, and how to add one.
#[derive(Template)]
#[template(path = "office/handhelds.html")]
pub(crate) struct HandheldsPage {
    pub(crate) top: Top,
    pub(crate) officers: Vec<OfficerView>,
    pub(crate) handhelds: Vec<HandheldView>,
    pub(crate) new_code: Option<NewCodeView>,
}

/// An officer to choose.
#[derive(Debug, Clone)]
pub(crate) struct OfficerView {
    pub(crate) id: u32,
    pub(crate) name: String,
}

/// An enrolled handheld.
#[derive(Debug, Clone)]
pub(crate) struct HandheldView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) officer: String,
    pub(crate) six_digits: String,
    pub(crate) enrolled_at: Moment,
    pub(crate) status: DeviceStatus,
    /// The IDs that it had before.
    pub(crate) continues: Vec<String>,
}

/// A code that was just made.
#[derive(Debug, Clone)]
pub(crate) struct NewCodeView {
    pub(crate) code: String,
    pub(crate) link: String,
    /// SVG of the link.
    pub(crate) qr: String,
    pub(crate) officer: String,
    pub(crate) minutes: u64,
}
