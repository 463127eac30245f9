//! The messages at the start.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use super::{args::Args, config::Config};

/// A request with a model id, a temperature, content and a tool choice that Moonshot
/// refuses.
const REQUEST: &str = include_str!("request.json");

/// Warns of settings that work, but hardly as intended.
pub(crate) fn warn(args: &Args, config: &Config, is_emulated: bool, address: SocketAddr) {
    let has_key = config.entries.iter().any(|entry| entry.api_key.is_some());
    if !address.ip().is_loopback() && config.master_key.is_none() && has_key {
        tracing::warn!(
            "anyone who can reach {address} can use the upstream's API key: \
             set general_settings.master_key or LITELLM_MASTER_KEY"
        );
    }
    if config.master_key.is_some() && !is_emulated {
        let entries = config.entries.iter();
        for entry in entries.filter(|entry| entry.api_key.is_none()) {
            tracing::warn!(
                "{:?} has no API key, and with a master key clients cannot send their own",
                entry.name
            );
        }
    }
    let keeps_thoughts = !args.no_reasoning_memory && !args.no_rewrite;
    if keeps_thoughts && config.master_key.is_some() && args.reasoning_scope_header.is_none() {
        tracing::info!(
            "all clients have the master key and share thoughts: \
             --reasoning-scope-header tells users apart"
        );
    }
    if args.no_rewrite {
        tracing::warn!("bodies are not rewritten (--no-rewrite)");
    }
}

/// Prints on stdout the address, the upstreams, and for the emulator a request to
/// try.
pub(crate) fn print(config: &Config, is_emulated: bool, address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "Gateway:  http://{address}")?;
    if is_emulated {
        writeln!(
            out,
            "Upstream: an emulator in this process; set MOONSHOT_API_KEY to use Moonshot"
        )?;
        print_request(&mut out, config, address)?;
    } else {
        for entry in &config.entries {
            let base_url = entry.region.base_url();
            writeln!(out, "Upstream: {base_url} for {}", entry.name)?;
        }
    }
    out.flush()
}

fn print_request(out: &mut impl Write, config: &Config, address: SocketAddr) -> io::Result<()> {
    let key = match &config.master_key {
        Some(_) => " \\\n    -H \"authorization: Bearer $LITELLM_MASTER_KEY\"",
        None => "",
    };
    let request = REQUEST.trim_end();
    writeln!(
        out,
        "\nTry a request that Moonshot refuses unless it is rewritten:\n\n  \
         curl -i http://{address}/v1/chat/completions \\\n    \
         -H 'content-type: application/json'{key} -d '{request}'\n\n\
         The header x-moonshot-rewrites and the log name the rules that changed it.\n\
         To stream the response, use curl -N and add \"stream\": true."
    )
}
