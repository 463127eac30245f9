//! What the tests of the rule `tool_schema` share: a schema in, a schema out, and
//! every promise that holds whatever the schema is.

pub(crate) mod exact;
mod forms;
pub(crate) mod found;
pub(crate) mod generate;
pub(crate) mod hostile;
pub(crate) mod meaning;
pub(crate) mod mutate;
pub(crate) mod wild;

use bytes::Bytes;
use serde_json::Value;
use tower_moonshot::{MoonshotCompatLayer, emulator::check_schema};

/// Where in a request a schema stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Parameters,
    ResponseFormat,
}

impl Place {
    /// The rest of a request in which no other rule finds anything to do.
    const fn around(self) -> (&'static str, &'static str) {
        match self {
            Self::Parameters => (
                r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":"#,
                "}}]}",
            ),
            Self::ResponseFormat => (
                r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"f","schema":"#,
                "}}}",
            ),
        }
    }

    /// The text of the schema after the rewrite, or which promise was broken.
    pub(crate) fn rewrite(self, schema: &str) -> Result<String, String> {
        let (before, after) = self.around();
        let body = format!("{before}{schema}{after}");
        let layer = MoonshotCompatLayer::new();

        let (rope, report) = layer.rewrite(Bytes::from(body.clone()));
        let rewritten = String::from_utf8(rope.into_bytes().to_vec())
            .map_err(|error| format!("the output is not UTF-8: {error}"))?;
        if let Some(skipped) = report.skipped() {
            return Err(format!("the body was not read: {skipped}"));
        }
        let inner = rewritten
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .ok_or_else(|| format!("more than the schema was changed: {rewritten}"))?;
        if report.changes().is_empty() != (rewritten == body) {
            return Err(format!("the report {report} does not fit {rewritten}"));
        }
        let mut changes = report.changes().iter();
        if let Some(other) = changes.find(|change| change.rule().name() != "tool_schema") {
            return Err(format!("another rule changed something: {other}"));
        }

        let (again, report) = layer.rewrite(Bytes::from(rewritten.clone()));
        if !report.changes().is_empty() || again.into_bytes() != rewritten {
            return Err(format!(
                "a second rewrite still changes {inner}: {report}, to {}",
                self.rewrite_once(inner)
            ));
        }
        Ok(inner.to_owned())
    }

    /// For error messages only.
    fn rewrite_once(self, schema: &str) -> String {
        let (before, after) = self.around();
        let body = Bytes::from(format!("{before}{schema}{after}"));
        let (rope, _) = MoonshotCompatLayer::new().rewrite(body);
        String::from_utf8_lossy(&rope.into_bytes()).into_owned()
    }

    /// Whether Moonshot takes a schema in this place.
    pub(crate) fn verdict(self, schema: &Value) -> Result<(), String> {
        if self == Self::Parameters && schema["type"] != "object" {
            return Err("the root has no type \"object\"".to_owned());
        }
        check_schema(schema).map_err(|error| error.to_string())
    }

    /// The schema after the rewrite, which has to be one that Moonshot takes.
    pub(crate) fn repair(self, schema: &str) -> Result<(String, Value), String> {
        let text = self.rewrite(schema)?;
        let value: Value =
            serde_json::from_str(&text).map_err(|error| format!("not JSON: {error}: {text}"))?;
        self.verdict(&value)
            .map_err(|error| format!("still refused: {error}\n out: {text}"))?;
        Ok((text, value))
    }
}

pub(crate) fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in the test's own {text}"))
}

/// Fails once with everything that went wrong, so that one bad row doesn't hide
/// the next.
pub(crate) fn all_good(failures: &[String], of: usize) {
    assert!(
        failures.is_empty(),
        "{} of {of}:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}
