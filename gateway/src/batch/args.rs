//! The flags of the rewrite of files.

use std::path::PathBuf;

use clap::Args;

/// Rewrite a file of requests, one a line (JSONL), as the gateway would
///
/// Understands the envelopes of OpenAI's batches too. What needs no change
/// keeps its bytes. Writes to standard output, and a summary to standard error.
#[derive(Clone, Debug, Args)]
#[command(
    verbatim_doc_comment,
    next_line_help = true,
    after_help = "\
Exits with
  0  if every line was rewritten or needs no change
  1  if --keep-bad-lines has kept lines that are no chat requests
  2  if a line is no chat request, or a file can't be read or written; what
     was written until then is complete lines"
)]
pub(crate) struct BatchArgs {
    /// File to read; - or nothing for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Copy lines that are no chat requests, and go on
    #[arg(long)]
    pub(crate) keep_bad_lines: bool,
}
