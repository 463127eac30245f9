//! The flags of the probe.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::Args;
use tower_moonshot::emulator::{Fact, facts};

use moonshot_config::seconds::{seconds, some_seconds};

/// Ask Moonshot whether what is known about it still holds
///
/// Sends one small request for each fact, for about a cent, and records the
/// answers.
#[derive(Clone, Debug, Args)]
#[command(
    verbatim_doc_comment,
    next_line_help = true,
    after_help = "\
Environment:
  MOONSHOT_API_KEY    API key for the region in MOONSHOT_API_BASE
  MOONSHOT_API_BASE   Name or base URL of a region
                      [default: https://api.moonshot.ai/v1]
  MOONSHOT_API_KEY_GLOBAL, MOONSHOT_API_KEY_CHINA,
  MOONSHOT_API_KEY_KIMI_CODE, MOONSHOT_API_KEY_KIMI_CODE_CHINA
                      API keys for more regions, each of which is asked too

Exits with 0 if every answer is as expected, otherwise with 1."
)]
pub(crate) struct ProbeArgs {
    /// Model to ask; can be given several times [default: kimi-k3, kimi-k2.7,
    /// kimi-k2.6 and kimi-k2.5, at Kimi Code k3 and kimi-for-coding]
    #[arg(long = "model", value_name = "ID", verbatim_doc_comment)]
    pub(crate) models: Vec<String>,

    /// Fact to ask about, such as temperature_fixed; can be given several
    /// times [default: all]
    #[arg(long = "fact", value_name = "ID", value_parser = known_fact, verbatim_doc_comment)]
    pub(crate) facts: Vec<&'static Fact>,

    /// File for the answers; facts that have one in it are not asked about
    /// again [default: moonshot-probe-DATE.json]
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub(crate) out: Option<PathBuf>,

    /// Stop after N requests, attempts included
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(crate) max_requests: NonZeroUsize,

    /// Price of a million tokens, for the estimate
    #[arg(long, value_name = "DOLLARS", default_value_t = 10.0)]
    pub(crate) price: f64,

    /// Time limit for an answer
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = some_seconds)]
    pub(crate) timeout: Duration,

    /// Attempts to get an answer if Moonshot is busy or fails
    #[arg(long, value_name = "N", default_value = "6")]
    pub(crate) attempts: NonZeroUsize,

    /// Wait before the second attempt, unless Moonshot names a longer one; it
    /// doubles with each further attempt
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds, verbatim_doc_comment)]
    pub(crate) backoff: Duration,

    /// Print what would be asked and what it would cost, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn known_fact(id: &str) -> Result<&'static Fact, String> {
    let fact = facts().find(|fact| fact.id() == id);
    fact.ok_or_else(|| "there is no such fact; --dry-run prints their names".to_owned())
}
