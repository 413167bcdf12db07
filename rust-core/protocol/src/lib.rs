//! What handheld and gateway say to each other, byte for byte.
//!
//! - [`order`]: the signed order, the one message that moves money (`../WIRE.md` fixes its bytes).
//! - [`pay_address`]: the order as an address that fits a QR code.
//! - [`notice`]: what a handheld says about an order later: cancel, withdraw.
//! - [`receipt`]: what the gateway vouches for, to be shown offline.
//! - [`sealed_copy`]: a queued order that only the gateway can read, against a lost key.
//! - [`confirm`]: the code that proves a payment to a handheld without network.
//! - [`ca_pin`]: which private CA vouches for the gateway, said within that link.
//! - [`continuity`]: that a handheld which enrols is one that was enrolled before.
//! - [`enrolment`]: the link, the proof of possession and the six digits.
//! - [`request_signature`]: RFC 9421, for the one request that fetches a token.
//! - [`wire`]: the JSON of every other message, with closed error codes.
//!
//! Nothing here does I/O or reads a clock. Keys live elsewhere too: this crate says *what* is
//! signed, the caller has it signed (by Android Keystore on a handheld).

pub mod ca_pin;
mod canonical;
pub mod confirm;
pub mod continuity;
mod cose;
pub mod enrolment;
pub mod notice;
pub mod order;
pub mod pay_address;
pub mod receipt;
pub mod request_signature;
pub mod sealed_copy;
pub mod signature;
pub mod wire;

pub use ca_pin::CaPin;
pub use confirm::confirm_code;
pub use cose::MessageError;
pub use enrolment::EnrolmentLink;
pub use notice::{NoticeKind, NoticePayload, SignedNotice};
pub use order::{OrderDigest, OrderError, OrderPayload, SignedOrder};
pub use receipt::{ReceiptPayload, SignedReceipt};
pub use signature::{DevicePublicKey, DeviceSignature, SignatureError};
