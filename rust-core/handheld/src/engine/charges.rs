//! Looking for charges, and remembering what was found until it is in a cart.
//!
//! A search needs the gateway: what is owed changes. What it found is kept in memory, so that an
//! officer whose network goes can still put it into a cart and hold; should somebody else settle it
//! meanwhile, the gateway takes the order and says that it is paid already.

use super::exchange::{Answer, Response, TransportFault};
use super::message::{Caller, Command, Reply, Step, Ticket};
use super::token::REQUEST_MS_MAX;
use super::turn::{Moment, Turn};
use super::{Engine, Purpose};
use crate::error::RefreshError;
use crate::search::{ChargeView, FoundCharges, SearchError};
use crate::view::MoneyView;
use holdfast_domain::{ChargeReference, Mode, Owed};
use holdfast_protocol::wire::{ChargeFound, ChargesResponse, FIND_CHARS_MAX, FIND_CHARS_MIN};
use std::collections::{BTreeMap, VecDeque};

/// Found charges that are remembered at the most; then the earliest are forgotten.
const REMEMBERED_MAX: usize = 200;

/// Searches, and what they found.
#[derive(Default)]
pub(super) struct Searches {
    waiting: VecDeque<Search>,
    running: BTreeMap<Ticket, Search>,
    failed: Vec<(Caller, SearchError)>,
    found: VecDeque<Owed>,
}

struct Search {
    caller: Caller,
    find: String,
    /// The token was refused once, and another is fetched.
    again: bool,
}

impl Searches {
    pub(super) fn wants_a_token(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What is owed on a charge, as far as was found.
    pub(super) fn owed(&self, reference: &ChargeReference) -> Option<&Owed> {
        self.found.iter().find(|owed| owed.reference == *reference)
    }

    /// There is no token: whoever waits is told why.
    pub(super) fn fail(&mut self, fault: &RefreshError) {
        let error = match fault {
            RefreshError::CertificateUntrusted => SearchError::CertificateUntrusted,
            RefreshError::DeviceKeyUnavailable => SearchError::DeviceKeyUnavailable,
            RefreshError::Refused { sentence } => {
                SearchError::Refused { sentence: sentence.clone() }
            }
            RefreshError::DeviceRevoked => SearchError::NotApproved,
            _ => SearchError::Offline,
        };
        let waiting = self.waiting.drain(..).map(|search| (search.caller, error.clone()));
        self.failed.extend(waiting);
    }

    fn remember(&mut self, found: &[ChargeFound]) {
        for charge in found {
            self.found.retain(|known| known.reference != charge.owed.reference);
            self.found.push_back(charge.owed.clone());
        }
        while self.found.len() > REMEMBERED_MAX {
            self.found.pop_front();
        }
    }
}

impl Engine {
    pub(super) fn search_charges(&mut self, caller: Caller, find: &str, now: Moment) -> Step {
        let refused = |error| Step::reply(caller, Reply::SearchCharges(Err(error)));
        match self.durable.enrolment().map(|enrolment| enrolment.approved) {
            None => return refused(SearchError::NotEnrolled),
            Some(false) => return refused(SearchError::NotApproved),
            Some(true) => {}
        }
        let find: String = find.trim().chars().take(FIND_CHARS_MAX).collect();
        if find.chars().filter(|letter| !letter.is_whitespace()).count() < FIND_CHARS_MIN {
            let min = u32::try_from(FIND_CHARS_MIN).unwrap_or(u32::MAX);
            return refused(SearchError::TooShort { min });
        }
        self.token.hurry(now);
        self.searches.waiting.push_back(Search { caller, find, again: false });
        Step::default()
    }

    /// With a token: every search that waits.
    pub(super) fn start_searches(&mut self, commands: &mut Vec<Command>) {
        while let Some(search) = self.searches.waiting.pop_front() {
            let path = format!("charges?find={}", percent_encoded(&search.find));
            let Some(request) = self.read_request(&path, REQUEST_MS_MAX) else { return };
            let ticket = self.issue(Purpose::Charges);
            self.searches.running.insert(ticket, search);
            commands.push(Command::Send { ticket, request });
        }
    }

    pub(super) fn charges_answer(
        &mut self,
        ticket: Ticket,
        answer: Result<Response, TransportFault>,
        turn: &mut Turn,
    ) -> Step {
        let answer = Answer::<ChargesResponse>::read(answer);
        self.hear(&answer, turn.now);
        let Some(search) = self.searches.running.remove(&ticket) else { return Step::default() };
        let caller = search.caller;
        let told = |answer| Step::reply(caller, Reply::SearchCharges(answer));
        match answer {
            Answer::Good(found) => {
                self.searches.remember(&found.charges);
                let mode = self.mode_of_charges();
                let charges = found.charges.into_iter().map(|it| view(it, mode)).collect();
                told(Ok(FoundCharges { charges, more: found.more }))
            }
            Answer::Refused(refusal) => {
                let writes = self.session_refused(&refusal);
                let mut step = if refusal.status == 401 && !search.again {
                    self.searches.waiting.push_back(Search { again: true, ..search });
                    self.token.hurry(turn.now);
                    Step::default()
                } else {
                    told(Err(SearchError::Refused { sentence: refusal.sentence }))
                };
                step.writes = writes;
                step
            }
            Answer::Untrusted => told(Err(SearchError::CertificateUntrusted)),
            Answer::Unanswered | Answer::Strange => told(Err(SearchError::Offline)),
        }
    }

    /// Answers the searches that cannot be made.
    pub(super) fn finish_searches(&mut self, commands: &mut Vec<Command>) {
        let failed = std::mem::take(&mut self.searches.failed).into_iter();
        let reply = |(caller, error)| (caller, Reply::SearchCharges(Err(error)));
        commands.extend(super::replies(failed.map(reply)));
    }

    /// The mode in which a charge would be paid here: live, once any payment type is.
    fn mode_of_charges(&self) -> Mode {
        let offers = self.durable.config().map(|it| it.config.payment_types.as_slice());
        let is_live = offers.unwrap_or_default().iter().any(|it| it.mode == Mode::Live);
        if is_live { Mode::Live } else { Mode::Test }
    }
}

fn view(found: ChargeFound, mode: Mode) -> ChargeView {
    ChargeView {
        reference: found.owed.reference.to_string(),
        name: found.owed.name,
        amount: MoneyView::from(found.owed.amount),
        plate: found.plate,
        payer: found.payer,
        due_on: found.due_on,
        state: match mode {
            Mode::Test => found.test,
            Mode::Live => found.live,
        },
    }
}

/// Text as it stands in a query (RFC 3986, section 2.1).
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_cannot_leave_the_query() {
        assert_eq!(percent_encoded("AB 12&x=%ü"), "AB%2012%26x%3D%25%C3%BC");
    }
}
