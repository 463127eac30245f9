//! The gateway's configuration file: any text is read or refused with a place in it, and no
//! message shows a key.
//!
//! An input is the text of a file.
#![no_main]
#![allow(clippy::unwrap_used, reason = "what cannot go on has failed")]

#[allow(dead_code, reason = "the target needs the file alone")]
#[path = "../../config/src/config.rs"]
mod config;
#[path = "../../config/src/yaml.rs"]
mod yaml;

use libfuzzer_sys::fuzz_target;
use tower_moonshot::Region;

use self::{config::Config, yaml::Problem};

/// The value of the variable `KEY`, and a prefix of keys in the corpus.
const SECRET: &str = "sk-hush";

fuzz_target!(|text: &[u8]| {
    let env = |name: &str| match name {
        "KEY" | "MOONSHOT_API_KEY" | "LITELLM_MASTER_KEY" => Some(SECRET.to_owned()),
        "BASE" => Some("https://api.moonshot.cn/v1".to_owned()),
        _ => None,
    };
    match Config::parse(text, &env) {
        Ok(config) => {
            assert!(!config.entries.is_empty());
            for entry in &config.entries {
                assert!(!entry.name.is_empty() && !entry.model.is_empty());
                let stars = |text: &str| text.matches('*').count();
                assert!(stars(&entry.name) <= 1 && stars(&entry.model) <= stars(&entry.name));
                assert!(entry.api_key.is_some(), "the variable holds a key");
                let shown = entry.region.to_string();
                assert_eq!(shown.parse::<Region>().as_ref(), Ok(&entry.region));
            }
            assert!(config.master_key.is_some() && !config.is_open);
            let shown = format!("{config:?}");
            let is_a_model = shown.contains(&format!("model: \"{SECRET}"));
            assert!(
                !shown.contains(SECRET) || is_a_model || text_has_secret(text),
                "{shown}"
            );
            let lines: Vec<u64> = config.warnings.iter().map(|warning| warning.line).collect();
            assert!(lines.is_sorted(), "{lines:?}");
            for warning in &config.warnings {
                is_in(warning, text);
            }
        }
        Err(problem) => is_in(&problem, text),
    }
});

/// A text may have the secret where no key belongs, such as in the name of a model.
fn text_has_secret(text: &[u8]) -> bool {
    text.windows(SECRET.len())
        .any(|window| window == SECRET.as_bytes())
}

/// Checks that a problem names a place in the text, and shows no key.
fn is_in(problem: &Problem, text: &[u8]) {
    let lines = text
        .iter()
        .filter(|&&byte| matches!(byte, b'\n' | b'\r'))
        .count() as u64;
    assert!(problem.line <= lines + 2, "{problem} of {lines}");
    assert!(!problem.message.is_empty());
    // Names of models and base URLs are shown, and a variable may be any of these.
    let shows_others = ["model", "api_base"]
        .iter()
        .any(|what| problem.message.contains(what));
    assert!(
        !problem.message.contains(SECRET) || shows_others || text_has_secret(text),
        "{problem}"
    );
}
