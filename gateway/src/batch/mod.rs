//! The subcommand `rewrite`: the rules of the layer for files with one request a line.
//!
//! A line is read, rewritten and written before the next, so that memory is bounded by the
//! longest line.

pub(crate) mod args;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    process::ExitCode,
};

use bytes::Bytes;
use tower_moonshot::{MoonshotCompatLayer, Report};

use self::args::BatchArgs;
use crate::jsonl::{Line, Lines, Rewritten};

/// The buffers of the input and the output, in bytes.
const BUFFER: usize = 256 * 1024;

/// Lines were kept that are no chat requests.
const KEPT: u8 = 1;

/// The rewrite has ended at an error.
const FAILED: u8 = 2;

pub(crate) fn run(args: &BatchArgs) -> ExitCode {
    let mut counts = Counts::default();
    let result = rewrite(args, &mut counts);
    match result {
        Ok(()) => {
            eprintln!("{}", counts.text());
            ExitCode::from(if counts.kept > 0 { KEPT } else { 0 })
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(FAILED)
        }
    }
}

fn rewrite(args: &BatchArgs, counts: &mut Counts) -> Result<(), String> {
    let file = args.file.as_deref().filter(|file| file.as_os_str() != "-");
    let name = file.map_or("standard input".into(), |file| file.to_string_lossy());
    let input = |error: io::Error| format!("{name}: {error}");
    let output = |error: io::Error| format!("standard output: {error}");
    let reader: Box<dyn BufRead> = match file {
        Some(file) => {
            let file = File::open(file).map_err(input)?;
            Box::new(BufReader::with_capacity(BUFFER, file))
        }
        None => Box::new(BufReader::with_capacity(BUFFER, io::stdin().lock())),
    };
    let layer = MoonshotCompatLayer::new();
    let mut lines = Lines::new(reader);
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let result = loop {
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => break Ok(()),
            Err(error) => break Err(input(error)),
        };
        match one(&line, &layer, counts, &mut out).map_err(output)? {
            Some(problem) if args.keep_bad_lines => {
                counts.kept += 1;
                eprintln!("warning: {problem}");
                keep(&line, &mut out).map_err(output)?;
            }
            Some(problem) => break Err(problem),
            None => {}
        }
    };
    out.flush().map_err(output)?;
    result
}

/// Writes one line, unless something is wrong with it.
fn one(
    line: &Line,
    layer: &MoonshotCompatLayer,
    counts: &mut Counts,
    out: &mut impl Write,
) -> io::Result<Option<String>> {
    if line.is_blank() {
        keep(line, out)?;
        return Ok(None);
    }
    let rewritten = match Rewritten::of(&line.text, layer) {
        Ok(rewritten) => rewritten,
        Err(problem) => return Ok(Some(problem.at_line(line.number).to_string())),
    };
    let place = &rewritten.place;
    if rewritten.report.skipped().is_some() && !place.is_other {
        let why = "no chat request: it has no array \"messages\"";
        return Ok(Some(format!("line {}: {why}", line.number)));
    }
    if place.is_other {
        counts.others += 1;
        keep(line, out)?;
        return Ok(None);
    }
    out.write_all(&line.text[..place.body.start])?;
    for piece in rewritten.body {
        out.write_all(&piece)?;
    }
    out.write_all(&line.text[place.body.end..])?;
    out.write_all(&line.ending)?;
    counts.add(&rewritten.report);
    Ok(None)
}

/// Writes a line as it is.
fn keep(line: &Line, out: &mut impl Write) -> io::Result<()> {
    let pieces: [&Bytes; 2] = [&line.text, &line.ending];
    pieces
        .into_iter()
        .try_for_each(|piece| out.write_all(piece))
}

/// What was done.
#[derive(Debug, Default)]
struct Counts {
    requests: usize,
    changed: usize,
    others: usize,
    kept: usize,
    rules: BTreeMap<&'static str, usize>,
}

impl Counts {
    fn add(&mut self, report: &Report) {
        self.requests += 1;
        let changes = report.changes().iter();
        let mut rules: Vec<_> = changes.map(|change| change.rule().name()).collect();
        rules.sort_unstable();
        rules.dedup();
        self.changed += usize::from(!rules.is_empty());
        for rule in rules {
            *self.rules.entry(rule).or_default() += 1;
        }
    }

    /// One line.
    fn text(&self) -> String {
        let mut text = format!("{} requests, {} changed", self.requests, self.changed);
        let rules: Vec<String> = self
            .rules
            .iter()
            .map(|(rule, count)| format!("{rule} {count}"))
            .collect();
        if !rules.is_empty() {
            text.push_str(&format!(" ({})", rules.join(", ")));
        }
        if self.others > 0 {
            text.push_str(&format!(", {} for other paths kept", self.others));
        }
        if self.kept > 0 {
            text.push_str(&format!(", {} bad lines kept", self.kept));
        }
        text
    }
}
