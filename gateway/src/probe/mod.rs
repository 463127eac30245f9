//! The subcommand `probe`: asks Moonshot whether the facts that the emulator and the
//! rewrite rely on still hold.

mod account;
mod answer;
pub(crate) mod args;
mod ask;
mod client;
mod plan;
mod record;
mod table;

use std::{borrow::Cow, env, io, process::ExitCode, time::SystemTime};

use tower::BoxError;
use tower_moonshot::Region;

use self::{
    account::accounts,
    answer::Verdict,
    args::ProbeArgs,
    ask::{Asker, Outcome},
    client::Client,
    plan::{Question, estimate, plan},
    record::Record,
    table::line,
};
use crate::{config::variable, server};

/// After so many questions in a row without an answer no more are asked of a region.
const MAX_UNANSWERED: usize = 3;

pub(crate) fn run(args: &ProbeArgs) -> Result<ExitCode, BoxError> {
    let accounts = accounts(&variable, args.dry_run)?;
    let questions = plan(args, &accounts);
    let file = args.out.clone();
    let mut record = Record::open(file.unwrap_or_else(|| record::name_of(SystemTime::now())))?;
    let open = questions.iter().filter(|question| !record.has(question));
    let open: Vec<&Question<'_>> = open.collect();
    if args.dry_run {
        for question in &open {
            table::question(question)?;
        }
        line(estimate(&open, args.price))?;
        return Ok(ExitCode::SUCCESS);
    }
    line(estimate(&open, args.price))?;
    let known = questions.len() - open.len();
    if known > 0 {
        line(format_args!(
            "{known} more are answered in {}.",
            record.file().display()
        ))?;
    }
    let mut asker = Asker {
        args,
        client: Client::new(args.timeout),
        left: args.max_requests.get(),
    };
    server::runtime()?.block_on(ask_all(&open, &mut asker, &mut record))?;
    Ok(summary(args, &questions, &record)?)
}

/// Asks the questions one after the other, and records the answers.
async fn ask_all(
    questions: &[&Question<'_>],
    asker: &mut Asker<'_>,
    record: &mut Record,
) -> Result<(), BoxError> {
    let mut region: Option<&Region> = None;
    let mut stopped: Option<&Region> = None;
    let mut missing = None;
    let mut unanswered = 0;
    for question in questions {
        let here = &question.account.region;
        let model = (here, &question.model);
        if stopped == Some(here) || missing == Some(model) {
            continue;
        }
        if region != Some(here) {
            line(format_args!("\n{here}"))?;
            table::head()?;
            region = Some(here);
            unanswered = 0;
        }
        match asker.ask(question).await {
            Outcome::Answered(answer) => {
                let verdict = answer.verdict(&question.expected());
                record.add(question, &answer, verdict)?;
                table::answer(question, &answer, verdict)?;
                unanswered = 0;
            }
            Outcome::NoModel => {
                line(format_args!(
                    "{}: not available to this key, skipped",
                    question.model
                ))?;
                missing = Some(model);
            }
            Outcome::Unanswered(why) => {
                line(format_args!(
                    "{} on {}: {why}",
                    question.fact.id(),
                    question.model
                ))?;
                unanswered += 1;
                if unanswered == MAX_UNANSWERED {
                    line(format_args!(
                        "stopped: {MAX_UNANSWERED} questions in a row have no answer"
                    ))?;
                    stopped = Some(here);
                }
            }
            Outcome::Stop(why) => {
                line(format_args!("stopped at {}: {why}", question.fact.id()))?;
                stopped = Some(here);
            }
            Outcome::Spent => {
                line(format_args!("stopped: --max-requests is reached"))?;
                break;
            }
        }
    }
    Ok(())
}

/// An argument as a shell has to get it.
fn quoted(argument: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
    if !argument.is_empty() && argument.bytes().all(is_plain) {
        return argument.into();
    }
    format!("'{}'", argument.replace('\'', r"'\''")).into()
}

/// Prints how many facts are confirmed and how to go on.
fn summary(args: &ProbeArgs, questions: &[Question<'_>], record: &Record) -> io::Result<ExitCode> {
    let of = |verdict: Verdict| {
        let answers = record.answers().iter();
        answers
            .filter(|answer| answer["verdict"] == verdict.name())
            .count()
    };
    let (confirmed, changed) = (of(Verdict::Confirmed), of(Verdict::Changed));
    let left = questions
        .iter()
        .filter(|question| !record.has(question))
        .count();
    let file = record.file().display();
    line(format_args!(
        "\n{confirmed} confirmed, {changed} changed, {left} without an answer: {file}"
    ))?;
    if left > 0 {
        let mut command: String = env::args()
            .skip(1)
            .map(|argument| format!(" {}", quoted(&argument)))
            .collect();
        if args.out.is_none() {
            command += &format!(" --out {}", quoted(&file.to_string()));
        }
        line(format_args!(
            "To ask for the rest: moonshot-gateway{command}"
        ))?;
    }
    Ok(if changed == 0 && left == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
