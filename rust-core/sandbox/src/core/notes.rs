//! The notes on an object, which Stripe calls metadata. Most objects have one note or none, and
//! there are many objects: a map would take ten times the room, and a list of texts three times.

use std::sync::{Arc, LazyLock};

use serde::{Serialize, Serializer};

/// Notes in the order of their keys: each a key, a NUL, a value and a NUL, which neither may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(Box<str>);

static NONE: LazyLock<Arc<Notes>> = LazyLock::new(Arc::default);

impl Notes {
    /// No notes; all objects without any share them.
    pub(super) fn none() -> Arc<Self> {
        NONE.clone()
    }

    /// Keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut words = self.0.split_terminator('\0');
        std::iter::from_fn(move || words.next().zip(words.next()))
    }

    /// A note's text.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Puts a note, in place of the one before; an empty text takes it away.
    pub(super) fn set(&mut self, key: &str, value: &str) {
        let new = (!value.is_empty()).then_some((key, value));
        let others = |(known, _): &(&str, &str)| *known != key;
        let mut notes: Vec<(&str, &str)> = self.iter().filter(others).chain(new).collect();
        notes.sort_unstable();
        let written = notes.iter().flat_map(|(key, value)| [*key, "\0", *value, "\0"]);
        self.0 = written.collect::<String>().into();
    }
}

impl Serialize for Notes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

#[test]
fn notes_are_set_changed_and_taken_away() {
    let mut notes = Notes::default();
    for (key, value) in [("b", "2"), ("a", "1"), ("b", "3"), ("c", ""), ("a", "")] {
        notes.set(key, value);
    }
    assert_eq!(serde_json::to_string(&notes).unwrap(), "{\"b\":\"3\"}");
    assert_eq!((notes.get("b"), notes.get("a")), (Some("3"), None));
}
