//! Reads parameters by name and type, and refuses by name what nobody asked for.

use std::sync::Arc;

use holdfast_stripe::objects::ErrorCode;
use holdfast_stripe::request::{
    METADATA_ENTRIES_MAX, METADATA_KEY_LENGTH_MAX, METADATA_VALUE_LENGTH_MAX,
};

use super::error::ApiError;
use super::form::Node;
use super::notes::Notes;

/// What an update does to an object's notes.
#[derive(Default)]
pub(super) struct NoteChanges {
    all_unset: bool,
    changes: Vec<(String, String)>,
}

impl NoteChanges {
    pub(super) fn apply(self, notes: &mut Arc<Notes>) {
        if self.all_unset {
            *notes = Notes::none();
        }
        if self.changes.is_empty() {
            return;
        }
        let notes = Arc::make_mut(notes);
        for (key, value) in self.changes {
            notes.set(&key, &value);
        }
    }
}

/// The parameters of one object, with its place in the request for error messages.
pub(super) struct Fields<'a> {
    node: &'a Node,
    place: String,
    read: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(node: &'a Node) -> Self {
        Self { node, place: String::new(), read: Vec::new() }
    }

    /// The parameter's name as the client wrote it.
    pub(super) fn name_of(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.place) }
    }

    fn take(&mut self, name: &str) -> Option<&'a Node> {
        let Node::Parts(parts) = self.node else { return None };
        let (name, part) = parts.get_key_value(name)?;
        self.read.push(name);
        Some(part)
    }

    /// A text that must not be empty if it is there.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<&'a str>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Text(text)) if text.is_empty() => Err(ApiError::empty(&self.name_of(name))),
            Some(Node::Text(text)) => Ok(Some(text)),
            Some(Node::Parts(_)) => {
                let param = self.name_of(name);
                Err(ApiError::invalid(format!("Invalid string: {param}")).with_param(param))
            }
        }
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name)?.ok_or_else(|| ApiError::missing_param(&self.name_of(name)))
    }

    pub(super) fn text_up_to(
        &mut self,
        name: &str,
        length_max: usize,
    ) -> Result<Option<&'a str>, ApiError> {
        let text = self.text(name)?;
        if text.is_some_and(|text| text.chars().count() > length_max) {
            let param = self.name_of(name);
            let message =
                format!("Invalid string: {param} must be at most {length_max} characters");
            return Err(ApiError::invalid(message).with_param(param));
        }
        Ok(text)
    }

    /// Whether the parameter is there, without reading it.
    pub(super) fn has(&self, name: &str) -> bool {
        matches!(self.node, Node::Parts(parts) if parts.contains_key(name))
    }

    /// A text, or an empty one to unset it: absent, none or some.
    pub(super) fn text_or_unset(
        &mut self,
        name: &str,
        length_max: usize,
    ) -> Result<Option<Option<&'a str>>, ApiError> {
        let empty = matches!(self.node, Node::Parts(p) if matches!(p.get(name), Some(Node::Text(t)) if t.is_empty()));
        if empty {
            self.take(name);
            return Ok(Some(None));
        }
        Ok(self.text_up_to(name, length_max)?.map(Some))
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let plain = !text.starts_with('+');
        let parsed = text.parse().ok().filter(|_| plain);
        parsed.map(Some).ok_or_else(|| ApiError::not_an_integer(&self.name_of(name), text))
    }

    pub(super) fn required_integer(&mut self, name: &str) -> Result<i64, ApiError> {
        self.integer(name)?.ok_or_else(|| ApiError::missing_param(&self.name_of(name)))
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name)? {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => {
                let param = self.name_of(name);
                Err(ApiError::invalid(format!("Invalid boolean: {param}")).with_param(param))
            }
        }
    }

    /// One of a few words.
    pub(super) fn word(&mut self, name: &str, words: &[&str]) -> Result<Option<&'a str>, ApiError> {
        let text = self.text(name)?;
        match text {
            Some(text) if !words.contains(&text) => {
                let param = self.name_of(name);
                let choice = words.join(", ");
                let message = format!("Invalid {param}: must be one of {choice}");
                Err(ApiError::invalid(message).with_param(param))
            }
            _ => Ok(text),
        }
    }

    /// An http(s) address.
    pub(super) fn url(&mut self, name: &str) -> Result<Option<&'a str>, ApiError> {
        let text = self.text_up_to(name, 5_000)?;
        match text {
            Some(text) if !is_web_address(text) => Err(ApiError::invalid("Not a valid URL")
                .with_code(ErrorCode::UrlInvalid)
                .with_param(self.name_of(name))),
            _ => Ok(text),
        }
    }

    /// A nested object.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Fields<'a>>, ApiError> {
        let place = self.name_of(name);
        match self.take(name) {
            None => Ok(None),
            Some(Node::Text(_)) => Err(ApiError::invalid("Invalid object").with_param(place)),
            Some(node) => Ok(Some(Fields { node, place, read: Vec::new() })),
        }
    }

    /// A list of objects, in the order of their indexes.
    pub(super) fn objects(&mut self, name: &str) -> Result<Vec<Fields<'a>>, ApiError> {
        let entries = self.entries(name)?;
        let place = self.name_of(name);
        let fields = entries.into_iter().map(|(index, node)| Fields {
            node,
            place: format!("{place}[{index}]"),
            read: Vec::new(),
        });
        Ok(fields.collect())
    }

    /// A list of texts, in the order of their indexes.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<&'a str>, ApiError> {
        let entries = self.entries(name)?;
        let text = |(_, node): (usize, &'a Node)| match node {
            Node::Text(text) => Ok(text.as_str()),
            Node::Parts(_) => Err(ApiError::invalid("Invalid string").with_param(name)),
        };
        entries.into_iter().map(text).collect()
    }

    fn entries(&mut self, name: &str) -> Result<Vec<(usize, &'a Node)>, ApiError> {
        let invalid = || ApiError::invalid("Invalid array").with_param(name);
        let Some(node) = self.take(name) else { return Ok(Vec::new()) };
        let Node::Parts(parts) = node else { return Err(invalid()) };
        let mut entries = Vec::with_capacity(parts.len());
        for (key, node) in parts {
            entries.push((key.parse::<usize>().map_err(|_| invalid())?, node));
        }
        entries.sort_by_key(|(index, _)| *index);
        Ok(entries)
    }

    /// Notes, within Stripe's limits. An empty value unsets a note, so it is simply not kept.
    pub(super) fn metadata(&mut self, name: &str) -> Result<Arc<Notes>, ApiError> {
        let mut notes = Notes::none();
        self.metadata_changes(name)?.apply(&mut notes);
        Ok(notes)
    }

    /// Changes of notes: an empty value unsets one, an empty text all of them.
    pub(super) fn metadata_changes(&mut self, name: &str) -> Result<NoteChanges, ApiError> {
        let param = self.name_of(name);
        let invalid = |message: String| ApiError::invalid(message).with_param(&param);
        let parts = match self.take(name) {
            None => return Ok(NoteChanges::default()),
            Some(Node::Text(text)) if text.is_empty() => {
                return Ok(NoteChanges { all_unset: true, changes: Vec::new() });
            }
            Some(Node::Text(_)) => return Err(invalid("Invalid object".to_owned())),
            Some(Node::Parts(parts)) => parts,
        };
        if parts.len() > METADATA_ENTRIES_MAX {
            return Err(invalid(format!("Metadata can have up to {METADATA_ENTRIES_MAX} keys.")));
        }
        let mut changes = Vec::with_capacity(parts.len());
        for (key, node) in parts {
            let Node::Text(value) = node else {
                return Err(invalid("Metadata values must be strings.".to_owned()));
            };
            let long = |what: &str, most: usize| {
                invalid(format!("Metadata {what} can have up to {most} characters."))
            };
            if key.chars().count() > METADATA_KEY_LENGTH_MAX {
                return Err(long("keys", METADATA_KEY_LENGTH_MAX));
            }
            if value.chars().count() > METADATA_VALUE_LENGTH_MAX {
                return Err(long("values", METADATA_VALUE_LENGTH_MAX));
            }
            changes.push((key.clone(), value.clone()));
        }
        Ok(NoteChanges { all_unset: false, changes })
    }

    /// A window of times: `created=5` or `created[gte]=5&created[lt]=9`, as inclusive bounds.
    pub(super) fn window(&mut self, name: &str) -> Result<(i64, i64), ApiError> {
        let is_text =
            matches!(self.node, Node::Parts(p) if matches!(p.get(name), Some(Node::Text(_))));
        if is_text {
            let exact = self.required_integer(name)?;
            return Ok((exact, exact));
        }
        let Some(mut bounds) = self.object(name)? else { return Ok((i64::MIN, i64::MAX)) };
        let from = bounds.integer("gte")?.unwrap_or(i64::MIN);
        let after = bounds.integer("gt")?.map_or(i64::MIN, |t| t.saturating_add(1));
        let to = bounds.integer("lte")?.unwrap_or(i64::MAX);
        let before = bounds.integer("lt")?.map_or(i64::MAX, |t| t.saturating_sub(1));
        bounds.finish(&[])?;
        Ok((from.max(after), to.min(before)))
    }

    /// Refuses what was not read: by name if it is unknown to Stripe too, else as not simulated.
    pub(super) fn finish(self, stripe_also_has: &[&str]) -> Result<(), ApiError> {
        let Node::Parts(parts) = self.node else {
            return Err(ApiError::invalid("Invalid object").with_param(self.place));
        };
        let unread: Vec<&String> =
            parts.keys().filter(|key| !self.read.contains(&key.as_str())).collect();
        if let Some(known) = unread.iter().find(|key| stripe_also_has.contains(&key.as_str())) {
            return Err(ApiError::not_simulated(&self.name_of(known)));
        }
        let unknown: Vec<String> = unread.iter().map(|key| self.name_of(key)).collect();
        if unknown.is_empty() { Ok(()) } else { Err(ApiError::unknown_params(&unknown)) }
    }
}

/// Whether a text is an absolute http(s) address with a plain host: it goes into links, redirects
/// and headers of our pages.
pub(super) fn is_web_address(text: &str) -> bool {
    origin_of(text).is_some() && text.chars().all(|c| !c.is_control() && !c.is_whitespace())
}

/// Scheme, host and port of an address.
pub(super) fn origin_of(text: &str) -> Option<&str> {
    let scheme_length = ["https://", "http://"].iter().find(|s| text.starts_with(**s))?.len();
    let rest = text.get(scheme_length..)?;
    let host_length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..host_length)?;
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '_');
    let fits = !host.is_empty() && !host.starts_with(':') && host.chars().all(plain);
    if fits { text.get(..scheme_length.checked_add(host_length)?) } else { None }
}

#[cfg(test)]
mod tests;
