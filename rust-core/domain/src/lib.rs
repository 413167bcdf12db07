//! Pure rules of a payment.
