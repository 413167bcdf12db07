//! Which address is which call, and what a restricted key must be allowed for it.

use super::super::Core;
use super::super::error::ApiError;
use super::super::fields::Fields;
use super::super::reply::Reply;

/// A call, with the ID in its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Route<'a> {
    Account,
    SessionCreate,
    SessionList,
    SessionGet(&'a str),
    SessionLines(&'a str),
    SessionExpire(&'a str),
    IntentCreate,
    IntentList,
    IntentGet(&'a str),
    IntentUpdate(&'a str),
    IntentConfirm(&'a str),
    IntentCapture(&'a str),
    IntentCancel(&'a str),
    MethodCreate,
    MethodList,
    MethodGet(&'a str),
    MethodUpdate(&'a str),
    MethodAttach(&'a str),
    MethodDetach(&'a str),
    CustomerCreate,
    CustomerList,
    CustomerGet(&'a str),
    CustomerUpdate(&'a str),
    CustomerDelete(&'a str),
    CustomerMethods(&'a str),
    ChargeList,
    ChargeGet(&'a str),
    ChargeUpdate(&'a str),
    RefundCreate,
    RefundList,
    RefundGet(&'a str),
    RefundUpdate(&'a str),
    RefundCancel(&'a str),
    DisputeList,
    DisputeGet(&'a str),
    DisputeUpdate(&'a str),
    DisputeClose(&'a str),
    EventList,
    EventGet(&'a str),
    EndpointCreate,
    EndpointList,
    EndpointGet(&'a str),
    EndpointUpdate(&'a str),
    EndpointDelete(&'a str),
    Balance,
    EntryList,
    EntryGet(&'a str),
    ProductCreate,
    ProductList,
    ProductGet(&'a str),
    PriceCreate,
    PriceList,
    PriceGet(&'a str),
}

pub(in super::super) fn route<'a>(method: &str, segments: &[&'a str]) -> Option<Route<'a>> {
    let ["v1", rest @ ..] = segments else { return None };
    Some(match (method, rest) {
        ("GET", ["account"]) => Route::Account,
        ("POST", ["checkout", "sessions"]) => Route::SessionCreate,
        ("GET", ["checkout", "sessions"]) => Route::SessionList,
        ("GET", ["checkout", "sessions", id]) => Route::SessionGet(id),
        ("GET", ["checkout", "sessions", id, "line_items"]) => Route::SessionLines(id),
        ("POST", ["checkout", "sessions", id, "expire"]) => Route::SessionExpire(id),
        ("POST", ["payment_intents"]) => Route::IntentCreate,
        ("GET", ["payment_intents"]) => Route::IntentList,
        ("GET", ["payment_intents", id]) => Route::IntentGet(id),
        ("POST", ["payment_intents", id]) => Route::IntentUpdate(id),
        ("POST", ["payment_intents", id, "confirm"]) => Route::IntentConfirm(id),
        ("POST", ["payment_intents", id, "capture"]) => Route::IntentCapture(id),
        ("POST", ["payment_intents", id, "cancel"]) => Route::IntentCancel(id),
        ("POST", ["payment_methods"]) => Route::MethodCreate,
        ("GET", ["payment_methods"]) => Route::MethodList,
        ("GET", ["payment_methods", id]) => Route::MethodGet(id),
        ("POST", ["payment_methods", id]) => Route::MethodUpdate(id),
        ("POST", ["payment_methods", id, "attach"]) => Route::MethodAttach(id),
        ("POST", ["payment_methods", id, "detach"]) => Route::MethodDetach(id),
        ("POST", ["customers"]) => Route::CustomerCreate,
        ("GET", ["customers"]) => Route::CustomerList,
        ("GET", ["customers", id]) => Route::CustomerGet(id),
        ("POST", ["customers", id]) => Route::CustomerUpdate(id),
        ("DELETE", ["customers", id]) => Route::CustomerDelete(id),
        ("GET", ["customers", id, "payment_methods"]) => Route::CustomerMethods(id),
        ("GET", ["charges"]) => Route::ChargeList,
        ("GET", ["charges", id]) => Route::ChargeGet(id),
        ("POST", ["charges", id]) => Route::ChargeUpdate(id),
        ("POST", ["refunds"]) => Route::RefundCreate,
        ("GET", ["refunds"]) => Route::RefundList,
        ("GET", ["refunds", id]) => Route::RefundGet(id),
        ("POST", ["refunds", id]) => Route::RefundUpdate(id),
        ("POST", ["refunds", id, "cancel"]) => Route::RefundCancel(id),
        ("GET", ["disputes"]) => Route::DisputeList,
        ("GET", ["disputes", id]) => Route::DisputeGet(id),
        ("POST", ["disputes", id]) => Route::DisputeUpdate(id),
        ("POST", ["disputes", id, "close"]) => Route::DisputeClose(id),
        ("GET", ["events"]) => Route::EventList,
        ("GET", ["events", id]) => Route::EventGet(id),
        ("POST", ["webhook_endpoints"]) => Route::EndpointCreate,
        ("GET", ["webhook_endpoints"]) => Route::EndpointList,
        ("GET", ["webhook_endpoints", id]) => Route::EndpointGet(id),
        ("POST", ["webhook_endpoints", id]) => Route::EndpointUpdate(id),
        ("DELETE", ["webhook_endpoints", id]) => Route::EndpointDelete(id),
        ("GET", ["balance"]) => Route::Balance,
        ("GET", ["balance_transactions"]) => Route::EntryList,
        ("GET", ["balance_transactions", id]) => Route::EntryGet(id),
        ("POST", ["products"]) => Route::ProductCreate,
        ("GET", ["products"]) => Route::ProductList,
        ("GET", ["products", id]) => Route::ProductGet(id),
        ("POST", ["prices"]) => Route::PriceCreate,
        ("GET", ["prices"]) => Route::PriceList,
        ("GET", ["prices", id]) => Route::PriceGet(id),
        _ => return None,
    })
}

impl Core {
    pub(in super::super) fn run(
        &mut self,
        route: Route<'_>,
        fields: Fields<'_>,
    ) -> Result<Reply, ApiError> {
        match route {
            Route::Account => self.account_get(fields),
            Route::SessionCreate => self.session_create(fields),
            Route::SessionList => self.session_list(fields),
            Route::SessionGet(id) => self.session_get(id, fields),
            Route::SessionLines(id) => self.session_lines(id, fields),
            Route::SessionExpire(id) => self.session_expire(id, fields),
            Route::IntentCreate => self.intent_create(fields),
            Route::IntentList => self.intent_list(fields),
            Route::IntentGet(id) => self.intent_get(id, fields),
            Route::IntentUpdate(id) => self.intent_update(id, fields),
            Route::IntentConfirm(id) => self.intent_confirm(id, fields),
            Route::IntentCapture(id) => self.intent_capture(id, fields),
            Route::IntentCancel(id) => self.intent_cancel(id, fields),
            Route::MethodCreate => self.method_create(fields),
            Route::MethodList => self.method_list(fields),
            Route::MethodGet(id) => self.method_get(id, fields),
            Route::MethodUpdate(id) => self.method_update(id, fields),
            Route::MethodAttach(id) => self.method_attach(id, fields),
            Route::MethodDetach(id) => self.method_detach(id, fields),
            Route::CustomerCreate => self.customer_create(fields),
            Route::CustomerList => self.customer_list(fields),
            Route::CustomerGet(id) => self.customer_get(id, fields),
            Route::CustomerUpdate(id) => self.customer_update(id, fields),
            Route::CustomerDelete(id) => self.customer_delete(id, fields),
            Route::CustomerMethods(id) => self.customer_methods(id, fields),
            Route::ChargeList => self.charge_list(fields),
            Route::ChargeGet(id) => self.charge_get(id, fields),
            Route::ChargeUpdate(id) => self.charge_update(id, fields),
            Route::RefundCreate => self.refund_create(fields),
            Route::RefundList => self.refund_list(fields),
            Route::RefundGet(id) => self.refund_get(id, fields),
            Route::RefundUpdate(id) => self.refund_update(id, fields),
            Route::RefundCancel(id) => self.refund_cancel(id, fields),
            Route::DisputeList => self.dispute_list(fields),
            Route::DisputeGet(id) => self.dispute_get(id, fields),
            Route::DisputeUpdate(id) => self.dispute_update(id, fields),
            Route::DisputeClose(id) => self.dispute_close(id, fields),
            Route::EventList => self.event_list(fields),
            Route::EventGet(id) => self.event_get(id, fields),
            Route::EndpointCreate => self.endpoint_create(fields),
            Route::EndpointList => self.endpoint_list(fields),
            Route::EndpointGet(id) => self.endpoint_get(id, fields),
            Route::EndpointUpdate(id) => self.endpoint_update(id, fields),
            Route::EndpointDelete(id) => self.endpoint_delete(id, fields),
            Route::Balance => self.balance_get(fields),
            Route::EntryList => self.entry_list(fields),
            Route::EntryGet(id) => self.entry_get(id, fields),
            Route::ProductCreate => self.product_create(fields),
            Route::ProductList => self.product_list(fields),
            Route::ProductGet(id) => self.product_get(id, fields),
            Route::PriceCreate => self.price_create(fields),
            Route::PriceList => self.price_list(fields),
            Route::PriceGet(id) => self.price_get(id, fields),
        }
    }
}

impl Route<'_> {
    /// What Stripe calls the permission, without its `rak_`.
    pub(in super::super) fn permission(&self) -> &'static str {
        match self {
            // What a key without it is told, although its dashboard has no such row.
            Self::Account => "accounts_kyc_basic_read",
            Self::SessionCreate | Self::SessionExpire(_) => "checkout_session_write",
            Self::SessionList | Self::SessionGet(_) | Self::SessionLines(_) => {
                "checkout_session_read"
            }
            Self::IntentCreate
            | Self::IntentUpdate(_)
            | Self::IntentConfirm(_)
            | Self::IntentCapture(_)
            | Self::IntentCancel(_) => "payment_intent_write",
            Self::IntentList | Self::IntentGet(_) => "payment_intent_read",
            Self::MethodCreate
            | Self::MethodUpdate(_)
            | Self::MethodAttach(_)
            | Self::MethodDetach(_) => "payment_method_write",
            Self::MethodList | Self::MethodGet(_) | Self::CustomerMethods(_) => {
                "payment_method_read"
            }
            Self::CustomerCreate | Self::CustomerUpdate(_) | Self::CustomerDelete(_) => {
                "customer_write"
            }
            Self::CustomerList | Self::CustomerGet(_) => "customer_read",
            Self::ChargeList | Self::ChargeGet(_) | Self::RefundList | Self::RefundGet(_) => {
                "charge_read"
            }
            Self::ChargeUpdate(_)
            | Self::RefundCreate
            | Self::RefundUpdate(_)
            | Self::RefundCancel(_) => "charge_write",
            Self::DisputeList | Self::DisputeGet(_) => "dispute_read",
            Self::DisputeUpdate(_) | Self::DisputeClose(_) => "dispute_write",
            Self::EventList | Self::EventGet(_) => "event_read",
            Self::EndpointCreate | Self::EndpointUpdate(_) | Self::EndpointDelete(_) => {
                "webhook_write"
            }
            Self::EndpointList | Self::EndpointGet(_) => "webhook_read",
            Self::Balance => "balance_read",
            Self::EntryList | Self::EntryGet(_) => "balance_transaction_source_read",
            Self::ProductCreate => "product_write",
            Self::ProductList | Self::ProductGet(_) => "product_read",
            Self::PriceCreate => "plan_write",
            Self::PriceList | Self::PriceGet(_) => "plan_read",
        }
    }

    /// Whether a browser may call it with the publishable key and the PaymentIntent's secret.
    pub(in super::super) fn is_public(&self) -> bool {
        matches!(self, Self::IntentGet(_) | Self::IntentConfirm(_) | Self::MethodCreate)
    }
}
