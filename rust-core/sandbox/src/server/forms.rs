//! Fields of forms and queries.

/// A field's value; empty when it is not there.
pub(super) fn field(encoded: &[u8], name: &str) -> String {
    let mut fields = form_urlencoded::parse(encoded);
    fields.find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}
