//! Generates the tables of the documentation, `facts.md` beside this file.
//!
//! `UPDATE_FACTS=1 cargo test --lib emulator::facts` writes it anew.

use std::{fmt::Write, fs, path::Path};

use super::{
    SECTIONS, Section,
    fact::{Answer, Fact},
    facts,
};
use crate::emulator::facts::fact::INVALID_REQUEST;

const WRITTEN: &str = include_str!("facts.md");

/// The longest line of a list of messages.
const WIDTH: usize = 100;

#[test]
fn the_tables_of_the_documentation_are_those_of_the_facts() {
    let tables = tables();
    if std::env::var_os("UPDATE_FACTS").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emulator/facts/facts.md");
        fs::write(file, tables).unwrap();
        return;
    }
    assert!(
        tables == WRITTEN,
        "facts.md is out of date: run UPDATE_FACTS=1 cargo test --lib emulator::facts"
    );
}

#[test]
fn every_fact_has_a_name_of_its_own() {
    let mut ids: Vec<&str> = facts().map(Fact::id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for id in ids {
        assert!(
            id.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        );
    }
}

fn tables() -> String {
    let mut out =
        "<!-- Generated from the facts beside this file; see document.rs. -->\n".to_owned();
    for section in SECTIONS {
        write_section(&mut out, section);
    }
    out
}

fn write_section(out: &mut String, section: &Section) {
    let Section {
        title,
        before,
        after,
        facts,
    } = section;
    writeln!(out, "\n{title}\n").unwrap();
    if !before.is_empty() {
        writeln!(out, "{before}\n").unwrap();
    }
    let refuses = facts
        .iter()
        .all(|fact| matches!(fact.answer, Answer::Refused { .. }));
    out.push_str(if refuses {
        "| refused | models | message | source | rule |\n|---|---|---|---|---|\n"
    } else {
        "| accepted | models | source |\n|---|---|---|\n"
    });
    let mut messages: Vec<String> = Vec::new();
    for fact in *facts {
        write!(out, "| {} | {} |", fact.what, fact.models.name).unwrap();
        if refuses {
            let number = message(fact).map(|message| {
                let known = messages.iter().position(|known| *known == message);
                known.unwrap_or_else(|| {
                    messages.push(message);
                    messages.len() - 1
                }) + 1
            });
            match number {
                Some(number) => write!(out, " *{number}* |").unwrap(),
                None => out.push_str(" |"),
            }
        }
        write!(out, " {} |", source(fact)).unwrap();
        if refuses {
            match fact.rule {
                Some(rule) => write!(out, " `{rule}` |").unwrap(),
                None => out.push_str(" |"),
            }
        }
        out.push('\n');
    }
    if !messages.is_empty() {
        out.push('\n');
        for (index, message) in messages.iter().enumerate() {
            writeln!(out, "{}", wrapped(&format!("{}. {message}", index + 1))).unwrap();
        }
    }
    if !after.is_empty() {
        writeln!(out, "\n{after}").unwrap();
    }
}

/// The recorded message, and the status and type where they are not the usual ones.
fn message(fact: &Fact) -> Option<String> {
    let answer = fact.answer("kimi-k2.5");
    let message = answer.message.map(|message| {
        // Texts with backticks need two of them around.
        let quote = if message.contains('`') { "``" } else { "`" };
        format!("{quote}{message}{quote}")
    });
    let status = answer.status.as_u16();
    match (status, answer.error_type, message) {
        (400, Some(INVALID_REQUEST), message) => message,
        (_, Some(INVALID_REQUEST), message) => Some(
            [Some(status.to_string()), message]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(": "),
        ),
        (_, kind, message) => {
            let kind = kind.unwrap_or_default();
            Some(format!(
                "{status} `{kind}`: {}",
                message.unwrap_or_default()
            ))
        }
    }
}

fn source(fact: &Fact) -> String {
    let grades: Vec<&str> = fact.grades.iter().map(|grade| grade.name()).collect();
    let mut source = grades.join(", ");
    if let Some(models) = fact.known_on {
        write!(source, " on {}; else judgement", models.name).unwrap();
    }
    if !fact.note.is_empty() {
        write!(source, "; {}", fact.note).unwrap();
    }
    if let Some(day) = fact.confirmed {
        write!(source, "; confirmed on {day}").unwrap();
    }
    source
}

/// Breaks the lines of an item of a list.
fn wrapped(item: &str) -> String {
    let mut lines = vec![String::new()];
    for word in item.split(' ') {
        let line = lines.last_mut().unwrap();
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("   {word}"));
        }
    }
    lines.join("\n")
}
