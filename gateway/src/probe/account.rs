//! The regions that there are keys for.

use tower::BoxError;
use tower_moonshot::Region;

use crate::config::{API_BASE, API_KEY, Environment};

/// A key and where it belongs.
pub(super) struct Account {
    pub(super) region: Region,
    pub(super) key: Key,
    /// The variable that holds the key, for messages.
    pub(super) variable: String,
}

/// An API key, which is neither printed nor recorded.
pub(super) struct Key(String);

impl Key {
    fn new(key: String, variable: &str) -> Result<Self, BoxError> {
        if key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(key));
        }
        Err(format!("{variable} contains characters other than visible ASCII").into())
    }

    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// A text without the key. A key that is too short to be one occurs by chance.
    pub(super) fn removed_from(&self, text: &str) -> String {
        if self.0.len() < 8 {
            return text.to_owned();
        }
        text.replace(&self.0, "[key]")
    }
}

/// The accounts in the environment: the one that the gateway uses, and one for each
/// region with a variable of its own. A dry run needs no key.
pub(super) fn accounts(env: Environment<'_>, is_dry_run: bool) -> Result<Vec<Account>, BoxError> {
    let mut accounts: Vec<Account> = Vec::new();
    let default = |key| {
        let region = match env(API_BASE) {
            Some(base) => base
                .parse()
                .map_err(|error| format!("{API_BASE}: {error}"))?,
            None => Region::default(),
        };
        Ok::<_, BoxError>(Account {
            region,
            key: Key::new(key, API_KEY)?,
            variable: API_KEY.to_owned(),
        })
    };
    if let Some(key) = env(API_KEY) {
        accounts.push(default(key)?);
    }
    for region in [
        Region::Global,
        Region::China,
        Region::KimiCode,
        Region::KimiCodeChina,
    ] {
        let name = region.to_string().to_uppercase().replace('-', "_");
        let variable = format!("{API_KEY}_{name}");
        let Some(key) = env(&variable) else { continue };
        if let Some(other) = accounts.iter().find(|other| other.region == region) {
            let other = &other.variable;
            return Err(format!("{other} and {variable} are both for {region}; unset one").into());
        }
        accounts.push(Account {
            region,
            key: Key::new(key, &variable)?,
            variable,
        });
    }
    if accounts.is_empty() && is_dry_run {
        accounts.push(default(String::new())?);
    }
    if accounts.is_empty() {
        return Err(format!(
            "there is no API key: set {API_KEY}, or one of the variables that --help lists"
        )
        .into());
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let env = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let accounts = accounts(&env, false).map_err(|error| error.to_string())?;
        let accounts = accounts.into_iter();
        Ok(accounts
            .map(|account| (account.region.to_string(), account.key.bearer()))
            .collect())
    }

    fn pair(region: &str, key: &str) -> (String, String) {
        (region.to_owned(), format!("Bearer {key}"))
    }

    #[test]
    fn each_variable_is_for_a_region() {
        assert_eq!(of(&[(API_KEY, "a")]), Ok(vec![pair("global", "a")]));
        assert_eq!(
            of(&[
                (API_KEY, "a"),
                (API_BASE, "http://localhost:1/v1/"),
                ("MOONSHOT_API_KEY_GLOBAL", "b"),
                ("MOONSHOT_API_KEY_KIMI_CODE_CHINA", "c"),
            ]),
            Ok(vec![
                pair("http://localhost:1/v1", "a"),
                pair("global", "b"),
                pair("kimi-code-china", "c"),
            ])
        );
        let only = [("MOONSHOT_API_KEY_CHINA", "d")];
        assert_eq!(of(&only), Ok(vec![pair("china", "d")]));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_key() {
        let two = [(API_KEY, "a"), ("MOONSHOT_API_KEY_GLOBAL", "b")];
        assert!(of(&two).unwrap_err().contains("both for global"));
        assert!(of(&[]).unwrap_err().contains("no API key"));
        let error = of(&[(API_KEY, "sk-secret\n")]).unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn a_key_is_removed_from_texts() {
        let key = Key::new("sk-secret".to_owned(), "x").unwrap();
        assert_eq!(key.removed_from("a sk-secret b"), "a [key] b");
    }
}
