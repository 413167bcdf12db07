//! The few calls to Stripe that work is made of.

use holdfast_stripe::objects::{
    Charge, CheckoutSession, Dispute, Event, List, PaymentIntent, Refund,
};
use holdfast_stripe::{CallError, Client, Created, FrozenRequest, NotSentWhy, Page};
use std::future::Future;

/// Stripe, with the credentials of one payment.
pub trait StripeCalls: Send + Sync {
    /// The account that the key belongs to, where that is known: what answers is of this account.
    fn account(&self) -> Option<String> {
        None
    }

    /// Sends a frozen request that answers with a session.
    fn send_for_session(
        &self,
        request: &FrozenRequest,
    ) -> impl Future<Output = Result<CheckoutSession, CallError>> + Send;

    /// A session, with its PaymentIntent and latest charge.
    fn checkout_session(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<CheckoutSession, CallError>> + Send;

    /// The sessions with our reference that were made in a window of time.
    fn checkout_sessions_of(
        &self,
        client_reference_id: &str,
        created: Created,
    ) -> impl Future<Output = Result<Vec<CheckoutSession>, CallError>> + Send;

    /// A page of all sessions of a window, newest first. A Stripe that lists none cannot be reached.
    fn sessions_page(
        &self,
        _created: Created,
        _page: &Page,
    ) -> impl Future<Output = Result<List<CheckoutSession>, CallError>> + Send {
        async { Err(CallError::NotSent(NotSentWhy::NoConnection)) }
    }

    /// A page of all events of a window, newest first. As above.
    fn events_page(
        &self,
        _created: Created,
        _page: &Page,
    ) -> impl Future<Output = Result<List<Event>, CallError>> + Send {
        async { Err(CallError::NotSent(NotSentWhy::NoConnection)) }
    }

    /// A page of all refunds of a window, newest first. As above.
    fn refunds_page(
        &self,
        _created: Created,
        _page: &Page,
    ) -> impl Future<Output = Result<List<Refund>, CallError>> + Send {
        async { Err(CallError::NotSent(NotSentWhy::NoConnection)) }
    }

    /// A page of all disputes of a window, newest first. As above.
    fn disputes_page(
        &self,
        _created: Created,
        _page: &Page,
    ) -> impl Future<Output = Result<List<Dispute>, CallError>> + Send {
        async { Err(CallError::NotSent(NotSentWhy::NoConnection)) }
    }

    /// A PaymentIntent, with its latest charge.
    fn payment_intent(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<PaymentIntent, CallError>> + Send;

    /// A charge.
    fn charge(&self, id: &str) -> impl Future<Output = Result<Charge, CallError>> + Send;

    /// The refunds of a PaymentIntent, failed ones too. A Stripe that makes none need not say so.
    fn refunds_of(
        &self,
        _intent: &str,
    ) -> impl Future<Output = Result<Vec<Refund>, CallError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Sends a frozen request that answers with a refund. A Stripe that makes none cannot be reached.
    fn send_for_refund(
        &self,
        _request: &FrozenRequest,
    ) -> impl Future<Output = Result<Refund, CallError>> + Send {
        async { Err(CallError::NotSent(NotSentWhy::NoConnection)) }
    }

    /// The disputes of a PaymentIntent. A Stripe that makes none need not say so.
    fn disputes_of(
        &self,
        _intent: &str,
    ) -> impl Future<Output = Result<Vec<Dispute>, CallError>> + Send {
        async { Ok(Vec::new()) }
    }
}

impl StripeCalls for Client {
    async fn send_for_session(
        &self,
        request: &FrozenRequest,
    ) -> Result<CheckoutSession, CallError> {
        self.send(request).await
    }

    async fn checkout_session(&self, id: &str) -> Result<CheckoutSession, CallError> {
        Self::checkout_session(self, id).await
    }

    async fn checkout_sessions_of(
        &self,
        client_reference_id: &str,
        created: Created,
    ) -> Result<Vec<CheckoutSession>, CallError> {
        Self::checkout_sessions_of(self, client_reference_id, created).await
    }

    async fn sessions_page(
        &self,
        created: Created,
        page: &Page,
    ) -> Result<List<CheckoutSession>, CallError> {
        self.checkout_sessions(created, page).await
    }

    async fn events_page(&self, created: Created, page: &Page) -> Result<List<Event>, CallError> {
        self.events(created, false, page).await
    }

    async fn refunds_page(&self, created: Created, page: &Page) -> Result<List<Refund>, CallError> {
        self.refunds(created, page).await
    }

    async fn disputes_page(
        &self,
        created: Created,
        page: &Page,
    ) -> Result<List<Dispute>, CallError> {
        self.disputes(created, page).await
    }

    async fn payment_intent(&self, id: &str) -> Result<PaymentIntent, CallError> {
        Self::payment_intent(self, id).await
    }

    async fn charge(&self, id: &str) -> Result<Charge, CallError> {
        Self::charge(self, id).await
    }

    async fn refunds_of(&self, intent: &str) -> Result<Vec<Refund>, CallError> {
        Ok(Self::refunds_of(self, intent).await?.data)
    }

    async fn send_for_refund(&self, request: &FrozenRequest) -> Result<Refund, CallError> {
        self.send(request).await
    }

    async fn disputes_of(&self, intent: &str) -> Result<Vec<Dispute>, CallError> {
        Ok(Self::disputes_of(self, intent).await?.data)
    }
}
