//! Pure rules of a payment: money, IDs, carts and what evidence makes of a payment.
//!
//! Nothing here does I/O, reads a clock or draws a random number: times and random bytes are
//! arguments. Start reading at [`payment`], which turns evidence into the one state that every
//! screen shows; [`money`] and [`cart`] hold what is owed.
// Tests may count with plain operators.
#![cfg_attr(not(test), deny(clippy::float_arithmetic, clippy::arithmetic_side_effects))]

pub mod cart;
pub mod cash;
pub mod charge;
pub mod code;
pub mod currency;
pub mod decline;
pub mod id;
mod inline;
pub mod live;
pub mod mode;
pub mod money;
pub mod payment;
pub mod refund;
pub mod secret;

pub use cart::{Cart, CartError, Catalogue, CatalogueItem, OrderLine, PricedLine};
pub use cash::ProvisionalReceipt;
pub use charge::{ChargeReference, ChargeState, ClaimState, Owed};
pub use code::ShortCode;
pub use currency::{Currency, UnknownCurrency};
pub use decline::DeclineReason;
pub use id::{
    DeviceId, GatewayId, IdError, OfficerId, PaymentId, PaymentTypeCode, ReceiptOrderId, TenantSlug,
};
pub use mode::Mode;
pub use money::{Money, MoneyError};
pub use payment::{
    AttentionReason, ChargeOutcome, DisputeOutcome, Elsewhere, Evidence, Facts, PaymentState,
    RefundStatus, SessionStatus, Standing,
};
pub use refund::{RefundAmount, RefundRefusal, Refundable};
pub use secret::Secret;
