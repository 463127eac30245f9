//! The file with the answers.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde_json::{Value, json};
use tower::BoxError;

use super::{
    answer::{Answer, Verdict},
    plan::Question,
};

/// Answers, in a file that is written anew with each of them.
pub(super) struct Record {
    file: PathBuf,
    content: Value,
}

impl Record {
    /// Reads a file, or begins one that doesn't exist yet.
    pub(super) fn open(file: PathBuf) -> Result<Self, BoxError> {
        let name = file.display().to_string();
        let content = match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text)
                .ok()
                .filter(|content: &Value| content["answers"].is_array())
                .ok_or_else(|| format!("{name} is not a file of the probe"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => json!({
                "started": timestamp(SystemTime::now()),
                "version": env!("CARGO_PKG_VERSION"),
                "answers": [],
            }),
            Err(error) => return Err(format!("cannot read {name}: {error}").into()),
        };
        Ok(Self { file, content })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn answers(&self) -> &[Value] {
        self.content["answers"]
            .as_array()
            .map_or(&[], Vec::as_slice)
    }

    /// Whether there is an answer to a question.
    pub(super) fn has(&self, question: &Question<'_>) -> bool {
        let region = question.account.region.to_string();
        self.answers().iter().any(|answer| {
            answer["region"] == *region
                && answer["model"] == *question.model
                && answer["fact"] == question.fact.id()
        })
    }

    /// Adds an answer, and writes the file.
    pub(super) fn add(
        &mut self,
        question: &Question<'_>,
        answer: &Answer,
        verdict: Verdict,
    ) -> Result<(), BoxError> {
        let expected = question.expected();
        let row = json!({
            "region": question.account.region.to_string(),
            "model": question.model,
            "fact": question.fact.id(),
            "grade": question.fact.grade(&question.model).name(),
            "at": timestamp(SystemTime::now()),
            "verdict": verdict.name(),
            "expected": {
                "status": expected.status.as_u16(),
                "type": expected.error_type,
                "message": expected.message,
            },
            "answered": {
                "status": answer.status.as_u16(),
                "type": answer.error_type,
                "message": answer.message,
            },
        });
        if let Some(answers) = self.content["answers"].as_array_mut() {
            answers.push(row);
        }
        self.write()
    }

    /// Writes beside the file first, so that it is whole whenever the program ends.
    fn write(&self) -> Result<(), BoxError> {
        let mut beside = self.file.clone().into_os_string();
        beside.push(".new");
        let text = format!("{:#}\n", self.content);
        fs::write(&beside, text)
            .and_then(|()| fs::rename(&beside, &self.file))
            .map_err(|error| format!("cannot write {}: {error}", self.file.display()).into())
    }
}

/// The name of the file of a day.
pub(super) fn name_of(day: SystemTime) -> PathBuf {
    format!("moonshot-probe-{}.json", &timestamp(day)[..10]).into()
}

/// A time as RFC 3339 has it, in UTC.
fn timestamp(time: SystemTime) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // Such as `Thu, 26 Nov 2026 10:20:43 GMT`.
    let date = httpdate::fmt_http_date(time);
    let mut words = date.split(' ').skip(1);
    let mut word = || words.next().unwrap_or_default();
    let (day, month, year, clock) = (word(), word(), word(), word());
    let month = MONTHS.iter().position(|name| *name == month).unwrap_or(0) + 1;
    format!("{year}-{month:02}-{day}T{clock}Z")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_file_is_named_after_the_day() {
        let time = UNIX_EPOCH + Duration::from_secs(1_795_688_443);
        assert_eq!(timestamp(time), "2026-11-26T10:20:43Z");
        assert_eq!(
            name_of(time),
            PathBuf::from("moonshot-probe-2026-11-26.json")
        );
    }
}
