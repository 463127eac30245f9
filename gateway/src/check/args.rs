//! The flags of the check.

use std::path::PathBuf;

use clap::Args;

/// Say what Moonshot would answer to a request, without sending it
///
/// Also says what the gateway makes of it, and what Moonshot answers to that.
/// Reads a chat request in JSON, or a file with one request a line (JSONL), also
/// in the envelopes of OpenAI's batches.
#[derive(Clone, Debug, Args)]
#[command(
    verbatim_doc_comment,
    next_line_help = true,
    after_help = "\
Exits with
  0  if Moonshot accepts every request, as it is or as the gateway sends it
  1  if a known reason remains for which Moonshot refuses one
  2  if the file or a request in it can't be read"
)]
pub(crate) struct CheckArgs {
    /// File to read; - or nothing for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Model to assume instead of the one in the request
    #[arg(long, value_name = "ID")]
    pub(crate) model: Option<String>,

    /// Print one JSON object for each request
    #[arg(long)]
    pub(crate) json: bool,
}
