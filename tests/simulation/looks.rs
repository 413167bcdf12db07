//! Looks at Stripe, most of which find what the same look has found before.
//!
//! An answer of the sandbox follows from the rows it is read off. A row that changes is another one
//! (`Arc`), for as long as somebody keeps the old one; so an answer is kept with its rows, and is given
//! again for just as long as the sandbox has these. A list by time is read off everything: it is given
//! again until something happens at Stripe.

use super::shared::Inner;
use holdfast_sandbox::core::{ApiRequest, ApiResponse, Charge, Core, Intent, Refund, Session};
use serde::de::DeserializeOwned;
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the client reads in an answer.
pub(super) trait Readable: DeserializeOwned + Clone + Send + 'static {}

impl<T: DeserializeOwned + Clone + Send + 'static> Readable for T {}

/// What a look found.
pub(super) enum Looked<T> {
    /// The same as an earlier one, and so what was read in that one's answer.
    Known(T),
    /// An answer that nothing was read in yet, and the number to keep that by.
    Answered(ApiResponse, u64),
}

/// The answers that were given.
#[derive(Default)]
pub(super) struct Looks {
    kept: BTreeMap<String, Look>,
    /// How many were kept.
    count: u64,
}

/// An answer, for as long as it is the answer.
struct Look {
    number: u64,
    source: Source,
    answer: ApiResponse,
    /// What the client read in it.
    read: Option<Box<dyn Any + Send>>,
}

/// What an answer was read off.
enum Source {
    Rows(Rows),
    /// Everything, after so many changes at Stripe.
    All(u64),
}

/// One payment's objects: the session, its PaymentIntent, that one's charges, their refunds.
#[derive(Default)]
struct Rows {
    session: Option<Arc<Session>>,
    intent: Option<Arc<Intent>>,
    charges: Vec<Arc<Charge>>,
    refunds: Vec<Arc<Refund>>,
}

impl Rows {
    fn of_session(stripe: &Core, id: &str) -> Self {
        let session = stripe.session_row(id).cloned();
        let intent = session.as_ref().and_then(|session| session.intent.clone());
        let rows = intent.map(|intent| Self::of_intent(stripe, &intent)).unwrap_or_default();
        Self { session, ..rows }
    }

    fn of_intent(stripe: &Core, id: &str) -> Self {
        let intent = stripe.intent_row(id).cloned();
        let charges = intent.iter().flat_map(|intent| &intent.charges);
        let charges: Vec<_> = charges.filter_map(|id| stripe.charge(id).cloned()).collect();
        let refunds = charges.iter().flat_map(|charge| &charge.refunds);
        let refunds = refunds.filter_map(|id| stripe.refund_row(id).cloned()).collect();
        Self { session: None, intent, charges, refunds }
    }

    fn of_charge(stripe: &Core, id: &str) -> Self {
        Self { charges: stripe.charge(id).cloned().into_iter().collect(), ..Self::default() }
    }

    fn are(&self, other: &Self) -> bool {
        same(&self.session, &other.session)
            && same(&self.intent, &other.intent)
            && same(&self.charges, &other.charges)
            && same(&self.refunds, &other.refunds)
    }
}

/// The very same rows, not only such as look alike.
fn same<'a, T: 'a>(
    these: impl IntoIterator<Item = &'a Arc<T>>,
    those: impl IntoIterator<Item = &'a Arc<T>>,
) -> bool {
    let places = |row: &'a Arc<T>| Arc::as_ptr(row);
    these.into_iter().map(places).eq(those.into_iter().map(places))
}

impl Source {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rows(these), Self::Rows(those)) => these.are(those),
            (Self::All(changes), Self::All(others)) => changes == others,
            (Self::Rows(_), Self::All(_)) | (Self::All(_), Self::Rows(_)) => false,
        }
    }
}

impl Inner {
    /// The answer to a request that only looks.
    pub(super) fn look_at_stripe<T: Readable>(&mut self, request: &ApiRequest) -> Looked<T> {
        let now_ms = self.stripe_now_ms();
        if !self.is_still() {
            self.touch_stripe();
            self.stripe.advance(now_ms);
        }
        let name = look_name(request);
        let source = self.source_of(request);
        if let Some(look) = self.wire.looks.kept.get(&name).filter(|it| it.source.is(&source)) {
            let read = look.read.as_ref().and_then(|read| read.downcast_ref::<T>());
            return match read {
                Some(read) => Looked::Known(read.clone()),
                None => Looked::Answered(look.answer.clone(), look.number),
            };
        }
        let answer = self.stripe.handle_with(request, None, now_ms);
        let looks = &mut self.wire.looks;
        looks.count = looks.count.saturating_add(1);
        let number = looks.count;
        looks.kept.insert(name, Look { number, source, answer: answer.clone(), read: None });
        Looked::Answered(answer, number)
    }

    /// Keeps what was read in an answer, unless another one has taken its place.
    pub(super) fn remember<T: Readable>(&mut self, request: &ApiRequest, number: u64, read: &T) {
        let look = self.wire.looks.kept.get_mut(&look_name(request));
        if let Some(look) = look.filter(|it| it.number == number && it.read.is_none()) {
            look.read = Some(Box::new(read.clone()));
        }
    }

    fn source_of(&self, request: &ApiRequest) -> Source {
        let stripe = &self.stripe;
        let path = request.path.strip_prefix("/v1/").unwrap_or_default();
        let rows = match path.rsplit_once('/') {
            Some(("checkout/sessions", id)) => Some(Rows::of_session(stripe, id)),
            Some(("payment_intents", id)) => Some(Rows::of_intent(stripe, id)),
            Some(("charges", id)) => Some(Rows::of_charge(stripe, id)),
            _ if path == "refunds" => {
                let of = request.query.split('&').find_map(|it| it.strip_prefix("payment_intent="));
                of.map(|id| Rows::of_intent(stripe, id))
            }
            _ => None,
        };
        rows.map_or(Source::All(self.stripe_changes), Source::Rows)
    }

    /// True if nothing has come due at Stripe since it was last asked.
    pub(super) fn is_still(&self) -> bool {
        let now_ms = self.stripe_now_ms();
        self.stripe.next_task_ms().is_none_or(|at_ms| at_ms > now_ms)
    }
}

fn look_name(request: &ApiRequest) -> String {
    [&request.path, "?", &request.query].concat()
}
