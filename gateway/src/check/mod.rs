//! The subcommand `check`: what Moonshot would say about a request, what the gateway
//! changes in it, and what remains. Nothing is sent.

pub(crate) mod args;
mod difference;
mod excerpt;
mod model;
mod print;
mod progress;
mod request;
mod summary;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    process::ExitCode,
};

use bytes::Bytes;
use tower::BoxError;

use self::{
    args::CheckArgs, excerpt::excerpt, progress::Progress, request::Checked, summary::Summary,
};
use crate::jsonl::{Line, Lines};

/// Something can't be read.
const UNREADABLE: u8 = 2;

/// Moonshot refuses a request even after the rewrite.
const REFUSED: u8 = 1;

pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    match check(args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(UNREADABLE)
        }
    }
}

fn check(args: &CheckArgs) -> Result<u8, BoxError> {
    let file = args.file.as_deref().filter(|file| file.as_os_str() != "-");
    let named = |error: io::Error| match file {
        Some(file) => format!("{}: {error}", file.display()),
        None => error.to_string(),
    };
    let (reader, length): (Box<dyn BufRead>, _) = match file {
        Some(file) => {
            let file = File::open(file).map_err(named)?;
            let length = file.metadata().map_err(named)?.len();
            (Box::new(BufReader::new(file)), Some(length))
        }
        None => (Box::new(io::stdin().lock()), None),
    };
    let mut lines = Lines::new(reader);
    let mut first = Vec::new();
    // Blank lines before the first request belong to it.
    while let Some(line) = lines.next().map_err(named)? {
        let is_blank = line.is_blank();
        first.push(line);
        if !is_blank {
            break;
        }
    }
    match first.pop() {
        Some(line) if is_whole(&line.text) => many(args, line, lines, length).map_err(Into::into),
        last => {
            first.extend(last);
            let mut text = Vec::new();
            for line in first {
                text.extend_from_slice(&line.text);
                text.extend_from_slice(&line.ending);
            }
            text.extend_from_slice(&lines.rest().map_err(named)?);
            several_or_one(args, Bytes::from(text), length).map_err(Into::into)
        }
    }
}

/// Whether a text is a whole JSON value.
fn is_whole(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

/// Checks a text whose first line is no whole value. It is the beginning of the only
/// request, unless the next line is a whole value although all lines together are none.
fn several_or_one(args: &CheckArgs, text: Bytes, length: Option<u64>) -> io::Result<u8> {
    let mut lines = Lines::new(&text[..]);
    if let Some(first) = lines.next_full()?
        && let Some(second) = lines.next_full()?
        && is_whole(&second.text)
        && !is_whole(&text)
    {
        let mut lines = Lines::new(&text[..]);
        lines.next_full()?;
        return many(args, first, lines, length);
    }
    one(args, text)
}

/// Checks the only request.
fn one(args: &CheckArgs, text: Bytes) -> io::Result<u8> {
    let mut out = anstream::stdout().lock();
    let checked = match Checked::of(&text, args.model.as_deref()) {
        Ok(checked) => checked,
        Err(problem) => {
            let mut err = anstream::stderr().lock();
            writeln!(err, "error: {problem}")?;
            write!(err, "{}", excerpt(&text, problem.offset))?;
            return Ok(UNREADABLE);
        }
    };
    if args.json {
        writeln!(out, "{}", checked.json(None))?;
    } else {
        print::request(&checked, &mut out)?;
    }
    Ok(checked.code())
}

/// Checks one request a line. A file with a single one is printed in full.
fn many<R: BufRead>(
    args: &CheckArgs,
    first: Line,
    mut lines: Lines<R>,
    length: Option<u64>,
) -> io::Result<u8> {
    let Some(second) = lines.next_full()? else {
        return one(args, first.text);
    };
    let mut progress = Progress::new(length);
    let mut summary = Summary::default();
    let mut next = Some(first);
    let mut after = Some(second);
    let mut out = anstream::stdout().lock();
    while let Some(line) = next {
        next = match after.take() {
            Some(line) => Some(line),
            None => lines.next()?,
        };
        progress.read(line.text.len() + line.ending.len());
        if line.is_blank() {
            continue;
        }
        match Checked::of(&line.text, args.model.as_deref()) {
            Ok(checked) => {
                if args.json {
                    writeln!(out, "{}", checked.json(Some(line.number)))?;
                }
                summary.add(line.number, &checked);
            }
            Err(problem) => {
                progress.around(|| {
                    let mut err = anstream::stderr().lock();
                    let problem = problem.at_line(line.number);
                    writeln!(err, "error: {problem}")?;
                    write!(err, "{}", excerpt(&line.text, problem.offset))
                })?;
                summary.unreadable(line.number);
            }
        }
    }
    progress.finish();
    if !args.json {
        summary.print(&mut out)?;
    }
    Ok(summary.code())
}
