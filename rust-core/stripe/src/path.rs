//! Paths made of IDs that came from outside.

/// The longest ID that Stripe documents, in characters.
const ID_LENGTH_MAX: usize = 255;

/// A text that cannot be an ID of Stripe's, so that nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no ID of Stripe's: one has letters, digits and underscores only")]
pub struct NotAnId;

/// The ID as one segment of a path. A redirect's `session_id` comes from whoever typed the
/// address; a slash or dot in it must not lead to another call.
pub(crate) fn id_segment(id: &str) -> Result<&str, NotAnId> {
    let fits = !id.is_empty() && id.len() <= ID_LENGTH_MAX;
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fits && plain { Ok(id) } else { Err(NotAnId) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_segment() {
        assert_eq!(id_segment("cs_test_a1B2"), Ok("cs_test_a1B2"));
        for id in ["", "..", "a/b", "a?b", "a#b", "a%2Fb", "a b", "ä", "{CHECKOUT_SESSION_ID}"] {
            assert_eq!(id_segment(id), Err(NotAnId), "{id}");
        }
        assert_eq!(id_segment(&"a".repeat(256)), Err(NotAnId));
    }
}
