//! Prints the answers as a table.

use std::{
    fmt,
    io::{self, Write},
};

use super::{
    answer::{Answer, Verdict, text},
    plan::Question,
};

/// Prints a line. It is an error if nobody reads it any more.
pub(super) fn line(text: impl fmt::Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// The head of the table.
pub(super) fn head() -> io::Result<()> {
    row("fact", "model", "expected", "answered", "verdict")
}

/// One answer. What differs, and a wording that nobody had recorded, is printed below.
pub(super) fn answer(question: &Question<'_>, answer: &Answer, verdict: Verdict) -> io::Result<()> {
    let expected = question.expected();
    let status = expected.status.as_u16().to_string();
    let answered = answer.status.as_u16().to_string();
    let id = question.fact.id();
    row(id, &question.model, &status, &answered, verdict.name())?;
    match (verdict, &answer.message) {
        (Verdict::Changed, _) => {
            let message = expected.message.as_deref();
            let expected = text(expected.status, expected.error_type, message);
            line(format_args!("    expected  {expected}"))?;
            line(format_args!("    answered  {}", answer.text()))
        }
        (Verdict::Confirmed, Some(message)) if expected.message.is_none() => {
            line(format_args!("    it says   {message}"))
        }
        _ => Ok(()),
    }
}

fn row(fact: &str, model: &str, expected: &str, answered: &str, verdict: &str) -> io::Result<()> {
    line(format_args!(
        "{fact:<30}  {model:<15}  {expected:<8}  {answered:<8}  {verdict}"
    ))
}

/// A question, for those who only want to know what would be asked.
pub(super) fn question(question: &Question<'_>) -> io::Result<()> {
    let expected = question.expected();
    let message = expected.message.as_deref();
    let expected = text(expected.status, expected.error_type, message);
    line(format_args!(
        "{} {} {}\n    about     {}\n    request   {}\n    expected  {expected}",
        question.fact.id(),
        question.account.region,
        question.model,
        question.fact.what(),
        question.body,
    ))
}
