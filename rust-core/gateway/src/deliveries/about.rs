//! Events that *Verify webhook* itself makes Stripe send.

use holdfast_stripe::objects::Event;

/// The note on what *Verify webhook* makes.
pub(crate) const META_CHECK: &str = "holdfast_check";

/// True for what *Verify webhook* made Stripe send.
pub(crate) fn is_check(event: &Event) -> bool {
    event.data.object.get("metadata").and_then(|notes| notes.get(META_CHECK)).is_some()
}
