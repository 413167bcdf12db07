//! What the screens see of the engine's state.

use super::record::{Delivery, Enrolment, Held, NoticeState, NoticeTag, Payment};
use super::{Engine, Moment};
use crate::view::{
    CatalogueItemView, EnrolmentView, KeyState, MoneyView, ParkedReason, PaymentTypeView,
    PaymentView, Provider, QuarantineView, Snapshot, SummaryLineView,
};
use holdfast_domain::{CatalogueItem, PaymentId, PaymentState, PricedLine, ProvisionalReceipt};
use holdfast_protocol::enrolment::six_digits;
use holdfast_protocol::pay_address::{host_in_words, pay_address};
use holdfast_protocol::wire::{self, PaymentTypeOffer};
use holdfast_protocol::{SignedOrder, confirm_code};

/// Payments in a snapshot: what an officer scrolls through. Older ones are asked for by their ID.
const SNAPSHOT_PAYMENTS_MAX: usize = 50;

impl Engine {
    /// Everything but the contents of older payments.
    pub fn snapshot(&self, now: Moment) -> Snapshot {
        let config = self.durable.config();
        let catalogue = config.and_then(|config| config.config.catalogue.as_ref());
        let offers = config.map(|config| config.config.payment_types.as_slice());
        let newest_first = self.durable.payments().rev().take(SNAPSHOT_PAYMENTS_MAX);
        Snapshot {
            revision: self.revision,
            enrolment: self.durable.enrolment().map(enrolment_view),
            catalogue: catalogue
                .map(|c| c.items.iter().map(item_view).collect())
                .unwrap_or_default(),
            catalogue_age_ms: config.map(|config| age_ms(config.fetched_at_ms, now)),
            payment_types: offers.unwrap_or_default().iter().map(type_view).collect(),
            payments: newest_first.map(|payment| self.view(payment, now)).collect(),
            link: self.link,
            queued: self.queued(),
            queued_since_ms: self.queued_since_ms(now),
            queued_requests: self.queued_requests(),
            quarantine: self.quarantine_views(),
            keys: self.keys(),
            older_file: self.is_older_file(),
        }
    }

    /// One payment, as of the last step.
    pub fn payment(&self, payment: PaymentId) -> Option<PaymentView> {
        self.payment_at(payment, self.now)
    }

    /// Where a payment stands, and why it is parked if it is: what [`Engine::payment`] says of both.
    pub fn standing(&self, payment: PaymentId) -> Option<(PaymentState, Option<ParkedReason>)> {
        let payment = self.durable.payment(payment)?;
        Some((self.state(payment), parked(payment)))
    }

    /// One payment, as of a moment.
    pub fn payment_at(&self, payment: PaymentId, now: Moment) -> Option<PaymentView> {
        self.durable.payment(payment).map(|payment| self.view(payment, now))
    }

    fn view(&self, payment: &Payment, now: Moment) -> PaymentView {
        let held = payment.held.as_ref();
        let (lifetime_over, lifetime_is_sure) = self.lifetime_over(payment, now);
        let gateway_ms = held.and_then(|held| self.held_at_gateway_ms(held));
        let status = held.and_then(|held| held.status.as_ref());
        let pay_address = self.pay_address_of(payment);
        let host = held.map(|held| host_in_words(&held.route.public_url));
        PaymentView {
            payment_id: payment.payment.to_string(),
            revision: payment.revision,
            state: self.state(payment),
            lines: payment.cart.priced.iter().map(line_view).collect(),
            total: payment.cart.total.into(),
            payment_type: payment.method.as_deref().map(type_view),
            mode: payment.method.as_ref().map(|method| method.mode),
            held_at_ms: held.map(|held| self.held_at_ms(held)),
            held_at_is_sure: gateway_ms.is_some(),
            lifetime_over,
            lifetime_is_sure,
            pay_host: pay_address.as_ref().and(host),
            pay_address,
            receipt_order_id: status
                .and_then(|status| status.receipt_order_id)
                .or_else(|| held?.proof.as_ref()?.receipt_order_id)
                .map(|id| id.to_string()),
            provisional_receipt: held
                .filter(|_| payment.is_cash())
                .map(|held| ProvisionalReceipt::of(held.device, held.sequence).to_string()),
            held_up_by: status
                .filter(|status| status.state.can_be_paid())
                .and_then(|status| status.held_up.as_ref())
                .map(|reference| reference.to_string()),
            confirm_code: self.confirm_code(payment),
            decline: status.and_then(|status| status.decline),
            attention: status.and_then(|status| status.attention),
            parked: parked(payment),
            verified_offline: self.is_verified_offline(payment),
            request: self.request_view(payment),
            found_at_start: self.is_found_at_start(payment),
            from_gateway: held.is_some_and(|held| held.imported),
            who_acts: self.who_acts(payment, lifetime_over),
            actions: self.officer_actions(payment, now),
        }
    }

    fn queued(&self) -> u32 {
        let queued = self.durable.payments().filter(|payment| payment.is_queued());
        u32::try_from(queued.count()).unwrap_or(u32::MAX)
    }

    /// The oldest is told by its age, which no wrong clock changes.
    fn queued_since_ms(&self, now: Moment) -> Option<i64> {
        let queued = self.durable.payments().filter(|payment| payment.is_queued());
        let held = queued.filter_map(|payment| payment.held.as_ref());
        held.max_by_key(|held| self.age(held, now).ms).map(|held| self.held_at_ms(held))
    }

    fn queued_requests(&self) -> u32 {
        let is_request = |tag| matches!(tag, NoticeTag::Cancel | NoticeTag::Withdraw);
        let queued = self.durable.notices().filter(|notice| is_request(notice.tag));
        let queued = queued.filter(|notice| notice.state == NoticeState::Queued);
        u32::try_from(queued.count()).unwrap_or(u32::MAX)
    }

    /// By the gateway's clock where it is known, otherwise by this handheld's.
    fn held_at_ms(&self, held: &Held) -> i64 {
        let ms = self.held_at_gateway_ms(held).unwrap_or(held.held_at_ms);
        i64::try_from(ms).unwrap_or(i64::MAX)
    }

    fn keys(&self) -> KeyState {
        if self.durable.is_key_lost() {
            KeyState::VaultKeyLost
        } else if self.device_key_lost {
            KeyState::DeviceKeyLost
        } else {
            KeyState::Good
        }
    }

    fn is_older_file(&self) -> bool {
        let enrolment = self.durable.enrolment();
        enrolment.is_some_and(|enrolment| self.durable.counters(enrolment).older_file)
    }

    /// Only once money has arrived, so that this screen is never the first to show it.
    fn confirm_code(&self, payment: &Payment) -> Option<String> {
        let held = payment.held.as_ref()?;
        let enrolment = self.durable.enrolment_of(held.device)?;
        if payment.is_cash() && held.status.is_none() {
            return None;
        }
        if !self.state(payment).has_been_paid() {
            return None;
        }
        let total = payment.cart.total;
        Some(confirm_code(&enrolment.confirm_secret, payment.payment, total).to_string())
    }

    fn quarantine_views(&self) -> Vec<QuarantineView> {
        let is_made_good = |lost: &&super::Quarantined| {
            lost.payment().is_some_and(|payment| self.durable.payment(payment).is_some())
        };
        let notice = |payment| self.durable.notice(payment, NoticeTag::Quarantined);
        let view = |lost: &super::Quarantined| QuarantineView {
            table: lost.table.to_owned(),
            record_id: lost.record_id.clone(),
            fault: lost.fault,
            reported: lost
                .payment()
                .and_then(notice)
                .is_some_and(|notice| notice.state == NoticeState::Answered),
        };
        let quarantine = self.durable.quarantine().iter();
        quarantine.filter(|lost| !is_made_good(lost)).map(view).collect()
    }

    /// While a payer can use it: offered for a payment that is over, it would only confuse.
    fn pay_address_of(&self, payment: &Payment) -> Option<String> {
        let held = payment.held.as_ref()?;
        let state = self.state(payment);
        let is_of_use = state.can_be_paid() || state == PaymentState::Processing;
        let order = SignedOrder::parse(&held.order).ok().filter(|_| is_of_use)?;
        Some(pay_address(&held.route.public_url, &order))
    }
}

pub(super) fn parked(payment: &Payment) -> Option<ParkedReason> {
    match payment.held.as_ref()?.delivery {
        Delivery::Parked(reason) => Some(reason),
        Delivery::Queued | Delivery::Delivered | Delivery::Withdrawn => None,
    }
}

fn enrolment_view(enrolment: &Enrolment) -> EnrolmentView {
    let digits = enrolment.device_key().map(|key| six_digits(&key));
    EnrolmentView {
        organisation: enrolment.organisation.clone(),
        gateway_host: host_in_words(&enrolment.gateway_url),
        device_id: enrolment.device.to_string(),
        officer: enrolment.officer_name.clone(),
        six_digits: digits.unwrap_or_default(),
        approved: enrolment.approved,
    }
}

fn item_view(item: &CatalogueItem) -> CatalogueItemView {
    CatalogueItemView { id: item.id, name: item.name.clone(), price: item.price.into() }
}

fn line_view(line: &PricedLine) -> SummaryLineView {
    let amount = MoneyView::from(line.amount);
    SummaryLineView { name: line.name.clone(), quantity: line.quantity, amount }
}

fn type_view(offer: &PaymentTypeOffer) -> PaymentTypeView {
    PaymentTypeView {
        code: offer.code.to_string(),
        name: offer.name.clone(),
        provider: match offer.provider {
            wire::Provider::Stripe => Provider::Stripe,
            wire::Provider::Cash => Provider::Cash,
        },
        mode: offer.mode,
    }
}

fn age_ms(fetched_at_ms: u64, now: Moment) -> i64 {
    i64::try_from(now.wall_ms.saturating_sub(fetched_at_ms)).unwrap_or(i64::MAX)
}
