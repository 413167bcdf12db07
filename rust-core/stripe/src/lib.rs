//! Stripe as Holdfast needs it.
