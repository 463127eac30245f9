//! The command line.

use std::{num::NonZeroUsize, path::PathBuf, thread, time::Duration};

use clap::{Parser, ValueEnum};
use http::HeaderName;
use moonshot_config::{
    scope,
    seconds::{seconds, some_seconds},
};

/// An external processor for Envoy that lets clients of OpenAI's chat
/// completions talk to Moonshot AI's Kimi models. It reads LiteLLM's config.yaml.
#[derive(Clone, Debug, Parser)]
#[command(
    version,
    args_override_self = true,
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

Without --config every model is sent with MOONSHOT_API_KEY to
MOONSHOT_API_BASE."
)]
pub(crate) struct Args {
    /// LiteLLM's configuration file, in YAML; reads model_list,
    /// general_settings.master_key and environment_variables; SIGHUP reads
    /// it again
    #[arg(short, long, value_name = "FILE", verbatim_doc_comment)]
    pub(crate) config: Option<PathBuf>,

    /// Address to listen on
    #[arg(
        long,
        env = "HOST",
        default_value = "127.0.0.1",
        hide_env_values = true
    )]
    pub(crate) host: String,

    /// Port for gRPC; 0 chooses a free one
    #[arg(
        short,
        long,
        env = "PORT",
        default_value_t = 50051,
        hide_env_values = true
    )]
    pub(crate) port: u16,

    /// Certificate chain of the gRPC server, in PEM; switches TLS on
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Private key for --tls-cert, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Certificates of authorities, in PEM, one of which has to have issued
    /// the certificate that Envoy shows; without this, Envoy needs none
    #[arg(long, value_name = "FILE", requires = "tls_cert", verbatim_doc_comment)]
    pub(crate) tls_client_ca: Option<PathBuf>,

    /// Port for Prometheus, at /metrics; 0 chooses a free one
    #[arg(long, value_name = "PORT", default_value_t = 9464)]
    pub(crate) metrics_port: u16,

    /// Number of threads that serve streams [default: one per core]
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<NonZeroUsize>,

    /// What happens to a chat request that cannot be rewritten: open forwards
    /// it unchanged, closed answers it with an error
    #[arg(
        long,
        value_name = "HOW",
        default_value = "open",
        hide_possible_values = true,
        verbatim_doc_comment
    )]
    pub(crate) fail: Fail,

    /// Ask Envoy to choose the route again once a request has the host of its
    /// region; needed if entries are in several regions
    #[arg(long, verbatim_doc_comment)]
    pub(crate) clear_route_cache: bool,

    /// Longest body that is read;
    /// longer ones are not rewritten
    #[arg(
        long,
        value_name = "BYTES",
        default_value = "100000000",
        verbatim_doc_comment
    )]
    pub(crate) max_body_bytes: NonZeroUsize,

    /// Number of requests at the same time; Envoy is refused more, and does
    /// with them what its failure_mode_allow says
    #[arg(long, value_name = "N", default_value = "20000", verbatim_doc_comment)]
    pub(crate) max_streams: NonZeroUsize,

    /// Time between SIGTERM or ctrl-c, when the health check begins to fail,
    /// and the end of accepting streams
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds, verbatim_doc_comment)]
    pub(crate) drain_delay: Duration,

    /// Time for open requests to finish after that
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

    /// Redis to keep thoughts in, so that replicas share them, and gateways
    /// too: redis://USER:PASSWORD@HOST:PORT/DATABASE
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

    /// Forward responses as Moonshot sends them, without repairs for OpenAI's
    /// clients
    #[arg(long, verbatim_doc_comment)]
    pub(crate) no_response_repairs: bool,
}

impl Args {
    /// Returns the number of threads that serve streams.
    pub(crate) fn workers(&self) -> usize {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        self.workers.map_or_else(cores, usize::from)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fail {
    Open,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}
