//! The command line.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

/// A gateway to Moonshot AI's Kimi models for whatever speaks OpenAI's chat
/// completions. Reads LiteLLM's config.yaml.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "gateway",
    version,
    args_override_self = true,
    after_help = "Environment: MOONSHOT_API_KEY and MOONSHOT_API_BASE, where the config has none; \
                  LITELLM_MASTER_KEY; RUST_LOG (info, debug, …).\n\
                  Without --config and without these variables an emulator of Moonshot answers, \
                  in this process."
)]
pub(crate) struct Args {
    /// LiteLLM's YAML: model_list and general_settings.master_key
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Address to listen on; in a container 0.0.0.0
    #[arg(
        long,
        env = "HOST",
        default_value = "127.0.0.1",
        hide_env_values = true
    )]
    pub(crate) host: String,

    /// Port to listen on; 0 takes a free one
    #[arg(
        short,
        long,
        env = "PORT",
        default_value_t = 4000,
        hide_env_values = true
    )]
    pub(crate) port: u16,

    /// Threads that serve [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<NonZeroUsize>,

    /// Send a request again so often, to the next entry of its name if there are
    /// several. Never after a byte of an answer went out
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) retries: u32,

    /// From the name of the host to the end of the TLS handshake
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = some_seconds)]
    pub(crate) connect_timeout: Duration,

    /// Until an answer begins. One that is no stream begins when the model has
    /// finished. A flowing answer may take as long as it likes
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = some_seconds)]
    pub(crate) first_byte_timeout: Duration,

    /// For a client to send the head of a request, and between two pieces of a body
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = some_seconds)]
    pub(crate) client_timeout: Duration,

    /// Requests served at the same time, streams to their end; others get a 503
    #[arg(long, value_name = "N", default_value = "1024")]
    pub(crate) max_requests: NonZeroUsize,

    /// Longest body of a chat request, decompressed; Moonshot takes 100 MB
    #[arg(long, value_name = "BYTES", default_value = "100000000")]
    pub(crate) max_body_bytes: NonZeroUsize,

    /// Most headers of a request
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) max_headers: u16,

    /// For open requests to finish after SIGTERM or ctrl-c
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) shutdown_deadline: Duration,

    /// A line a request: for people, or a JSON object
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) log: LogForm,

    /// Fetch images and videos that requests name by http(s) URLs, which Moonshot
    /// refuses, and put them in. From public addresses only
    #[arg(long)]
    pub(crate) inline_media: bool,

    /// A network that is not public and may be fetched from all the same, such as
    /// 10.1.0.0/16; may be given several times
    #[arg(long, value_name = "NETWORK", requires = "inline_media")]
    pub(crate) media_network: Vec<String>,

    /// For comparison: send bodies on as they came, only URL and key are set
    #[arg(long)]
    pub(crate) no_rewrite: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    Text,
    Json,
}

/// A time in which something has to happen.
fn some_seconds(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("nothing happens in no time".to_owned()),
        time => Ok(time),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
