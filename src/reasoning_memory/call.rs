//! Tool calls of a message, written into the conversation.

use super::{
    transcript::Transcript,
    words::{CallKey, FunctionKey},
};
use crate::json::{self, Backend, Error, Kind, Pass, Scanner, Str, Value};

/// Writes an array of tool calls, which is `raw`: their names and arguments.
pub(super) fn write_calls(raw: &[u8], transcript: &mut Transcript) {
    // The text was validated before, so there is no error.
    let _ = json::scan(raw, Calls { transcript });
}

struct Calls<'t> {
    transcript: &'t mut Transcript,
}

impl Pass for Calls<'_> {
    type Output = Result<(), Error>;

    #[inline(always)]
    fn run<B: Backend>(self, mut scanner: Scanner<'_, B>) -> Result<(), Error> {
        if scanner.peek()? == Kind::Array && scanner.open()? {
            loop {
                let function = if scanner.peek()? == Kind::Object {
                    call(&mut scanner)?
                } else {
                    scanner.skip()?;
                    Function::default()
                };
                function.write(scanner.text(), self.transcript);
                if !scanner.more(b']')? {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// What a tool call calls.
#[derive(Default)]
struct Function {
    name: Option<Str>,
    arguments: Option<Value>,
}

/// Reads a tool call.
#[inline(always)]
fn call<B: Backend>(scanner: &mut Scanner<'_, B>) -> Result<Function, Error> {
    let mut found = Function::default();
    if scanner.open()? {
        loop {
            let (key, _) = CallKey::read_key(scanner)?;
            if key.is_none() {
                scanner.skip()?;
            } else if scanner.peek()? == Kind::Object {
                found = function(scanner)?;
            } else {
                scanner.skip()?;
                found = Function::default();
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
    if scanner.open()? {
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
    fn write(&self, raw: &[u8], transcript: &mut Transcript) {
        let name = self.name.map(|name| name.unescaped(raw));
        let name = name.as_deref().unwrap_or_default();
        match self.arguments {
            Some(arguments) => match arguments.as_str() {
                Some(string) => transcript.quoted_call(name, string.span.of(raw)),
                None if arguments.kind == Kind::Null => transcript.call(name, b""),
                // Some clients send the object itself.
                None => transcript.call(name, arguments.span.of(raw)),
            },
            None => transcript.call(name, b""),
        }
    }
}
