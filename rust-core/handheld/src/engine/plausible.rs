//! What a gateway can mean. An answer beyond it is none: were it believed, one garbled number could
//! make this handheld deaf to every answer after it.

use super::Engine;
use super::exchange::Answer;
use holdfast_protocol::wire::{
    ChangesResponse, ConfigResponse, NoticeResponse, PaymentStatus, SubmitResponse,
};

/// The gateway's clock is between 2020 and 2200, in Unix seconds.
const TIME_UNIX_S: std::ops::RangeInclusive<u64> = 1_577_836_800..=7_258_118_400;
/// Most changes that a tenant's counter can have counted: a thousand every second for thirty years.
const REVISION_MAX: u64 = 1_000_000_000_000;
/// A new epoch is the second in which the ledger was put back, or, when the clock has gone backwards,
/// one more than the last. It may be this far ahead of the gateway's clock of now: a day, in seconds.
const EPOCH_AHEAD_MAX_S: u64 = 86_400;
/// Restores that a handheld may have missed between two answers. Each takes an operator some minutes.
const EPOCHS_MISSED_MAX: u64 = 1_000;
/// Days that over payments are kept at the most: ten years.
const HISTORY_DAYS_MAX: u32 = 3_660;

/// An answer whose numbers can be looked at.
pub(crate) trait Plausible {
    /// The gateway's clock, epoch, and what it says of payments, where the answer has them.
    fn claims(&self) -> Claims<'_>;
}

/// What an answer says in numbers.
#[derive(Default)]
pub(crate) struct Claims<'a> {
    time_unix_s: Option<u64>,
    epoch: Option<u64>,
    payments: &'a [PaymentStatus],
    /// Nothing else in it is absurd.
    rest_is_absurd: bool,
}

impl Claims<'_> {
    fn are_plausible(&self, known_epoch: u64) -> bool {
        let time = self.time_unix_s.is_none_or(|time| TIME_UNIX_S.contains(&time));
        let counted = known_epoch.saturating_add(EPOCHS_MISSED_MAX);
        let of_the_clock = self.time_unix_s.unwrap_or(0).saturating_add(EPOCH_AHEAD_MAX_S);
        let epoch = self.epoch.is_none_or(|epoch| epoch <= counted.max(of_the_clock));
        let revisions = self.payments.iter().all(|status| status.revision <= REVISION_MAX);
        time && epoch && revisions && !self.rest_is_absurd
    }
}

impl Engine {
    /// The answer, if its numbers can be meant.
    pub(super) fn plausible<T: Plausible>(&self, answer: Answer<T>) -> Answer<T> {
        match answer {
            Answer::Good(good) if !good.claims().are_plausible(self.durable.epoch()) => {
                log::warn!("an answer with absurd numbers in it is taken for none");
                Answer::Strange
            }
            answer => answer,
        }
    }
}

impl Plausible for SubmitResponse {
    fn claims(&self) -> Claims<'_> {
        Claims {
            time_unix_s: Some(self.gateway_time_unix_s),
            epoch: Some(self.epoch),
            payments: std::slice::from_ref(&self.payment),
            ..Claims::default()
        }
    }
}

impl Plausible for NoticeResponse {
    fn claims(&self) -> Claims<'_> {
        Claims {
            time_unix_s: Some(self.gateway_time_unix_s),
            epoch: Some(self.epoch),
            payments: self.payment.as_slice(),
            ..Claims::default()
        }
    }
}

impl Plausible for ChangesResponse {
    fn claims(&self) -> Claims<'_> {
        // Whoever asks after a revision that no change has had yet would not hear of the next ones.
        let newest = self.payments.iter().map(|status| status.revision).max();
        Claims {
            time_unix_s: Some(self.gateway_time_unix_s),
            epoch: Some(self.epoch),
            payments: &self.payments,
            rest_is_absurd: newest.is_some_and(|newest| self.revision > newest)
                || self.revision > REVISION_MAX,
        }
    }
}

impl Plausible for ConfigResponse {
    fn claims(&self) -> Claims<'_> {
        Claims {
            time_unix_s: Some(self.gateway_time_unix_s),
            epoch: Some(self.epoch),
            payments: &[],
            rest_is_absurd: self.history_days > HISTORY_DAYS_MAX,
        }
    }
}
