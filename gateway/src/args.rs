//! The command line.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use axum::http::HeaderName;
use clap::{Parser, Subcommand, ValueEnum};
use moonshot_config::seconds::{seconds, some_seconds};

use super::{
    balance::Balance, batch::args::BatchArgs, check::args::CheckArgs, forwarded,
    probe::args::ProbeArgs, scope,
};

/// A gateway to Moonshot AI's Kimi models for clients that speak OpenAI's chat
/// completions. It reads LiteLLM's config.yaml.
#[derive(Clone, Debug, Parser)]
#[command(
    version,
    args_override_self = true,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    next_line_help = true,
    verbatim_doc_comment,
    after_help = "\
Environment:
  MOONSHOT_API_KEY    API key for entries of the configuration without one
  MOONSHOT_API_BASE   Base URL for entries without one
                      [default: https://api.moonshot.ai/v1]
  LITELLM_MASTER_KEY  Key that clients have to send, unless the file sets one
  REASONING_STORE     As --reasoning-store but not visible in the list of
                      processes
  RUST_LOG            Log level: error, warn, info, debug or trace
                      [default: info]

Without --config every model is served with MOONSHOT_API_KEY from
MOONSHOT_API_BASE. If neither is set either, an emulator of Moonshot in this
process responds."
)]
pub(crate) struct Args {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// LiteLLM's configuration file, in YAML; reads model_list,
    /// general_settings.master_key and environment_variables; SIGHUP reads
    /// it again
    #[arg(short, long, value_name = "FILE", verbatim_doc_comment)]
    pub(crate) config: Option<PathBuf>,

    /// Address to listen on; use 0.0.0.0 in a container, whose loopback
    /// address is not reachable from outside
    #[arg(
        long,
        env = "HOST",
        default_value = "127.0.0.1",
        hide_env_values = true,
        verbatim_doc_comment
    )]
    pub(crate) host: String,

    /// Port to listen on; 0 chooses a free one
    #[arg(
        short,
        long,
        env = "PORT",
        default_value_t = 4000,
        hide_env_values = true
    )]
    pub(crate) port: u16,

    /// Number of threads that serve requests [default: one per core]
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<NonZeroUsize>,

    /// How to choose among several entries of one name: affinity keeps a
    /// conversation with one entry, whose account then has it in its cache;
    /// with round-robin the entries take turns
    #[arg(
        long,
        value_name = "HOW",
        default_value = "affinity",
        hide_possible_values = true,
        verbatim_doc_comment
    )]
    pub(crate) balance: Balance,

    /// Retry a failed chat request up to N times, before the client has got
    /// any of the response; with several entries of one name, each retry
    /// goes to the next entry
    #[arg(long, value_name = "N", default_value_t = 0, verbatim_doc_comment)]
    pub(crate) retries: u32,

    /// Time limit to connect to the upstream: DNS, TCP and TLS
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = some_seconds)]
    pub(crate) connect_timeout: Duration,

    /// Time limit until the upstream's response begins; one that is not
    /// streamed begins when the model has finished
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = some_seconds, verbatim_doc_comment)]
    pub(crate) first_byte_timeout: Duration,

    /// Time limit for a client to send the head of a request, and between
    /// two pieces of its body; a connection is closed after it without an
    /// open request
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = some_seconds, verbatim_doc_comment)]
    pub(crate) client_timeout: Duration,

    /// Number of requests served at the same time, each counted until its
    /// response has ended; more are refused with status 503
    #[arg(long, value_name = "N", default_value = "1024", verbatim_doc_comment)]
    pub(crate) max_requests: NonZeroUsize,

    /// Number of open connections; more are closed at once. Fewer are
    /// accepted if the limit on open files is too low
    #[arg(long, value_name = "N", default_value = "10000", verbatim_doc_comment)]
    pub(crate) max_connections: NonZeroUsize,

    /// Number of open connections from one IPv4 address, or IPv6 network
    /// (/64); more are closed at once. 0 switches this limit off, which is
    /// needed if a proxy in front uses more
    #[arg(long, value_name = "N", default_value_t = 1024, verbatim_doc_comment)]
    pub(crate) max_connections_per_address: usize,

    /// Treat a client that closes its sending side as gone, and cancel its
    /// request at once (HTTP/1.1)
    #[arg(long, verbatim_doc_comment)]
    pub(crate) no_half_close: bool,

    /// Longest body of a chat request, decompressed; longer ones are refused
    /// with status 413
    #[arg(
        long,
        value_name = "BYTES",
        default_value = "100000000",
        verbatim_doc_comment
    )]
    pub(crate) max_body_bytes: NonZeroUsize,

    /// Number of headers a request may have; with more it is refused with
    /// status 431
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000), verbatim_doc_comment)]
    pub(crate) max_headers: u16,

    /// Another request header to forward; can be given several times. Headers
    /// with credentials are refused. README.md lists what is forwarded anyway
    #[arg(long, value_name = "NAME", value_parser = forwarded::parse, verbatim_doc_comment)]
    pub(crate) forward_header: Vec<HeaderName>,

    /// Time for open requests to finish after SIGTERM or ctrl-c
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) shutdown_deadline: Duration,

    /// Format of the log on stderr, text or json
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub(crate) log: LogFormat,

    /// Fetch images and videos that requests give by http(s) URL, which
    /// Moonshot refuses, and send them inline; only from public addresses
    #[arg(long, verbatim_doc_comment)]
    pub(crate) inline_media: bool,

    /// Network that media may be fetched from although it is not public,
    /// such as 10.1.0.0/16; can be given several times
    #[arg(
        long,
        value_name = "NETWORK",
        requires = "inline_media",
        verbatim_doc_comment
    )]
    pub(crate) media_network: Vec<String>,

    /// Keep no thoughts. By default, reasoning_content of answers is kept and
    /// restored in later requests of clients that don't send it back
    #[arg(long, verbatim_doc_comment)]
    pub(crate) no_reasoning_memory: bool,

    /// Upper bound on the thoughts that are kept in this process, with
    /// 256 bytes more for each
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = 64 * 1024 * 1024,
        verbatim_doc_comment
    )]
    pub(crate) reasoning_bytes: usize,

    /// How long a thought is kept after it was last used
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = some_seconds)]
    pub(crate) reasoning_ttl: Duration,

    /// Redis to keep thoughts in, so that several gateways share them:
    /// redis://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(
        long,
        value_name = "URL",
        env = "REASONING_STORE",
        hide_env = true,
        verbatim_doc_comment
    )]
    pub(crate) reasoning_store: Option<String>,

    /// How long a request waits for Redis before it is sent without its
    /// thoughts
    #[arg(long, value_name = "SECONDS", default_value = "0.05", value_parser = some_seconds, verbatim_doc_comment)]
    pub(crate) reasoning_store_timeout: Duration,

    /// Header that tells users with the same key apart; they don't share
    /// thoughts, and a request without it has none
    #[arg(long, value_name = "NAME", value_parser = scope::parse, verbatim_doc_comment)]
    pub(crate) reasoning_scope_header: Option<HeaderName>,

    /// Tell clients why Moonshot refuses a request, as far as it is known: in
    /// the header x-moonshot-explain and in "explain" beside "error"
    #[arg(long, verbatim_doc_comment)]
    pub(crate) explain: bool,

    /// Forward responses as Moonshot sends them, without repairs for OpenAI's
    /// clients
    #[arg(long, verbatim_doc_comment)]
    pub(crate) no_response_repairs: bool,

    /// Forward bodies unchanged and only set URL and API key, to compare;
    /// implies --no-reasoning-memory and --no-response-repairs
    #[arg(long, verbatim_doc_comment)]
    pub(crate) no_rewrite: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    Check(CheckArgs),
    Rewrite(BatchArgs),
    Probe(ProbeArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}
