//! Where messages go that would leave the building: handed-over links, for somebody to open.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Core;
use super::replay::Action;

/// Messages that are kept; the oldest are dropped.
const MESSAGES_MAX: usize = 200;
/// The longest text, in characters: ten SMS.
const TEXT_LENGTH_MAX: usize = 1_530;
/// The longest address or subject, in characters.
const LINE_LENGTH_MAX: usize = 320;

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Channel {
    /// A text message.
    #[serde(rename = "SMS")]
    Sms,
    /// An e-mail.
    #[serde(rename = "E-mail")]
    Email,
}

impl Channel {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "SMS",
            Self::Email => "E-mail",
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// When it was handed over, in Unix milliseconds.
    pub at_ms: i64,
    /// How it would travel.
    pub channel: Channel,
    /// A telephone number or an e-mail address.
    pub to: String,
    /// Of an e-mail.
    pub subject: String,
    /// What it says.
    pub text: String,
}

impl Message {
    /// A message that is handed over; nothing without address or text. What is too long is cut.
    pub fn new(channel: Channel, to: &str, subject: &str, text: &str) -> Option<Self> {
        let cut = |text: &str, length_max| text.chars().take(length_max).collect::<String>();
        let (to, subject) = (cut(to, LINE_LENGTH_MAX), cut(subject, LINE_LENGTH_MAX));
        let text = cut(text, TEXT_LENGTH_MAX);
        let is_one = !to.is_empty() && !text.is_empty();
        is_one.then_some(Self { at_ms: 0, channel, to, subject, text })
    }
}

impl Core {
    /// Keeps a message in place of sending it.
    pub fn hand_over(&mut self, message: Message, now_ms: i64) {
        self.advance(now_ms);
        self.record(Action::Message(message.clone()));
        self.inbox.put(Message { at_ms: self.now_ms, ..message });
    }

    /// The messages, newest first.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.inbox.0.iter()
    }
}

#[derive(Default)]
pub(super) struct Inbox(VecDeque<Message>);

impl Inbox {
    fn put(&mut self, message: Message) {
        self.0.truncate(MESSAGES_MAX.saturating_sub(1));
        self.0.push_front(message);
    }
}
