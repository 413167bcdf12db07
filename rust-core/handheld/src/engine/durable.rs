//! What is on disk, as the engine sees it.

use super::exchange::Trust;
use super::record::{
    ClockMark, Config, Counters, Enrolment, Key, Notice, NoticeTag, Payment, Record, Route, Write,
};
use crate::view::RecordFault;
use holdfast_domain::{DeviceId, PaymentId};
use holdfast_protocol::wire::PaymentTypeOffer;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The mirror of the disk. It changes only by [`Durable::apply`], after the same write was stored.
#[derive(Default)]
pub struct Durable {
    enrolment: Option<Enrolment>,
    config: Option<Config>,
    counters: Option<Counters>,
    payments: BTreeMap<PaymentId, Box<Payment>>,
    /// One of each that payments share: thousands of them have the same.
    routes: Vec<Arc<Route>>,
    offers: Vec<Arc<PaymentTypeOffer>>,
    earlier: BTreeMap<DeviceId, Enrolment>,
    clock: Option<ClockMark>,
    notices: BTreeMap<(PaymentId, NoticeTag), Notice>,
    quarantine: Vec<Quarantined>,
    key_lost: bool,
}

/// A record that cannot be read. It stays on disk, and is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Kind of record, such as `payment`.
    pub table: &'static str,
    /// Its ID in words: for a payment, the payment ID.
    pub record_id: String,
    /// What is wrong with it.
    pub fault: RecordFault,
    /// False if it is known that nothing was promised in it.
    pub may_be_held: bool,
}

impl Quarantined {
    /// The payment it is about, if it is about one.
    pub fn payment(&self) -> Option<PaymentId> {
        (self.table == "payment").then(|| PaymentId::parse(&self.record_id).ok()).flatten()
    }
}

impl Durable {
    /// From the records that could be read, and the names of those that could not.
    pub fn load(records: Vec<Record>, quarantine: Vec<Quarantined>) -> Self {
        let mut durable = Self::default();
        for record in records {
            durable.apply(Write::Put(record));
        }
        durable.loaded(quarantine)
    }

    /// The same at the end of records that were applied one by one: ten thousand of them are not to
    /// lie in memory twice.
    pub(crate) fn loaded(mut self, quarantine: Vec<Quarantined>) -> Self {
        self.quarantine = quarantine;
        self.mend_counters();
        self
    }

    /// The same, if the key that the records were sealed under is lost: nothing could be read.
    pub fn key_lost(quarantine: Vec<Quarantined>) -> Self {
        Self { quarantine, key_lost: true, ..Self::default() }
    }

    /// Mirrors one stored write.
    pub fn apply(&mut self, write: Write) {
        match write {
            Write::Put(Record::Enrolment(enrolment)) => self.enrolment = Some(*enrolment),
            Write::Put(Record::Config(config)) => self.config = Some(config),
            Write::Put(Record::Counters(counters)) => self.counters = Some(counters),
            Write::Put(Record::Payment(mut payment)) => {
                payment.cart.lines.shrink_to_fit();
                payment.cart.priced.shrink_to_fit();
                if let Some(method) = &mut payment.method {
                    share(method, &mut self.offers);
                }
                if let Some(held) = &mut payment.held {
                    share(&mut held.route, &mut self.routes);
                    held.order.shrink_to_fit();
                }
                self.payments.insert(payment.payment, payment);
            }
            Write::Delete(Key::Enrolment) => self.enrolment = None,
            Write::Delete(Key::Config) => self.config = None,
            Write::Delete(Key::Counters) => self.counters = None,
            Write::Delete(Key::Payment(payment)) => {
                self.payments.remove(&payment);
            }
            Write::Put(Record::Earlier(enrolment)) => {
                self.earlier.insert(enrolment.device, *enrolment);
            }
            Write::Put(Record::Clock(clock)) => self.clock = Some(clock),
            Write::Put(Record::Notice(notice)) => {
                self.notices.insert((notice.payment, notice.tag), *notice);
            }
            Write::Delete(Key::Earlier(device)) => {
                self.earlier.remove(&device);
            }
            Write::Delete(Key::Clock) => self.clock = None,
            Write::Delete(Key::Notice(payment, tag)) => {
                self.notices.remove(&(payment, tag));
            }
        }
    }

    /// Who this handheld is.
    pub fn enrolment(&self) -> Option<&Enrolment> {
        self.enrolment.as_ref()
    }

    /// The last configuration.
    pub fn config(&self) -> Option<&Config> {
        self.config.as_ref()
    }

    /// One payment.
    pub fn payment(&self, payment: PaymentId) -> Option<&Payment> {
        self.payments.get(&payment).map(Box::as_ref)
    }

    /// Every payment, oldest first.
    pub fn payments(&self) -> impl DoubleEndedIterator<Item = &Payment> {
        self.payments.values().map(Box::as_ref)
    }

    /// An earlier enrolment, by its device ID.
    pub fn earlier(&self, device: DeviceId) -> Option<&Enrolment> {
        self.earlier.get(&device)
    }

    /// The present enrolment and all before it.
    pub fn enrolments(&self) -> impl Iterator<Item = &Enrolment> {
        self.enrolment.iter().chain(self.earlier.values())
    }

    /// The enrolment of a device ID that this handheld has or had.
    pub fn enrolment_of(&self, device: DeviceId) -> Option<&Enrolment> {
        self.enrolments().find(|enrolment| enrolment.device == device)
    }

    /// Who vouches for the gateway at this address: as the latest enrolment there said.
    pub fn trust_of(&self, gateway_url: &str) -> Trust {
        let there = self.enrolments().find(|enrolment| enrolment.gateway_url == gateway_url);
        there.map_or(Trust::Public, Enrolment::trust)
    }

    /// The last mark of the gateway's clock.
    pub fn clock(&self) -> Option<ClockMark> {
        self.clock
    }

    /// One notice.
    pub fn notice(&self, payment: PaymentId, tag: NoticeTag) -> Option<&Notice> {
        self.notices.get(&(payment, tag))
    }

    /// Every notice.
    pub fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.notices.values()
    }

    /// True if the key that the records were sealed under is lost, and no new one has taken its
    /// place by an enrolment.
    pub fn is_key_lost(&self) -> bool {
        self.key_lost && self.enrolment.is_none()
    }

    /// The ledger's epoch, as far as this handheld knows.
    pub fn epoch(&self) -> u64 {
        self.counters.map_or(0, |counters| counters.epoch)
    }

    /// What could not be read.
    pub fn quarantine(&self) -> &[Quarantined] {
        &self.quarantine
    }

    /// The counters of this enrolment.
    pub fn counters(&self, enrolment: &Enrolment) -> Counters {
        match self.counters {
            Some(counters) if counters.device == enrolment.device => counters,
            _ => Counters::new(enrolment.device),
        }
    }

    /// The latest time in any payment ID, so that a new one sorts after all of them.
    pub(crate) fn latest_minted_ms(&self) -> u64 {
        let last = self.payments.last_key_value().map_or(0, |(last, _)| minted_ms(*last));
        let unread = self.quarantine.iter().filter_map(Quarantined::payment).map(minted_ms).max();
        let forgotten = self.counters.map_or(0, |counters| counters.forgotten_until_ms);
        last.max(unread.unwrap_or(0)).max(forgotten)
    }

    /// The counters may be damaged or lost. A number must never be used twice; a gap is only
    /// reported by the gateway. So count on after every order that is or may have been there.
    fn mend_counters(&mut self) {
        let Some(enrolment) = &self.enrolment else {
            return;
        };
        let mut counters = self.counters(enrolment);
        let of_device = |payment: &Payment| {
            let held = payment.held.as_ref()?;
            (held.device == enrolment.device).then_some(held.sequence)
        };
        let last = self.payments().filter_map(of_device).max().unwrap_or(0);
        let is_damaged = |table: &str| self.quarantine.iter().any(|lost| lost.table == table);
        if is_damaged("counters") {
            let unread = self.quarantine.iter().filter(|lost| lost.table == "payment").count();
            let unread = u64::try_from(unread).unwrap_or(u64::MAX);
            counters.next_sequence = last.saturating_add(unread).saturating_add(1);
        }
        counters.next_sequence = counters.next_sequence.max(last.saturating_add(1));
        self.counters = Some(counters);
    }
}

/// Takes the known one of two equal values.
fn share<T: PartialEq>(value: &mut Arc<T>, known: &mut Vec<Arc<T>>) {
    match known.iter().find(|known| *known == value) {
        Some(known) => *value = Arc::clone(known),
        None => known.push(Arc::clone(value)),
    }
}

/// The milliseconds since 1970 that an ID was minted with.
pub(crate) fn minted_ms(payment: PaymentId) -> u64 {
    // RFC 9562: they are the first 48 bits of a version 7 UUID.
    payment.as_bytes().iter().take(6).fold(0, |ms, byte| (ms << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::fixture;

    fn held(sequence: u64) -> Record {
        Record::Payment(Box::new(fixture::held_payment(sequence)))
    }

    fn next_sequence(records: Vec<Record>, quarantined: &[&'static str]) -> u64 {
        let quarantine = quarantined
            .iter()
            .map(|table| Quarantined {
                table,
                record_id: String::new(),
                fault: RecordFault::Damaged,
                may_be_held: true,
            })
            .collect();
        let durable = Durable::load(records, quarantine);
        durable.counters(durable.enrolment().unwrap()).next_sequence
    }

    #[test]
    fn lost_counters_never_repeat_a_number() {
        let enrolment = || Record::Enrolment(Box::new(fixture::enrolment()));
        assert_eq!(next_sequence(vec![enrolment()], &[]), 1);
        assert_eq!(next_sequence(vec![enrolment(), held(1), held(4)], &["counters"]), 5);
        let lost = &["counters", "payment", "payment"];
        assert_eq!(next_sequence(vec![enrolment(), held(4)], lost), 7);
    }

    #[test]
    fn orders_of_an_earlier_enrolment_are_not_counted() {
        let mut enrolment = fixture::enrolment();
        enrolment.device = holdfast_domain::DeviceId::from_bytes([9; 8]);
        assert_eq!(next_sequence(vec![Record::Enrolment(Box::new(enrolment)), held(4)], &[]), 1);
    }
}
