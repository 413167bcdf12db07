//! What the screens see of the engine's state.

use super::record::{Delivery, Enrolment, Payment};
use super::{Engine, Moment};
use crate::view::{
    CatalogueItemView, EnrolmentView, MoneyView, ParkedReason, PaymentTypeView, PaymentView,
    Provider, QuarantineView, Snapshot, SummaryLineView,
};
use holdfast_domain::{CatalogueItem, PaymentId, PaymentState, PricedLine};
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
            payments: newest_first.map(|payment| self.view(payment)).collect(),
            link: self.link,
            queued: u32::try_from(self.outbox.len()).unwrap_or(u32::MAX),
            quarantine: self.quarantine_views(),
        }
    }

    /// One payment.
    pub fn payment(&self, payment: PaymentId) -> Option<PaymentView> {
        self.durable.payment(payment).map(|payment| self.view(payment))
    }

    fn view(&self, payment: &Payment) -> PaymentView {
        let held = payment.held.as_ref();
        let status = held.and_then(|held| held.status.as_ref());
        let pay_address = pay_address_of(payment);
        let host = held.map(|held| host_in_words(&held.route.public_url));
        PaymentView {
            payment_id: payment.payment.to_string(),
            revision: payment.revision,
            state: state(payment),
            lines: payment.cart.priced.iter().map(line_view).collect(),
            total: payment.cart.total.into(),
            payment_type: payment.method.as_ref().map(type_view),
            mode: payment.method.as_ref().map(|method| method.mode),
            held_at_ms: held.map(|held| i64::try_from(held.held_at_ms).unwrap_or(i64::MAX)),
            pay_host: pay_address.as_ref().and(host),
            pay_address,
            receipt_order_id: status.and_then(|s| s.receipt_order_id).map(|id| id.to_string()),
            confirm_code: self.confirm_code(payment),
            decline: status.and_then(|status| status.decline),
            attention: status.and_then(|status| status.attention),
            parked: parked(payment),
        }
    }

    /// Only once money has arrived, so that this screen is never the first to show it.
    fn confirm_code(&self, payment: &Payment) -> Option<String> {
        let held = payment.held.as_ref()?;
        let enrolment = self.durable.enrolment().filter(|known| known.device == held.device)?;
        held.status.as_ref().filter(|status| status.state.has_been_paid())?;
        let total = payment.cart.total;
        Some(confirm_code(&enrolment.confirm_secret, payment.payment, total).to_string())
    }

    fn quarantine_views(&self) -> Vec<QuarantineView> {
        let view = |lost: &super::Quarantined| QuarantineView {
            table: lost.table.to_owned(),
            record_id: lost.record_id.clone(),
        };
        self.durable.quarantine().iter().map(view).collect()
    }
}

/// Where a payment stands, by all that this handheld knows.
pub(super) fn state(payment: &Payment) -> PaymentState {
    let Some(held) = &payment.held else {
        return PaymentState::Draft;
    };
    match (held.delivery, &held.status) {
        (Delivery::Parked(_), _) => PaymentState::NeedsAttention,
        (Delivery::Queued, _) => PaymentState::Queued,
        (Delivery::Delivered, Some(status)) => status.state,
        (Delivery::Delivered, None) => PaymentState::Sent,
    }
}

fn parked(payment: &Payment) -> Option<ParkedReason> {
    match payment.held.as_ref()?.delivery {
        Delivery::Parked(reason) => Some(reason),
        Delivery::Queued | Delivery::Delivered => None,
    }
}

/// While a payer can use it: offered for a payment that is over, it would only confuse.
fn pay_address_of(payment: &Payment) -> Option<String> {
    let held = payment.held.as_ref()?;
    let state = state(payment);
    let is_of_use = state.can_be_paid() || state == PaymentState::Processing;
    let order = SignedOrder::parse(&held.order).ok().filter(|_| is_of_use)?;
    Some(pay_address(&held.route.public_url, &order))
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
        },
        mode: offer.mode,
    }
}

fn age_ms(fetched_at_ms: u64, now: Moment) -> i64 {
    i64::try_from(now.wall_ms.saturating_sub(fetched_at_ms)).unwrap_or(i64::MAX)
}
