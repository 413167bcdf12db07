//! Makes any event that the sandbox knows happen, with all that comes before it: the objects are
//! real and can be looked up.

use holdfast_stripe::objects::{EventType, IntentStatus, SessionStatus};

use super::attempt::Attempted;
use super::cards::{CardFacts, CardForm};
use super::model::{LastError, Payer, Presented, Snapshot};
use super::pay::ChallengeAnswer;
use super::replay::Action;
use super::shelf::Shelf;
use super::{ApiRequest, Core, Id};

/// Every event type that can be triggered.
pub const TRIGGERS: [&str; 29] = [
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.failed",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.created",
    "customer.deleted",
    "customer.updated",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "refund.created",
    "refund.failed",
    "refund.updated",
];

/// There is no such event type here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox cannot trigger this event type")]
pub struct UnknownTrigger;

const INTENTS: &str = "/v1/payment_intents";
const SESSION: &str = "mode=payment&success_url=https%3A%2F%2Fexample.com%2Fsuccess&\
    line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=1500&\
    line_items[0][price_data][product_data][name]=triggered&line_items[0][quantity]=2";

impl Core {
    /// Lets an event of this type happen. Gives every event that came of it, oldest first.
    pub fn trigger(&mut self, kind: &str, now_ms: i64) -> Result<Vec<Id>, UnknownTrigger> {
        self.advance(now_ms);
        if !TRIGGERS.contains(&kind) {
            return Err(UnknownTrigger);
        }
        let before = self.events.len();
        // What it is made of is not noted apart: a replay triggers again.
        let recorded = std::mem::replace(&mut self.config.recorded, false);
        self.play(kind);
        self.cause = None;
        self.config.recorded = recorded;
        self.record(Action::Trigger { kind: kind.to_owned() });
        Ok(self.events.iter().skip(before).map(|event| event.id).collect())
    }

    fn play(&mut self, kind: &str) {
        match kind {
            "payment_intent.created" => drop(self.made("visa", "")),
            "payment_intent.canceled" => self.on_intent("visa", "", "cancel"),
            "payment_intent.succeeded" | "charge.succeeded" => {
                self.on_intent("visa", "", "confirm")
            }
            "payment_intent.payment_failed" | "charge.failed" => {
                self.on_intent("chargeDeclined", "", "confirm");
            }
            "payment_intent.requires_action" => {
                self.on_intent("threeDSecure2Required", "", "confirm");
            }
            "payment_intent.amount_capturable_updated" => {
                self.on_intent("visa", "&capture_method=manual", "confirm");
            }
            "charge.captured" => {
                self.on_intent("visa", "&capture_method=manual", "confirm");
                self.on_last_intent("capture");
            }
            "charge.updated" => {
                self.on_intent("visa", "", "confirm");
                let charge = self.last_charge();
                self.perform(&format!("/v1/charges/{charge}"), "metadata[triggered]=yes");
            }
            "charge.refunded" | "refund.created" => self.refund_with("visa"),
            "refund.updated" => self.refund_with("pendingRefund"),
            "refund.failed" => self.refund_with("refundFail"),
            _ if kind.starts_with("charge.dispute.") => self.dispute_until(kind),
            _ if kind.starts_with("customer.") => self.customer_until(kind),
            _ if kind.starts_with("payment_method.") => self.method_until(kind),
            "checkout.session.expired" => {
                let session = self.open_session();
                self.perform(&format!("/v1/checkout/sessions/{session}/expire"), "");
            }
            "checkout.session.completed" => {
                let session = self.open_session();
                let form = CardForm::test("4242424242424242");
                self.pay_session(&session, &form, self.now_ms);
            }
            "payment_intent.processing" => drop(self.delayed()),
            "checkout.session.async_payment_succeeded" => {
                self.delayed_until(ChallengeAnswer::Complete)
            }
            "checkout.session.async_payment_failed" => self.delayed_until(ChallengeAnswer::Fail),
            _ => {}
        }
    }

    /// A call of our own.
    fn perform(&mut self, path: &str, body: &str) {
        let request_id = self.ids.request();
        let request = ApiRequest::post(path, body, "", "");
        self.admitted(&request, &request_id);
    }

    fn made(&mut self, card: &str, more: &str) -> Option<Id> {
        let body = format!(
            "amount=2000&currency=usd&description=triggered&payment_method_types[]=card\
             &payment_method=pm_card_{card}{more}"
        );
        self.perform(INTENTS, &body);
        self.intents.iter().next_back().map(|intent| intent.id.clone())
    }

    fn on_intent(&mut self, card: &str, more: &str, call: &str) {
        self.made(card, more);
        self.on_last_intent(call);
    }

    fn on_last_intent(&mut self, call: &str) {
        let last = self.intents.iter().next_back().map(|intent| intent.id.clone());
        if let Some(id) = last {
            self.perform(&format!("{INTENTS}/{id}/{call}"), "");
        }
    }

    fn last_charge(&self) -> Id {
        self.charges.iter().next_back().map(|charge| charge.id.clone()).unwrap_or_default()
    }

    fn refund_with(&mut self, card: &str) {
        self.on_intent(card, "", "confirm");
        let charge = self.last_charge();
        self.perform("/v1/refunds", &format!("charge={charge}"));
        let refund = self.refunds.iter().next_back().map(|refund| refund.id.clone());
        match (card, refund) {
            ("pendingRefund", Some(refund)) => self.complete_refund(&refund),
            ("refundFail", Some(refund)) => self.fail_refund(&refund),
            _ => {}
        }
    }

    fn dispute_until(&mut self, kind: &str) {
        self.on_intent("createDispute", "", "confirm");
        let charge = self.last_charge();
        self.open_dispute(&charge);
        let dispute = self.disputes.iter().next_back().map(|dispute| dispute.id.clone());
        let evidence = match kind {
            "charge.dispute.updated" => "see%20attachment",
            "charge.dispute.closed" | "charge.dispute.funds_reinstated" => "winning_evidence",
            _ => return,
        };
        if let Some(id) = dispute {
            let body = format!("evidence[uncategorized_text]={evidence}");
            self.perform(&format!("/v1/disputes/{id}"), &body);
        }
    }

    fn customer_until(&mut self, kind: &str) {
        self.perform("/v1/customers", "name=Triggered&email=triggered%40example.com");
        let customer = self.customers.iter().next_back().map(|customer| customer.id.clone());
        let Some(customer) = customer else { return };
        let path = format!("/v1/customers/{customer}");
        match kind {
            "customer.updated" => self.perform(&path, "metadata[triggered]=yes"),
            "customer.deleted" => {
                let request_id = self.ids.request();
                let request =
                    ApiRequest { method: "DELETE".into(), ..ApiRequest::get(&path, "", "") };
                self.admitted(&request, &request_id);
            }
            _ => {}
        }
    }

    fn method_until(&mut self, kind: &str) {
        self.customer_until("customer.created");
        let customer = self.customers.iter().next_back().map(|customer| customer.id.clone());
        let body = format!("customer={}", customer.unwrap_or_default());
        self.perform("/v1/payment_methods/pm_card_visa/attach", &body);
        let method = self.methods.iter().next_back().map(|method| method.id.clone());
        if let ("payment_method.detached", Some(method)) = (kind, method) {
            self.perform(&format!("/v1/payment_methods/{method}/detach"), "");
        }
    }

    fn open_session(&mut self) -> Id {
        self.perform("/v1/checkout/sessions", SESSION);
        self.sessions.iter().next_back().map(|session| session.id.clone()).unwrap_or_default()
    }

    /// A session paid by a method that takes days: complete, and not paid yet.
    fn delayed(&mut self) -> Option<Id> {
        let session = self.open_session();
        let session = self.sessions.get(&session).cloned()?;
        let intent = self.intent_of(&session);
        let waiting = self.intents.change(&intent, |it| it.status = IntentStatus::Processing)?;
        self.emit(EventType::IntentProcessing, Snapshot::Intent(waiting));
        let complete =
            self.sessions.change(&session.id, |it| it.status = SessionStatus::Complete)?;
        self.forget_expiry(&complete);
        self.note_session_status(&session.id, SessionStatus::Complete);
        self.emit(EventType::SessionCompleted, Snapshot::Session(complete));
        Some(intent)
    }

    fn delayed_until(&mut self, answer: ChallengeAnswer) {
        let now_s = self.now_s();
        let (Some(intent), Some(card)) =
            (self.delayed(), CardFacts::by_name("pm_card_visa", now_s))
        else {
            return;
        };
        let presented = Presented { card, payer: Payer::nobody(), method: None };
        match answer {
            ChallengeAnswer::Complete => {
                let Attempted::Authorised = self.attempt(&intent, presented, None) else { return };
            }
            ChallengeAnswer::Fail => {
                self.fail(&intent, LastError::NotAuthenticated);
                let session = self.intents.get(&intent).and_then(|intent| intent.session.clone());
                let session = session.and_then(|id| self.sessions.get(&id).cloned());
                if let Some(session) = session {
                    self.emit(EventType::SessionAsyncFailed, Snapshot::Session(session));
                }
            }
        }
    }
}
