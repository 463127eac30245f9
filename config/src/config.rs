//! Reads the configuration: the parts of LiteLLM's `config.yaml` that concern
//! Moonshot, or environment variables.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde_saphyr::Location;
use subtle::ConstantTimeEq;
use tower::BoxError;
use tower_moonshot::{ApiKey, Region};

use crate::yaml::{Node, Problem, Section};

/// LiteLLM's prefix for a value that an environment variable holds.
const FROM_ENVIRONMENT: &str = "os.environ/";

/// The variable that LiteLLM uses for entries without a key.
pub const API_KEY: &str = "MOONSHOT_API_KEY";
/// The variable that LiteLLM uses for entries without a base URL.
pub const API_BASE: &str = "MOONSHOT_API_BASE";
const MASTER_KEY: &str = "LITELLM_MASTER_KEY";

/// The base URL of the emulator in logs. It has no address: it is in this process.
const EMULATOR: &str = "http://emulator/v1";

/// Looks up an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Returns a variable if it is set and not empty.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// In the order of the file. Entries of the same name take turns.
    pub entries: Vec<Entry>,
    /// The key that clients have to send, if any.
    pub master_key: Option<MasterKey>,
    /// Whether every model is served under Moonshot's name for it.
    pub is_open: bool,
    /// Parts of the file that are ignored.
    pub warnings: Vec<Problem>,
}

/// A model that is served, or several if the name has a wildcard.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name that clients use. A `*` in it matches any text.
    pub name: String,
    /// Moonshot's id. A `*` in it becomes the text that matched `*` in the name.
    pub model: String,
    /// Where its requests are sent.
    pub region: Region,
    /// If there is none, the client's own key is forwarded.
    pub api_key: Option<ApiKey>,
}

/// The key that clients have to send as a bearer token.
#[derive(Clone)]
pub struct MasterKey(Box<[u8]>);

impl MasterKey {
    /// # Errors
    ///
    /// The key is empty or contains characters that no header can carry.
    pub fn new(key: &str) -> Result<Self, &'static str> {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("is empty or contains characters other than visible ASCII");
        }
        Ok(Self(key.as_bytes().into()))
    }

    fn from_env(env: Environment<'_>) -> Result<Option<Self>, String> {
        let key = env(MASTER_KEY).as_deref().map(Self::new).transpose();
        key.map_err(|error| format!("{MASTER_KEY} {error}"))
    }

    /// Compares in constant time. Only the length of the key can be measured.
    #[must_use]
    pub fn is(&self, guess: &[u8]) -> bool {
        self.0.ct_eq(guess).into()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl Config {
    /// Serves every model from the emulator, which needs no key.
    ///
    /// # Errors
    ///
    /// The master key is invalid.
    pub fn emulated(env: Environment<'_>) -> Result<Self, BoxError> {
        Self::from_env(&|name| match name {
            API_BASE => Some(EMULATOR.to_owned()),
            API_KEY => None,
            _ => env(name),
        })
    }

    /// Serves every model with the key in `MOONSHOT_API_KEY` from the base URL in
    /// `MOONSHOT_API_BASE`. Both are optional.
    ///
    /// # Errors
    ///
    /// A variable has an invalid value.
    pub fn from_env(env: Environment<'_>) -> Result<Self, BoxError> {
        let region = match env(API_BASE) {
            Some(base) => Region::custom(&base).map_err(|error| format!("{API_BASE}: {error}"))?,
            None => Region::default(),
        };
        let api_key = env(API_KEY).map(ApiKey::new).transpose();
        Ok(Self {
            entries: vec![Entry {
                name: "*".to_owned(),
                model: "*".to_owned(),
                region,
                api_key: api_key.map_err(|error| format!("{API_KEY}: {error}"))?,
            }],
            master_key: MasterKey::from_env(env)?,
            is_open: true,
            warnings: Vec::new(),
        })
    }

    /// Reads LiteLLM's file.
    ///
    /// # Errors
    ///
    /// The place of the first thing that is wrong.
    pub fn parse(text: &[u8], env: Environment<'_>) -> Result<Self, Problem> {
        let root = Node::parse(text)?;
        let mut file = root.section("the file")?;
        let mut unused = Unused::default();
        let variables = match file.read("environment_variables") {
            Some(node) => Some(Variables::new(node.section("environment_variables")?)),
            None => None,
        };
        let env: Environment<'_> = &|name| {
            let given = variables.as_ref().and_then(|file| file.get(name, env));
            given.or_else(|| env(name))
        };
        let mut config = Self {
            entries: Vec::new(),
            master_key: None,
            is_open: false,
            warnings: Vec::new(),
        };

        let Some(list) = file.read("model_list") else {
            return Err(root.problem("model_list is missing, so there is nothing to serve"));
        };
        for node in list.list("model_list")? {
            let mut entry = node.section("an entry of model_list")?;
            match config.entry(&mut entry, env, &mut unused)? {
                Ok(entry) => config.entries.push(entry),
                Err(left_out) => config.warnings.push(left_out),
            }
            unused.note("model_list", &entry);
        }
        if config.entries.is_empty() {
            return Err(list.problem(
                "no entry of model_list is for Moonshot: \
                 a litellm_params.model has to begin with moonshot/",
            ));
        }

        config.master_key = MasterKey::from_env(env).map_err(|error| root.problem(error))?;
        if let Some(node) = file.read("general_settings") {
            let mut settings = node.section("general_settings")?;
            if let Some(node) = settings.read("master_key") {
                let what = "general_settings.master_key";
                let key = MasterKey::new(&resolve(node, what, env)?);
                let key = key.map_err(|error| node.problem(format!("{what} {error}")))?;
                config.master_key = Some(key);
            }
            unused.note("general_settings", &settings);
        }
        // Nothing in these is used. Each of their keys gets a warning.
        for name in ["litellm_settings", "router_settings"] {
            if let Some(node) = file.read(name) {
                unused.note(name, &node.section(name)?);
            }
        }
        if let Some(variables) = &variables {
            unused.note("environment_variables", &variables.section.borrow());
        }
        unused.note("", &file);
        config.warnings.extend(unused.into_problems());
        config.warnings.sort_by_key(|warning| warning.line);
        Ok(config)
    }

    /// Reads one entry. The inner error says why the entry is ignored.
    fn entry(
        &self,
        entry: &mut Section<'_>,
        env: Environment<'_>,
        unused: &mut Unused,
    ) -> Result<Result<Entry, Problem>, Problem> {
        let at = entry.at;
        let missing = |what: &str| Problem::new(at, format!("{what} is missing from this entry"));
        let name = entry
            .read("model_name")
            .ok_or_else(|| missing("model_name"))?;
        let name_at = name.at;
        let name = name.text("model_name")?;
        let params = entry
            .read("litellm_params")
            .ok_or_else(|| missing("litellm_params"))?;
        let mut params = params.section("litellm_params")?;
        let of = |key: &str| format!("{key} of {name:?}");

        let model_node = params
            .read("model")
            .ok_or_else(|| missing("litellm_params.model"))?;
        let given = resolve(model_node, &of("model"), env)?;
        let provider = match params.read("custom_llm_provider") {
            Some(provider) => Some(provider.text("custom_llm_provider")?),
            None => None,
        };
        let api_base = params.read("api_base").or_else(|| params.read("base_url"));
        let api_key = params.read("api_key");
        let is_moonshot_host = |node: &Node| {
            let base = resolve(node, "api_base", env).unwrap_or_default();
            Region::custom(&base).is_ok_and(|region| !matches!(region, Region::Custom(_)))
        };
        // The way to use Moonshot before LiteLLM had a provider for it.
        let as_openai = match given.strip_prefix("openai/") {
            Some(id) => Some(id),
            None => (provider == Some("openai")).then_some(&*given),
        };
        let as_openai = as_openai.filter(|_| api_base.is_some_and(is_moonshot_host));
        let model = if let Some(id) = given.strip_prefix("moonshot/") {
            id
        } else if provider == Some("moonshot") || provider.is_none() && given == "*" {
            &*given
        } else if let Some(id) = as_openai {
            id
        } else {
            return Ok(Err(Problem::new(
                at,
                format!("{name:?} is ignored: its model {given:?} is not of Moonshot (moonshot/…)"),
            )));
        };
        unused.note("litellm_params", &params);

        if name.is_empty() || model.is_empty() {
            return Err(Problem::new(
                name_at,
                "model_name and litellm_params.model cannot be empty",
            ));
        }
        for (what, text, at) in [
            ("model_name", name, name_at),
            ("model", model, model_node.at),
        ] {
            if text.matches('*').count() > 1 {
                return Err(Problem::new(
                    at,
                    format!("{what} {text:?} has more than one *; one is allowed"),
                ));
            }
        }
        if model.contains('*') && !name.contains('*') {
            return Err(model_node.problem(format!(
                "the * in {given:?} refers to a * in model_name, but {name:?} has none"
            )));
        }
        let region = match api_base {
            Some(node) => Some((node.at, resolve(node, &of("api_base"), env)?)),
            None => env(API_BASE).map(|base| (at, base)),
        };
        let region = match region {
            Some((at, base)) => Region::custom(&base)
                .map_err(|error| Problem::new(at, format!("{}: {error}", of("api_base"))))?,
            None => Region::default(),
        };
        let api_key = match api_key {
            Some(node) => Some((node.at, resolve(node, &of("api_key"), env)?)),
            None => env(API_KEY).map(|key| (at, key)),
        };
        let api_key = match api_key {
            Some((at, key)) => Some(
                ApiKey::new(key)
                    .map_err(|error| Problem::new(at, format!("{}: {error}", of("api_key"))))?,
            ),
            None => None,
        };
        Ok(Ok(Entry {
            name: name.to_owned(),
            model: model.to_owned(),
            region,
            api_key,
        }))
    }
}

/// Returns a string, or the value of the variable that `os.environ/` names.
fn resolve(node: &Node, what: &str, env: Environment<'_>) -> Result<String, Problem> {
    let text = node.text(what)?;
    let Some(name) = text.strip_prefix(FROM_ENVIRONMENT) else {
        return Ok(text.to_owned());
    };
    env(name).ok_or_else(|| {
        node.problem(format!(
            "{what} is os.environ/{name}, but {name} is not set"
        ))
    })
}

/// `environment_variables` of the file. As in LiteLLM, they take precedence over those
/// of the process, and can refer to them.
struct Variables<'a> {
    /// The variables that were not looked up yet.
    section: RefCell<Section<'a>>,
    known: RefCell<HashMap<String, Option<String>>>,
}

impl<'a> Variables<'a> {
    fn new(section: Section<'a>) -> Self {
        Self {
            section: RefCell::new(section),
            known: RefCell::default(),
        }
    }

    fn get(&self, name: &str, env: Environment<'_>) -> Option<String> {
        let mut known = self.known.borrow_mut();
        let value = known.entry(name.to_owned()).or_insert_with(|| {
            let node = self.section.borrow_mut().read(name)?;
            resolve(node, name, env).ok()
        });
        value.clone().filter(|value| !value.is_empty())
    }
}

/// Keys that are ignored, each once with all of its places.
#[derive(Default)]
struct Unused(BTreeMap<String, Vec<Location>>);

impl Unused {
    fn note(&mut self, section: &str, rest: &Section<'_>) {
        for (key, at) in rest.unread() {
            let key = key.map_or_else(|| "a key that is not a string".to_owned(), named);
            let path = match section {
                "" => key,
                _ => format!("{section}.{key}"),
            };
            self.0.entry(path).or_default().push(at);
        }
    }

    fn into_problems(self) -> impl Iterator<Item = Problem> {
        self.0.into_iter().filter_map(|(path, places)| {
            let (first, others) = places.split_first()?;
            let mut message = format!("{path} is ignored");
            if !others.is_empty() {
                let lines: Vec<String> = others.iter().map(|at| at.line().to_string()).collect();
                message = format!("{message} (also in line {})", lines.join(", "));
            }
            Some(Problem::new(*first, message))
        })
    }
}

/// Returns the part of a key that can be logged. A typo, as in `{api_key:sk-…}`, makes
/// an API key part of it.
fn named(key: &str) -> String {
    let of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let end = key.find(|letter| !of_name(letter));
    match &key[..end.unwrap_or(key.len())] {
        name if name.starts_with("sk-") => "…".to_owned(),
        name if end.is_some() => format!("{name}…"),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_contains_no_key() {
        let text =
            "model_list: [{model_name: a, litellm_params: {model: moonshot/a, api_key: sk-up}}]
general_settings: {master_key: os.environ/MASTER}";
        let env = |name: &str| (name == "MASTER").then(|| "sk-down".to_owned());
        let config = Config::parse(text.as_bytes(), &env).unwrap();
        assert!(config.entries[0].api_key.is_some() && config.master_key.is_some());
        let debug = format!("{config:?}");
        assert!(!debug.contains("sk-"), "{debug}");
    }
}
