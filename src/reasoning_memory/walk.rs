//! The one pass over a request: what decides about thoughts, and the digest of the
//! conversation up to each message of the assistant.

use std::collections::VecDeque;

use super::{
    ReasoningScope,
    call::{Function, read_calls},
    digest::Digest,
    message::{Message, Speaker},
    transcript::Transcript,
    words::{MessageKey, RequestKey},
};
use crate::{
    json::{self, Backend, Error, Kind, Member, Pass, Scanner, Span, Value},
    rewrite::NotAChat,
};

/// How many thoughts are looked up for one request. Of more, the latest count. It bounds
/// what a request of very many short messages takes.
pub(super) const MAX_TURNS: usize = 4096;

/// The number of turns that memory is reserved for.
const MANY_TURNS: usize = 64;

/// What was found in a request.
pub(super) struct Found {
    pub(super) switches: Switches,
    pub(super) transcript: Transcript,
    /// The messages of the assistant, the earliest first.
    pub(super) turns: VecDeque<Turn>,
    /// How many turns there were before these.
    pub(super) earlier: usize,
    /// How many of all turns come before the last message of the user.
    pub(super) before_user: usize,
    /// The messages were not looked at, as the model doesn't think.
    pub(super) is_unread: bool,
    has_messages: bool,
    /// The tool calls of the message that is being read.
    calls: Vec<Function>,
}

/// The members of a request that decide whether a model thinks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Switches {
    pub(super) model: Option<Value>,
    pub(super) thinking: Option<Value>,
    pub(super) reasoning_effort: Option<Value>,
    pub(super) enable_thinking: Option<Value>,
    pub(super) chat_template_kwargs: Option<Value>,
    pub(super) reasoning: Option<Value>,
}

/// A message of the assistant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// Of the conversation up to this message.
    pub(super) digest: Digest,
    pub(super) message: Span,
    /// The `reasoning_content` that is there.
    pub(super) present: Option<Member>,
    pub(super) state: State,
}

/// Whether a message of the assistant needs its reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The client sends it.
    Given,
    /// It has none.
    Lacking,
    /// It is no complete answer.
    Partial,
}

/// Reads a request. If the model is named before the messages, as it nearly always is, and
/// `thinks` says that it doesn't, the messages are only validated.
pub(super) fn walk(
    text: &[u8],
    scope: &ReasoningScope,
    thinks: &dyn Fn(&Switches) -> bool,
) -> Result<Found, NotAChat> {
    let mut found = Found {
        switches: Switches::default(),
        transcript: Transcript::new(scope),
        turns: VecDeque::with_capacity(MANY_TURNS),
        earlier: 0,
        before_user: 0,
        is_unread: false,
        has_messages: false,
        calls: Vec::new(),
    };
    let found_by = Request {
        found: &mut found,
        thinks,
    };
    json::scan(text, found_by).map_err(NotAChat::Invalid)?;
    if found.has_messages {
        Ok(found)
    } else {
        Err(NotAChat::OtherJson)
    }
}

impl Found {
    /// Of two arrays of messages the last counts.
    fn restart(&mut self) {
        self.transcript.restart();
        self.turns.clear();
        self.earlier = 0;
        self.before_user = 0;
    }

    fn message(&mut self, message: &Message, text: &[u8]) {
        if self.is_unread {
            return;
        }
        let role = message.role(text);
        let speaker = Message::speaker(&role);
        if speaker == Speaker::System {
            return;
        }
        message.write(&role, &self.calls, text, &mut self.transcript);
        match speaker {
            Speaker::User => self.before_user = self.earlier + self.turns.len(),
            Speaker::Assistant => self.turn(message, text),
            Speaker::System | Speaker::Other => {}
        }
    }

    fn turn(&mut self, message: &Message, text: &[u8]) {
        let state = if message.has_reasoning(text) {
            State::Given
        } else if message.is_partial() {
            State::Partial
        } else {
            State::Lacking
        };
        if self.turns.len() == MAX_TURNS {
            self.turns.pop_front();
            self.earlier += 1;
        }
        self.turns.push_back(Turn {
            digest: self.transcript.end_answer(),
            message: message.span,
            present: message.reasoning_content,
            state,
        });
    }
}

struct Request<'f> {
    found: &'f mut Found,
    thinks: &'f dyn Fn(&Switches) -> bool,
}

impl Pass for Request<'_> {
    type Output = Result<(), Error>;

    #[inline(always)]
    fn run<B: Backend>(self, scanner: Scanner<'_, B>) -> Result<(), Error> {
        Walk {
            scanner,
            found: self.found,
            thinks: self.thinks,
        }
        .request()
    }
}

struct Walk<'a, 'f, B> {
    scanner: Scanner<'a, B>,
    found: &'f mut Found,
    thinks: &'f dyn Fn(&Switches) -> bool,
}

impl<B: Backend> Walk<'_, '_, B> {
    #[inline(always)]
    fn request(&mut self) -> Result<(), Error> {
        let kind = self.scanner.peek()?;
        if kind != Kind::Object {
            self.scanner.skip_peeked(kind)?;
        } else if self.scanner.open()? {
            loop {
                let (key, _) = RequestKey::read_key(&mut self.scanner)?;
                if key == Some(RequestKey::Messages) {
                    self.messages()?;
                } else {
                    let value = Some(self.scanner.skip()?);
                    let switches = &mut self.found.switches;
                    match key {
                        Some(RequestKey::Model) => switches.model = value,
                        Some(RequestKey::Thinking) => switches.thinking = value,
                        Some(RequestKey::ReasoningEffort) => switches.reasoning_effort = value,
                        Some(RequestKey::EnableThinking) => switches.enable_thinking = value,
                        Some(RequestKey::ChatTemplateKwargs) => {
                            switches.chat_template_kwargs = value;
                        }
                        Some(RequestKey::Reasoning) => switches.reasoning = value,
                        Some(RequestKey::Messages) | None => {}
                    }
                }
                if !self.scanner.more(b'}')? {
                    break;
                }
            }
        }
        self.scanner.finish()
    }

    #[inline(always)]
    fn messages(&mut self) -> Result<(), Error> {
        self.found.restart();
        let switches = &self.found.switches;
        self.found.is_unread = switches.model.is_some() && !(self.thinks)(switches);
        let kind = self.scanner.peek()?;
        self.found.has_messages = kind == Kind::Array;
        if kind != Kind::Array {
            self.scanner.skip_peeked(kind)?;
        } else if self.scanner.open()? {
            loop {
                self.message()?;
                if !self.scanner.more(b']')? {
                    break;
                }
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn message(&mut self) -> Result<(), Error> {
        let kind = self.scanner.peek()?;
        if kind != Kind::Object {
            self.scanner.skip_peeked(kind)?;
            return Ok(());
        }
        let start = self.scanner.pos();
        let mut message = Message::default();
        self.found.calls.clear();
        if self.scanner.open()? {
            loop {
                let (word, key) = MessageKey::read_key(&mut self.scanner)?;
                if word == Some(MessageKey::ToolCalls) {
                    read_calls(&mut self.scanner, &mut self.found.calls)?;
                } else {
                    let value = self.scanner.skip()?;
                    message.member(word, key, value);
                }
                if !self.scanner.more(b'}')? {
                    break;
                }
            }
        }
        message.span = Span::new(start, self.scanner.pos());
        self.found.message(&message, self.scanner.text());
        Ok(())
    }
}
