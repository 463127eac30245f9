//! Serialization of reports, and of settings by name (feature `serde`).

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
    ser::SerializeStruct,
};

use crate::{
    ApiKey, BaseUrl, Change, InvalidJson, ModelAliases, NPolicy, Region, Report, Rule, Skipped,
    TargetModel, ToolChoicePolicy,
};

/// Serializes a type as the string that it is displayed as.
macro_rules! serialize_as_displayed {
    ($($type:ty),+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}

/// Deserializes a type from the string that it is parsed from.
macro_rules! deserialize_as_parsed {
    ($($type:ty => $expected:literal),+ $(,)?) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        <$type>::from_str(text).map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }
    )+};
}

serialize_as_displayed!(BaseUrl, NPolicy, Region, Rule, ToolChoicePolicy);

deserialize_as_parsed! {
    ApiKey => "an API key",
    BaseUrl => "a base URL",
    NPolicy => "the name of a policy for n",
    Region => "the name of a region or a base URL",
    Rule => "the name of a rule",
    ToolChoicePolicy => "the name of a tool choice policy",
}

impl<'de> Deserialize<'de> for ModelAliases {
    /// From a map of names to ids.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let aliases = BTreeMap::<String, String>::deserialize(deserializer)?;
        Self::new(aliases).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for TargetModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 2)?;
        report.serialize_field("changes", self.changes())?;
        report.serialize_field("skipped", &self.skipped())?;
        report.end()
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut change = serializer.serialize_struct("Change", 3)?;
        change.serialize_field("rule", &self.rule())?;
        change.serialize_field("pointer", &self.pointer())?;
        change.serialize_field("why", self.why())?;
        change.end()
    }
}

impl Serialize for Skipped {
    /// As an object with the `reason`, and with what belongs to it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut skipped = serializer.serialize_struct("Skipped", 3)?;
        let reason = match self {
            Self::NotAChatRequest => "not_a_chat_request",
            Self::Compressed => "compressed",
            Self::TooLarge { .. } => "too_large",
            Self::ByRequest => "by_request",
            Self::InvalidJson(_) => "invalid_json",
            Self::ReadError => "read_error",
        };
        skipped.serialize_field("reason", reason)?;
        match self {
            Self::TooLarge { limit } => skipped.serialize_field("limit", limit)?,
            Self::InvalidJson(invalid) => skipped.serialize_field("at", invalid)?,
            _ => {}
        }
        skipped.end()
    }
}

impl Serialize for InvalidJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut place = serializer.serialize_struct("InvalidJson", 3)?;
        place.serialize_field("offset", &self.offset())?;
        place.serialize_field("line", &self.line())?;
        place.serialize_field("column", &self.column())?;
        place.end()
    }
}

#[cfg(feature = "inline-media")]
mod media {
    use super::{Serialize, SerializeStruct, Serializer};
    use crate::inline_media::{Media, MediaReport};

    impl Serialize for MediaReport {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut report = serializer.serialize_struct("MediaReport", 1)?;
            report.serialize_field("media", self.media())?;
            report.end()
        }
    }

    impl Serialize for Media {
        /// Without the URL.
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut media = serializer.serialize_struct("Media", 4)?;
            media.serialize_field("pointer", &self.pointer())?;
            match self.outcome() {
                Ok(inlined) => {
                    media.serialize_field("media_type", inlined.media_type().as_str())?;
                    media.serialize_field("bytes", &inlined.bytes())?;
                }
                Err(why) => media.serialize_field("not_inlined", &why.to_string())?,
            }
            media.end()
        }
    }
}

#[cfg(feature = "emulator")]
mod finding {
    use super::{Serialize, SerializeStruct, Serializer};
    use crate::emulator::{Finding, Grade};

    impl Serialize for Grade {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl Serialize for Finding {
        /// The fact as its id.
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut finding = serializer.serialize_struct("Finding", 7)?;
            finding.serialize_field("pointer", self.pointer())?;
            finding.serialize_field("message", self.message())?;
            finding.serialize_field("recorded", &self.is_recorded())?;
            finding.serialize_field("status", &self.status().as_u16())?;
            finding.serialize_field("fact", self.fact().id())?;
            finding.serialize_field("grade", &self.grade())?;
            finding.serialize_field("rule", &self.rule())?;
            finding.end()
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{from_value, json, to_value};

    use super::*;
    use crate::MoonshotCompatLayer;

    fn reported(body: &'static str) -> serde_json::Value {
        let (_, report) = MoonshotCompatLayer::new().rewrite(Bytes::from_static(body.as_bytes()));
        to_value(report).unwrap()
    }

    #[test]
    fn a_report_is_an_object_of_changes_and_of_what_was_skipped() {
        assert_eq!(
            reported(r#"{"model":"moonshot-v1-8k","messages":[],"temperature":2}"#),
            json!({
                "changes": [{
                    "rule": "temperature",
                    "pointer": "/temperature",
                    "why": "at most 1 is accepted",
                }],
                "skipped": null,
            }),
        );
        assert_eq!(
            reported("{\n\"messages\":[}"),
            json!({
                "changes": [],
                "skipped": {
                    "reason": "invalid_json",
                    "at": {"offset": 14, "line": 2, "column": 13},
                },
            }),
        );
        let too_large = to_value(Skipped::TooLarge { limit: 7 }).unwrap();
        assert_eq!(too_large, json!({"reason": "too_large", "limit": 7}));
    }

    #[cfg(feature = "emulator")]
    #[test]
    fn a_finding_has_the_name_of_its_fact_and_of_the_rule() {
        let body = br#"{"model":"kimi-k3","messages":[],"temperature":2}"#;
        assert_eq!(
            to_value(crate::emulator::explain(body)).unwrap(),
            json!([
                {
                    "pointer": "/temperature",
                    "message": "invalid temperature: only 1 is allowed for this model",
                    "recorded": true,
                    "status": 400,
                    "fact": "temperature_fixed",
                    "grade": "suite",
                    "rule": "sampling",
                },
                {
                    "pointer": "/messages",
                    "message": "Invalid request: messages must not be empty",
                    "recorded": true,
                    "status": 400,
                    "fact": "no_messages",
                    "grade": "reported",
                    "rule": null,
                },
            ]),
        );
    }

    #[test]
    fn settings_are_read_by_name() {
        assert_eq!(
            from_value::<Rule>(json!("sampling")).unwrap(),
            Rule::Sampling
        );
        assert_eq!(from_value::<NPolicy>(json!("keep")).unwrap(), NPolicy::Keep);
        assert_eq!(
            from_value::<ToolChoicePolicy>(json!("disable_thinking")).unwrap(),
            ToolChoicePolicy::DisableThinking,
        );
        for region in [
            Region::KimiCodeChina,
            Region::custom("http://h/v1").unwrap(),
        ] {
            let written = to_value(&region).unwrap();
            assert_eq!(from_value::<Region>(written).unwrap(), region);
        }
        let aliases: ModelAliases = from_value(json!({"gpt-4o": "moonshot/kimi-k3"})).unwrap();
        assert_eq!(aliases.get("gpt-4o"), Some("kimi-k3"));
        let target: TargetModel = from_value(json!("kimi-k3")).unwrap();
        assert_eq!(target.id(), "kimi-k3");
        assert!(from_value::<ApiKey>(json!("sk-test")).is_ok());
    }

    #[test]
    fn bad_settings_say_what_is_accepted() {
        let error = from_value::<Rule>(json!("?")).unwrap_err().to_string();
        assert!(error.contains("expected one of model, "), "{error}");
        let error = from_value::<Region>(json!(1)).unwrap_err().to_string();
        assert!(
            error.contains("the name of a region or a base URL"),
            "{error}"
        );
        assert!(from_value::<ModelAliases>(json!({"a": "a"})).is_err());
        assert!(from_value::<ApiKey>(json!("")).is_err());
    }
}
