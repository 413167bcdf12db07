//! The notes on an object, which Stripe calls metadata. Most objects have one note or none, and
//! there are many objects: a map would take ten times the room.

use std::sync::{Arc, LazyLock};

use serde::{Serialize, Serializer};

/// Notes in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(Box<[(Box<str>, Box<str>)]>);

static NONE: LazyLock<Arc<Notes>> = LazyLock::new(Arc::default);

impl Notes {
    /// No notes; all objects without any share them.
    pub(super) fn none() -> Arc<Self> {
        NONE.clone()
    }

    /// A note's text.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| **known == *key).map(|(_, value)| &**value)
    }

    /// Puts a note, in place of the one before; an empty text takes it away.
    pub(super) fn set(&mut self, key: &str, value: &str) {
        let mut notes = std::mem::take(&mut self.0).into_vec();
        let at = notes.binary_search_by(|(known, _)| (**known).cmp(key));
        match (at, value.is_empty()) {
            (Ok(at), true) => {
                notes.remove(at);
            }
            (Ok(at), false) => {
                if let Some(note) = notes.get_mut(at) {
                    note.1 = value.into();
                }
            }
            (Err(_), true) => {}
            (Err(at), false) => notes.insert(at, (key.into(), value.into())),
        }
        self.0 = notes.into();
    }
}

impl Serialize for Notes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(key, value)| (key, value)))
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
