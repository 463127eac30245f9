//! Asks until there is an answer, or a reason to stop.

use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::sleep;
use tower_moonshot::emulator::SampleKey;

use super::{
    answer::Answer,
    args::ProbeArgs,
    client::{Client, Response},
    plan::Question,
};

/// The longest `Retry-After` that is waited for.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// What came of a question.
pub(super) enum Outcome {
    Answered(Answer),
    /// The model is not available to this key.
    NoModel,
    /// No attempt got an answer; another question may.
    Unanswered(String),
    /// No question to this region will be answered.
    Stop(String),
    /// The number of requests is used up.
    Spent,
}

pub(super) struct Asker<'a> {
    pub(super) args: &'a ProbeArgs,
    pub(super) client: Client,
    /// How many requests may still be sent.
    pub(super) left: usize,
}

impl Asker<'_> {
    pub(super) async fn ask(&mut self, question: &Question<'_>) -> Outcome {
        let attempts = self.args.attempts.get();
        let mut backoff = self.args.backoff;
        for attempt in 1.. {
            let Some(left) = self.left.checked_sub(1) else {
                return Outcome::Spent;
            };
            self.left = left;
            let is_last = attempt == attempts;
            let (why, wait) = match self.client.send(question).await {
                Ok(response) => match judge(&response, question) {
                    Judgement::Final(outcome) => return outcome,
                    Judgement::Busy(why) if is_last => return Outcome::Stop(why),
                    Judgement::Busy(why) | Judgement::Failed(why) => {
                        let wait = response.retry_after.unwrap_or_default();
                        if wait > MAX_WAIT {
                            return Outcome::Stop(format!("{why}, in {} seconds", wait.as_secs()));
                        }
                        (why, wait)
                    }
                },
                Err(why) => (why, Duration::ZERO),
            };
            if is_last {
                return Outcome::Unanswered(format!("{why} ({attempts} attempts)"));
            }
            sleep(wait.max(backoff)).await;
            backoff = backoff.saturating_mul(2);
        }
        Outcome::Spent
    }
}

enum Judgement {
    Final(Outcome),
    /// Another attempt may help, and another question doesn't.
    Busy(String),
    /// Another attempt may help.
    Failed(String),
}

fn judge(response: &Response, question: &Question<'_>) -> Judgement {
    let status = response.status;
    let is_failure = status.is_server_error();
    let Some(answer) = Answer::read(response, &question.account.key) else {
        let what = match response.content_type.as_str() {
            "" => "no content type",
            content_type => content_type,
        };
        let why = format!(
            "{status} with a body ({what}) that is not one of Moonshot's; is there a proxy in \
             between?"
        );
        let is_passing = is_failure || status == StatusCode::TOO_MANY_REQUESTS;
        return if is_passing {
            Judgement::Failed(why)
        } else {
            Judgement::Final(Outcome::Stop(why))
        };
    };
    let expected = question.expected().status;
    if status == expected {
        return Judgement::Final(Outcome::Answered(answer));
    }
    let variable = &question.account.variable;
    match status {
        StatusCode::UNAUTHORIZED if question.fact.key() == SampleKey::Valid => {
            Judgement::Final(Outcome::Stop(format!(
                "the key in {variable} is refused ({}); a key belongs to one region",
                answer.text()
            )))
        }
        StatusCode::FORBIDDEN => Judgement::Final(Outcome::Stop(format!(
            "the key in {variable} has no access ({})",
            answer.text()
        ))),
        StatusCode::NOT_FOUND if answer.is_of("resource_not_found_error") => {
            Judgement::Final(Outcome::NoModel)
        }
        StatusCode::TOO_MANY_REQUESTS if answer.is_of("exceeded_current_quota_error") => {
            Judgement::Final(Outcome::Stop(
                "429 exceeded_current_quota_error: the account has no money left".to_owned(),
            ))
        }
        // Its message names the account.
        StatusCode::TOO_MANY_REQUESTS => {
            let kind = answer.error_type.unwrap_or_default();
            Judgement::Busy(format!("429 {kind}: too many requests"))
        }
        _ if is_failure => Judgement::Failed(answer.text()),
        _ => Judgement::Final(Outcome::Answered(answer)),
    }
}
