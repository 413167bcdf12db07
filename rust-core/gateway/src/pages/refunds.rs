//! A payment with its refunds, the form that refunds, and the finance role's list.

use super::office::Top;
use super::{LineView, Moment, Sign, StateView};
use crate::cash::Whereabouts;
use crate::refunds::{ListedAlert, Loss};
use askama::Template;
use holdfast_domain::{Money, RefundStatus};
use holdfast_ledger::{AlertStatus, RefundRequest, RequestState};

/// One payment, for the office.
#[derive(Template)]
#[template(path = "office/payment.html")]
pub(crate) struct PaymentPage {
    pub(crate) top: Top,
    pub(crate) payment: String,
    /// The live stream goes on after this revision.
    pub(crate) revision: u64,
    /// [`PaymentPart`], rendered.
    pub(crate) standing: String,
    pub(crate) lines: Vec<LineView>,
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Stripe's objects, for finance and support.
    pub(crate) objects: Vec<String>,
    pub(crate) held_at: Moment,
    pub(crate) paid_at: Option<Moment>,
    /// Its dispute was lost, and it still settles charges: shown to whoever may decide about that.
    pub(crate) loss: Option<Loss>,
    pub(crate) officer: String,
    /// It waits for an administrator's word, and this is one.
    pub(crate) may_approve: bool,
    /// The refund that the form just asked for.
    pub(crate) asked: Option<Money>,
}

/// The part of a payment's page that changes.
#[derive(Template)]
#[template(path = "office/payment_part.html")]
pub(crate) struct PaymentPart {
    pub(crate) payment: String,
    pub(crate) state: StateView,
    pub(crate) sentence: Option<&'static str>,
    pub(crate) amount: Money,
    pub(crate) refunds: Vec<RefundView>,
    /// What can still go back, or why nothing can; none for whoever may not refund.
    pub(crate) refundable: Option<Result<Money, String>>,
    /// Of a payment in cash.
    pub(crate) cash: Option<CashView>,
}

/// Where the cash of a payment is, and whether whoever looks may void it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CashView {
    pub(crate) at: Whereabouts,
    pub(crate) may_void: bool,
}

/// One refund of a payment.
#[derive(Debug, Clone)]
pub(crate) struct RefundView {
    pub(crate) amount: Money,
    pub(crate) words: String,
    pub(crate) sign: Sign,
    pub(crate) tone: &'static str,
    pub(crate) reason: String,
    pub(crate) who: String,
    pub(crate) at: Option<Moment>,
    pub(crate) object: String,
}

impl RefundView {
    /// A request of ours; how Stripe's refund of it stands, if there is one.
    pub(crate) fn of_request(request: &RefundRequest, status: Option<RefundStatus>) -> Self {
        let (words, sign, tone) = match (request.state, status) {
            (_, Some(status)) => of_status(status),
            (RequestState::Frozen, None) if request.problem.is_empty() => {
                ("Being sent to Stripe".to_owned(), Sign::Waiting, "plain")
            }
            (RequestState::Frozen, None) => {
                let why = &request.problem;
                (format!("Not sent yet, tried again by itself: {why}"), Sign::Look, "bad")
            }
            (RequestState::Made, None) => {
                ("At Stripe, not heard of yet".to_owned(), Sign::Waiting, "plain")
            }
            (RequestState::Refused, None) => (request.problem.clone(), Sign::Stopped, "bad"),
        };
        Self {
            amount: request.amount,
            words,
            sign,
            tone,
            reason: request.reason.clone(),
            who: request.who.clone(),
            at: Some(Moment::from_ms(request.asked_at_ms)),
            object: request.refund.clone().unwrap_or_default(),
        }
    }

    /// A refund that was made in Stripe's Dashboard.
    pub(crate) fn made_elsewhere(object: &str, status: RefundStatus, amount: Money) -> Self {
        let (words, sign, tone) = of_status(status);
        Self {
            amount,
            words,
            sign,
            tone,
            reason: String::new(),
            who: "Made at Stripe".to_owned(),
            at: None,
            object: object.to_owned(),
        }
    }
}

fn of_status(status: RefundStatus) -> (String, Sign, &'static str) {
    let (words, sign, tone) = match status {
        RefundStatus::Pending => ("Pending: on its way to the payer", Sign::Waiting, "plain"),
        RefundStatus::RequiresAction => {
            ("Waits for the payer, whom Stripe has asked for an answer", Sign::Waiting, "plain")
        }
        RefundStatus::Succeeded => ("Succeeded: the money went back", Sign::Back, "good"),
        RefundStatus::Canceled => ("Called off: the money stayed here", Sign::Stopped, "plain"),
        RefundStatus::Failed => ("Failed: the money is here again", Sign::Look, "bad"),
    };
    (words.to_owned(), sign, tone)
}

/// Refund Payment: how much, why, and the one button.
#[derive(Template)]
#[template(path = "office/refund.html")]
pub(crate) struct RefundPage {
    pub(crate) top: Top,
    pub(crate) payment: String,
    pub(crate) receipt_order_id: String,
    pub(crate) paid: Money,
    /// What can still go back, or why nothing can.
    pub(crate) left: Result<Money, String>,
    /// Minted for this form.
    pub(crate) key: String,
    /// How many refunds the form knows of.
    pub(crate) known: usize,
    pub(crate) is_part: bool,
    pub(crate) typed_amount: String,
    pub(crate) typed_reason: String,
    pub(crate) amount_error: Option<String>,
    pub(crate) reason_error: Option<String>,
    /// What another form did meanwhile, or why nothing was done.
    pub(crate) news: Option<String>,
    pub(crate) reason_chars_max: usize,
    /// The charges that this payment settled, with commas between; empty if there are none.
    pub(crate) settles: String,
    /// True if they are not owed any more once all of it went back.
    pub(crate) cancels_charges: bool,
    pub(crate) is_trial: bool,
}

/// What the finance role is told.
#[derive(Template)]
#[template(path = "office/alerts.html")]
pub(crate) struct AlertsPage {
    pub(crate) top: Top,
    pub(crate) alerts: Vec<AlertView>,
    /// True if a line said something else by the time it was acknowledged.
    pub(crate) changed: bool,
}

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct AlertView {
    pub(crate) object: String,
    pub(crate) status: &'static str,
    pub(crate) words: String,
    pub(crate) sign: Sign,
    pub(crate) tone: &'static str,
    pub(crate) amount: Money,
    pub(crate) payment: String,
    pub(crate) receipt_order_id: String,
    pub(crate) changed_at: Moment,
    pub(crate) acknowledged: Option<(String, Moment)>,
    /// Somebody has to say what becomes of the charges that the payment settled.
    pub(crate) to_decide: bool,
}

impl AlertView {
    pub(crate) fn new(listed: ListedAlert) -> Self {
        use AlertStatus as S;
        let ListedAlert { alert, receipt_order_id, to_decide } = listed;
        let (words, sign, tone) = match alert.status {
            S::RefundPending => ("Refund on its way", Sign::Waiting, "plain"),
            S::RefundRequiresAction => ("Refund waits for the payer", Sign::Waiting, "plain"),
            S::RefundSucceeded => ("Refunded", Sign::Back, "good"),
            S::RefundFailed if alert.was == Some(S::RefundSucceeded) => {
                ("Refund failed after it had succeeded: the money is here again", Sign::Look, "bad")
            }
            S::RefundFailed => ("Refund failed: the money is still here", Sign::Look, "bad"),
            S::RefundCanceled => ("Refund called off", Sign::Stopped, "plain"),
            S::RefundRefused => ("Stripe refused the refund: nothing went back", Sign::Look, "bad"),
            S::DisputeOpened => ("Disputed by the payer's bank", Sign::Look, "bad"),
            S::DisputeWon => ("Dispute won: the money stays", Sign::Done, "good"),
            S::DisputeLost if alert.written_off => (
                "Dispute lost: the bank took the money, and it was written off",
                Sign::Stopped,
                "bad",
            ),
            S::DisputeLost => ("Dispute lost: the bank took the money", Sign::Look, "bad"),
            S::PaidTwice => {
                ("Paid twice, not in the same way: refund one of the two", Sign::Look, "bad")
            }
            S::MoneyDiffers => {
                ("Money arrived that does not fit: open the payment", Sign::Look, "bad")
            }
        };
        Self {
            status: alert.status.as_str(),
            words: words.to_owned(),
            sign,
            tone,
            amount: alert.amount,
            payment: alert.payment.to_string(),
            receipt_order_id,
            changed_at: Moment::from_ms(alert.changed_at_ms),
            acknowledged: alert.acknowledged.map(|(who, at_ms)| (who, Moment::from_ms(at_ms))),
            object: alert.object,
            to_decide,
        }
    }
}
