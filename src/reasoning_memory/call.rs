//! Tool calls of a message, read with it and written into the conversation.

use super::{
    transcript::Transcript,
    words::{CallKey, FunctionKey},
};
use crate::json::{Backend, Error, Kind, Scanner, Str, Value};

/// What a tool call calls.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Function {
    name: Option<Str>,
    arguments: Option<Value>,
}

/// Reads an array of tool calls. Anything else has none.
#[inline(always)]
pub(super) fn read_calls<B: Backend>(
    scanner: &mut Scanner<'_, B>,
    calls: &mut Vec<Function>,
) -> Result<(), Error> {
    calls.clear();
    let kind = scanner.peek()?;
    if kind != Kind::Array {
        scanner.skip_peeked(kind)?;
    } else if scanner.open()? {
        loop {
            calls.push(call(scanner)?);
            if !scanner.more(b']')? {
                break;
            }
        }
    }
    Ok(())
}

/// Reads a tool call.
#[inline(always)]
fn call<B: Backend>(scanner: &mut Scanner<'_, B>) -> Result<Function, Error> {
    let mut found = Function::default();
    let kind = scanner.peek()?;
    if kind != Kind::Object {
        scanner.skip_peeked(kind)?;
    } else if scanner.open()? {
        loop {
            match CallKey::read_key(scanner)? {
                (Some(CallKey::Function | CallKey::Custom), _) => found = function(scanner)?,
                (None, _) => drop(scanner.skip()?),
            }
            if !scanner.more(b'}')? {
                break;
            }
        }
    }
    Ok(found)
}

#[inline(always)]
fn function<B: Backend>(scanner: &mut Scanner<'_, B>) -> Result<Function, Error> {
    let mut function = Function::default();
    let kind = scanner.peek()?;
    if kind != Kind::Object {
        scanner.skip_peeked(kind)?;
    } else if scanner.open()? {
        loop {
            let (key, _) = FunctionKey::read_key(scanner)?;
            let value = scanner.skip()?;
            match key {
                Some(FunctionKey::Name) => function.name = value.as_str(),
                Some(FunctionKey::Arguments | FunctionKey::Input) => {
                    function.arguments = Some(value);
                }
                None => {}
            }
            if !scanner.more(b'}')? {
                break;
            }
        }
    }
    Ok(function)
}

impl Function {
    /// Writes a call of this function, which was read in `text`.
    pub(super) fn write(&self, text: &[u8], transcript: &mut Transcript) {
        let name = self.name.map(|name| name.unescaped(text));
        let name = name.as_deref().unwrap_or_default();
        match self.arguments {
            Some(arguments) => match arguments.as_str() {
                Some(string) => transcript.quoted_call(name, string.span.of(text)),
                None if arguments.kind == Kind::Null => transcript.call(name, b""),
                // Some clients send the object itself.
                None => transcript.call(name, arguments.span.of(text)),
            },
            None => transcript.call(name, b""),
        }
    }
}
