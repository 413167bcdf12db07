//! Where messages go that would leave the building: handed-over links, for somebody to open.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::forms::field;

/// Messages that are kept; the oldest are dropped.
const MESSAGES_MAX: usize = 200;
/// The longest text, in characters: ten SMS.
const TEXT_LENGTH_MAX: usize = 1_530;
/// The longest address or subject, in characters.
const LINE_LENGTH_MAX: usize = 320;

/// One message.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Message {
    pub(super) at_ms: i64,
    pub(super) channel: &'static str,
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
}

impl Message {
    pub(super) fn read(body: &[u8], at_ms: i64) -> Option<Self> {
        let channel = match field(body, "channel").as_str() {
            "sms" => "SMS",
            "email" => "E-mail",
            _ => return None,
        };
        let line = |name: &str| field(body, name).chars().take(LINE_LENGTH_MAX).collect::<String>();
        let text: String = field(body, "text").chars().take(TEXT_LENGTH_MAX).collect();
        let (to, subject) = (line("to"), line("subject"));
        (!to.is_empty() && !text.is_empty()).then_some(Self { at_ms, channel, to, subject, text })
    }
}

#[derive(Default)]
pub(super) struct Inbox(Mutex<VecDeque<Message>>);

impl Inbox {
    pub(super) fn put(&self, message: Message) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MESSAGES_MAX {
            kept.pop_back();
        }
        kept.push_front(message);
    }

    pub(super) fn newest_first(&self) -> Vec<Message> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().cloned().collect()
    }
}
