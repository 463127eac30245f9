//! Prints what is said about one request, for people.

use std::{
    fmt::{self, Display},
    io::{self, Write},
};

use anstyle::{AnsiColor, Style};
use serde_json::Value;
use tower_moonshot::emulator::{Finding, Grade};

use super::{difference::Difference, request::Checked};

pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const HEAD: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();

/// The most findings, changes and differences that are printed. `--json` has all.
const LISTED: usize = 20;

/// The longest value that is printed in full, in characters.
const MAX_VALUE: usize = 60;

/// Something in a style.
pub(super) struct Styled<T>(pub(super) Style, pub(super) T);

impl<T: Display> Display for Styled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(style, what) = self;
        write!(f, "{style}{what}{style:#}")
    }
}

/// Prints everything about a request.
pub(super) fn request(checked: &Checked, out: &mut impl Write) -> io::Result<()> {
    head(checked, out)?;
    if checked.is_other {
        return writeln!(
            out,
            "\nIt is for another path than that of chats: it is not judged, and stays as it is."
        );
    }
    let is_changed = !checked.differences.is_empty() || !checked.report.changes().is_empty();
    match checked.before.len() {
        0 => writeln!(out, "\n{}", Styled(GOOD, "Moonshot accepts it as it is."))?,
        count => {
            let title = format!("Moonshot refuses it as it is, for {}:", reasons(count));
            writeln!(out, "\n{}", Styled(BAD, title))?;
            findings(&checked.before, out)?;
        }
    }
    if let Some(skipped) = checked.report.skipped() {
        return writeln!(out, "\nThe gateway leaves it as it is: {skipped}.");
    }
    if !is_changed {
        let why = if checked.after.is_empty() {
            "The gateway sends it unchanged."
        } else {
            "The gateway has no rule for that, and sends it unchanged."
        };
        return writeln!(out, "\n{why}");
    }
    writeln!(out, "\n{}", Styled(HEAD, "The gateway changes it:"))?;
    differences(&checked.differences, out)?;
    writeln!(out, "\n{}", Styled(HEAD, "because of these rules:"))?;
    let changes = checked.report.changes();
    for change in changes.iter().take(LISTED) {
        let (rule, pointer) = (change.rule().name(), at(&change.pointer()));
        writeln!(out, "  {rule}{pointer}: {}", change.why())?;
    }
    let left_out = checked.report.changes_left_out();
    more(changes.len() + left_out, left_out, out)?;
    unrepaired(checked.report.unrepaired_schemas(), out)?;
    match checked.after.len() {
        0 => writeln!(out, "\n{}", Styled(GOOD, "Moonshot accepts what is sent.")),
        count => {
            let title = format!("Moonshot refuses what is sent, for {}:", reasons(count));
            writeln!(out, "\n{}", Styled(BAD, title))?;
            findings(&checked.after, out)
        }
    }
}

/// The request in one line.
fn head(checked: &Checked, out: &mut impl Write) -> io::Result<()> {
    let count = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    if let Some(id) = &checked.custom_id {
        write!(out, "{}: ", shortened(id))?;
    }
    let model = checked.model.as_deref().map(shortened);
    let model = model.as_deref().unwrap_or("no model");
    write!(
        out,
        "{}, {}",
        Styled(HEAD, model),
        count(checked.messages, "message")
    )?;
    if checked.tools > 0 {
        write!(out, ", {}", count(checked.tools, "tool"))?;
    }
    writeln!(out, ", {}", count(checked.bytes, "byte"))
}

fn reasons(count: usize) -> String {
    match count {
        1 => "one reason".to_owned(),
        count => format!("{count} reasons"),
    }
}

fn findings(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    for finding in findings.iter().take(LISTED) {
        let pointer = match finding.pointer() {
            "" => "the body",
            pointer => pointer,
        };
        writeln!(out, "  {}", Styled(HEAD, pointer))?;
        writeln!(out, "    {}", finding.message())?;
        let source = match finding.grade() {
            Grade::Judgement => "no source: it follows from what is known".to_owned(),
            grade => format!("source: {}", grade.source()),
        };
        let wording = if finding.is_recorded() {
            ""
        } else {
            "; the wording is not known"
        };
        let source = format!("{source}{wording}");
        writeln!(out, "    {}", Styled(FAINT, source))?;
        let rule = match finding.rule() {
            Some(rule) => format!("repaired by the rule {}", rule.name()),
            None => "no rule repairs it".to_owned(),
        };
        writeln!(out, "    {}", Styled(FAINT, rule))?;
    }
    more(findings.len(), 0, out)
}

fn differences(differences: &[Difference], out: &mut impl Write) -> io::Result<()> {
    for difference in differences.iter().take(LISTED) {
        let pointer = match &*difference.pointer {
            "" => "the body",
            pointer => pointer,
        };
        writeln!(out, "  {pointer}")?;
        if let Some(old) = &difference.old {
            writeln!(out, "    {}", Styled(BAD, format_args!("- {}", brief(old))))?;
        }
        if let Some(new) = &difference.new {
            writeln!(
                out,
                "    {}",
                Styled(GOOD, format_args!("+ {}", brief(new)))
            )?;
        }
    }
    more(differences.len(), 0, out)
}

/// Says how many of `count` are not listed; `left_out` of them are listed nowhere.
fn more(count: usize, left_out: usize, out: &mut impl Write) -> io::Result<()> {
    match count.checked_sub(LISTED) {
        None | Some(0) => Ok(()),
        Some(more) if left_out == 0 => writeln!(out, "  … and {more} more; --json has all"),
        Some(more) => {
            let listed = count - left_out;
            writeln!(out, "  … and {more} more; --json has the first {listed}")
        }
    }
}

fn unrepaired(schemas: usize, out: &mut impl Write) -> io::Result<()> {
    match schemas {
        0 => Ok(()),
        1 => writeln!(
            out,
            "\nThe schema of one tool is too difficult to repair, and is sent unchanged."
        ),
        count => writeln!(
            out,
            "\nThe schemas of {count} tools are too difficult to repair, and are sent unchanged."
        ),
    }
}

fn at(pointer: &str) -> String {
    match pointer {
        "" => String::new(),
        pointer => format!(" at {pointer}"),
    }
}

/// A value in JSON, cut if it is long.
fn brief(value: &Value) -> String {
    shortened(&value.to_string())
}

/// A text on one line, cut if it is long.
fn shortened(text: &str) -> String {
    let shown = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut short: String = text.chars().take(MAX_VALUE).map(shown).collect();
    if text.chars().nth(MAX_VALUE).is_some() {
        let rest = text.chars().count() - MAX_VALUE;
        short.push_str(&format!("… ({rest} more characters)"));
    }
    short
}
