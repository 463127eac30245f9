//! Counts what is said about many requests.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::{
    REFUSED, UNREADABLE,
    print::{BAD, GOOD, HEAD, Styled},
    request::Checked,
};

/// The most line numbers that are listed.
const LISTED: usize = 10;

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Summary {
    requests: usize,
    accepted: usize,
    repaired: usize,
    others: usize,
    /// The lines of requests that stay refused, and how many there are.
    refused: Lines,
    unreadable: Lines,
    /// Requests by the fact that they ignore, with what it says.
    before: BTreeMap<&'static str, (usize, &'static str)>,
    after: BTreeMap<&'static str, (usize, &'static str)>,
    /// Requests by the rule that changes them.
    rules: BTreeMap<&'static str, usize>,
}

#[derive(Debug, Default)]
struct Lines {
    count: usize,
    first: Vec<usize>,
}

impl Lines {
    fn add(&mut self, number: usize) {
        self.count += 1;
        if self.first.len() < LISTED {
            self.first.push(number);
        }
    }

    fn text(&self) -> String {
        let mut numbers: Vec<String> = self.first.iter().map(ToString::to_string).collect();
        if self.count > self.first.len() {
            numbers.push("…".to_owned());
        }
        let lines = if self.count == 1 { "line" } else { "lines" };
        format!("{lines} {}", numbers.join(", "))
    }
}

impl Summary {
    pub(super) fn add(&mut self, line: usize, checked: &Checked) {
        self.requests += 1;
        if checked.is_other {
            self.others += 1;
            return;
        }
        match (checked.before.is_empty(), checked.after.is_empty()) {
            (true, true) => self.accepted += 1,
            (false, true) => self.repaired += 1,
            (_, false) => self.refused.add(line),
        }
        for (findings, counts) in [
            (&checked.before, &mut self.before),
            (&checked.after, &mut self.after),
        ] {
            let mut facts: Vec<_> = findings.iter().map(|finding| finding.fact()).collect();
            facts.sort_by_key(|fact| fact.id());
            facts.dedup_by_key(|fact| fact.id());
            for fact in facts {
                counts.entry(fact.id()).or_insert((0, fact.what())).0 += 1;
            }
        }
        let changes = checked.report.changes().iter();
        let mut rules: Vec<_> = changes.map(|change| change.rule().name()).collect();
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            *self.rules.entry(rule).or_default() += 1;
        }
    }

    pub(super) fn unreadable(&mut self, line: usize) {
        self.unreadable.add(line);
    }

    pub(super) fn code(&self) -> u8 {
        match (self.unreadable.count, self.refused.count) {
            (1.., _) => UNREADABLE,
            (0, 1..) => REFUSED,
            (0, 0) => 0,
        }
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{}",
            Styled(HEAD, format_args!("{} requests", self.requests))
        )?;
        let of = |count: usize, what: &str| format!("{count:>8}  {what}");
        writeln!(
            out,
            "{}",
            Styled(GOOD, of(self.accepted, "accepted as they are"))
        )?;
        writeln!(
            out,
            "{}",
            Styled(
                GOOD,
                of(self.repaired, "accepted as the gateway sends them")
            )
        )?;
        if self.others > 0 {
            writeln!(out, "{}", of(self.others, "for other paths, not judged"))?;
        }
        if self.refused.count > 0 {
            let line = of(self.refused.count, "refused even so");
            writeln!(out, "{}: {}", Styled(BAD, line), self.refused.text())?;
        }
        if self.unreadable.count > 0 {
            let line = of(self.unreadable.count, "more can't be read");
            writeln!(out, "{}: {}", Styled(BAD, line), self.unreadable.text())?;
        }
        facts("Why Moonshot refuses them as they are:", &self.before, out)?;
        if !self.rules.is_empty() {
            writeln!(out, "\n{}", Styled(HEAD, "Which rules change them:"))?;
            let mut rules: Vec<_> = self.rules.iter().collect();
            rules.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            for (rule, count) in rules {
                writeln!(out, "{}", of(*count, rule))?;
            }
        }
        facts("Why Moonshot refuses what is sent:", &self.after, out)
    }
}

fn facts(
    title: &str,
    counts: &BTreeMap<&'static str, (usize, &'static str)>,
    out: &mut impl Write,
) -> io::Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", Styled(HEAD, title))?;
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let width = counts.iter().map(|(id, _)| id.len()).max().unwrap_or(0);
    for (id, (count, what)) in counts {
        writeln!(out, "{count:>8}  {id:width$}  {what}")?;
    }
    Ok(())
}
