//! What is asked, and what it costs.

use tower_moonshot::{
    Region,
    emulator::{ExpectedAnswer, Fact, facts},
};

use super::{account::Account, args::ProbeArgs};

/// The models that the open platform sells.
const PLATFORM: [&str; 4] = ["kimi-k3", "kimi-k2.7", "kimi-k2.6", "kimi-k2.5"];
const KIMI_CODE: [&str; 2] = ["k3", "kimi-for-coding"];

/// The most tokens of an answer to the request of a fact.
const ANSWER_TOKENS: usize = 8;

/// One request to one model of one region.
pub(super) struct Question<'a> {
    pub(super) account: &'a Account,
    pub(super) model: String,
    pub(super) fact: &'static Fact,
    pub(super) body: String,
}

impl Question<'_> {
    pub(super) fn expected(&self) -> ExpectedAnswer {
        self.fact.answer(&self.model)
    }

    /// The tokens that are paid for if the answer is as expected. A token has at least
    /// one byte; Moonshot adds a few around each message.
    fn tokens(&self) -> usize {
        match self.expected().error_type {
            Some(_) => 0,
            None => self.body.len() + ANSWER_TOKENS,
        }
    }
}

/// The questions to all regions, in the order in which they are asked.
pub(super) fn plan<'a>(args: &ProbeArgs, accounts: &'a [Account]) -> Vec<Question<'a>> {
    let mut questions = Vec::new();
    for account in accounts {
        for model in models(args, &account.region) {
            let chosen = facts().filter(|fact| args.facts.is_empty() || args.facts.contains(fact));
            for fact in chosen.filter(|fact| fact.holds_for(&model)) {
                if let Some(body) = fact.request(&model) {
                    questions.push(Question {
                        account,
                        model: model.clone(),
                        fact,
                        body,
                    });
                }
            }
        }
    }
    questions
}

fn models(args: &ProbeArgs, region: &Region) -> Vec<String> {
    let defaults: &[&str] = match region {
        Region::KimiCode | Region::KimiCodeChina => &KIMI_CODE,
        _ => &PLATFORM,
    };
    if args.models.is_empty() {
        defaults.iter().map(|model| (*model).to_owned()).collect()
    } else {
        args.models.clone()
    }
}

/// A sentence about the number of requests and their price.
pub(super) fn estimate(questions: &[&Question<'_>], price: f64) -> String {
    let paid = questions.iter().filter(|question| question.tokens() > 0);
    let tokens: usize = questions.iter().map(|question| question.tokens()).sum();
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    let dollars = tokens as f64 * price / 1e6;
    format!(
        "{} requests. {} of them should be answered by a model, with {tokens} tokens at most: \
         {dollars:.2} dollars at {price} dollars per million tokens. Refusals cost nothing.",
        questions.len(),
        paid.count(),
    )
}
