//! What is said about one request.

use bytes::Bytes;
use serde_json::{Value, json};
use tower_moonshot::{
    MoonshotCompatLayer, Report,
    emulator::{Finding, explain, parse},
};

use super::{REFUSED, difference::Difference, model::with_model};
use crate::jsonl::{NotJson, Rewritten};

/// A request that was checked.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) custom_id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) messages: usize,
    pub(super) tools: usize,
    pub(super) bytes: usize,
    /// Why Moonshot refuses it as it is.
    pub(super) before: Vec<Finding>,
    pub(super) report: Report,
    pub(super) differences: Vec<Difference>,
    /// Why Moonshot refuses what the gateway makes of it.
    pub(super) after: Vec<Finding>,
    /// It is for another path, so it is neither judged nor changed.
    pub(super) is_other: bool,
}

impl Checked {
    /// Checks the request in a text, for another model if one is given.
    pub(super) fn of(text: &Bytes, model: Option<&str>) -> Result<Self, NotJson> {
        let layer = MoonshotCompatLayer::new();
        let mut rewritten = Rewritten::of(text, &layer)?;
        let place = rewritten.place.clone();
        let mut body = text.slice(place.body);
        if let Some(model) = model
            && let Some(changed) = with_model(&body, model)
        {
            body = changed;
            rewritten = Rewritten::of(&body, &layer)?;
        }
        let sent = if place.is_other {
            body.clone()
        } else {
            rewritten.body.into_bytes()
        };
        let value = parse(&body).unwrap_or_default();
        let differences = if sent == body {
            Vec::new()
        } else {
            let sent = parse(&sent).unwrap_or_default();
            Difference::between(&value, &sent)
        };
        let judged = |body: &Bytes| match place.is_other {
            true => Vec::new(),
            false => explain(body),
        };
        let count = |name: &str| value[name].as_array().map_or(0, Vec::len);
        Ok(Self {
            custom_id: place.custom_id,
            model: value["model"].as_str().map(str::to_owned),
            messages: count("messages"),
            tools: count("tools"),
            bytes: body.len(),
            before: judged(&body),
            report: rewritten.report,
            differences,
            after: judged(&sent),
            is_other: place.is_other,
        })
    }

    pub(super) fn code(&self) -> u8 {
        if self.after.is_empty() { 0 } else { REFUSED }
    }

    /// The result for machines, with the number of its line.
    pub(super) fn json(&self, line: Option<usize>) -> Value {
        let findings = |findings: &[Finding]| -> Value {
            let all = findings.iter().map(|finding| {
                json!({
                    "pointer": finding.pointer(),
                    "fact": finding.fact().id(),
                    "what": finding.fact().what(),
                    "message": finding.message(),
                    "is_recorded": finding.is_recorded(),
                    "status": finding.status().as_u16(),
                    "grade": finding.grade().name(),
                    "source": finding.grade().source(),
                    "rule": finding.rule().map(|rule| rule.name()),
                })
            });
            Value::Array(all.collect())
        };
        let changes = self.report.changes().iter().map(|change| {
            json!({
                "rule": change.rule().name(),
                "pointer": change.pointer(),
                "why": change.why(),
            })
        });
        json!({
            "line": line,
            "custom_id": self.custom_id,
            "model": self.model,
            "findings": findings(&self.before),
            "changes": changes.collect::<Vec<_>>(),
            "changes_left_out": self.report.changes_left_out(),
            "unrepaired_schemas": self.report.unrepaired_schemas(),
            "differences": self.differences.iter().map(Difference::json).collect::<Vec<_>>(),
            "remaining": findings(&self.after),
            "is_accepted": self.after.is_empty(),
        })
    }
}
