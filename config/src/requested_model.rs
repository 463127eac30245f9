//! Reads the `model` of a request, and parses no more of the body than necessary.

use std::{borrow::Cow, fmt, sync::LazyLock};

use memchr::memmem::Finder;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// The model that a body asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestedModel<'a> {
    /// The name.
    Name(Cow<'a, str>),
    /// There is no `model`, or it is not a string.
    Missing,
    /// The body is not a JSON object. The layer reads strictly, and says where the
    /// error is.
    NotAnObject,
}

impl<'a> RequestedModel<'a> {
    /// Reads the member `model` of the object in `body`. If it appears more than once,
    /// the last one wins, as in the layer and most parsers.
    #[must_use]
    pub fn of(body: &'a [u8]) -> Self {
        let mut search = Search {
            // In most bodies it appears once and near the start, so that reading can
            // end there.
            is_only_one: is_named_once(body),
            found: None,
        };
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = json.deserialize_map(&mut search);
        match (search.found, read) {
            (Some(Some(model)), Ok(())) => Self::Name(model),
            // Reading ended early, which serde reports as an error.
            (Some(Some(model)), Err(_)) if search.is_only_one => Self::Name(model),
            (_, Ok(())) => Self::Missing,
            (Some(None), Err(_)) if search.is_only_one => Self::Missing,
            (_, Err(_)) => Self::NotAnObject,
        }
    }
}

/// Built once: building a searcher takes longer than using it.
static NAME: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\"model\""));
static ESCAPE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\\u006"));

/// Whether at most one key of the body can be `model`. Such a key is spelled
/// literally, or has an escape for one of its letters, all of which are U+006x.
fn is_named_once(body: &[u8]) -> bool {
    NAME.find_iter(body).nth(1).is_none() && ESCAPE.find(body).is_none()
}

struct Search<'a> {
    is_only_one: bool,
    /// The value of the last `model`; an inner `None` if it is not a string.
    found: Option<Option<Cow<'a, str>>>,
}

impl<'a> Visitor<'a> for &mut Search<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(is_model) = map.next_key_seed(IsModel)? {
            if is_model {
                self.found = Some(map.next_value::<Text<'a>>()?.0);
                if self.is_only_one {
                    break;
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Whether a key is `model`. Compares bytes, because a key may contain half of a
/// surrogate pair, which is JSON but not a `str`.
struct IsModel;

impl<'de> DeserializeSeed<'de> for IsModel {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for IsModel {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<bool, E> {
        Ok(key == b"model")
    }
}

/// A value's text, if it is a string.
struct Text<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }

            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }

            fn visit_seq<A>(self, mut seq: A) -> Result<Text<'de>, A::Error>
            where
                A: serde::de::SeqAccess<'de>,
            {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Parses the whole body with serde_json, where the last of several keys wins.
    fn by_value(body: &str) -> Option<String> {
        let body: Value = serde_json::from_str(body).unwrap();
        body["model"].as_str().map(str::to_owned)
    }

    fn asked(body: &str) -> Option<String> {
        match RequestedModel::of(body.as_bytes()) {
            RequestedModel::Name(model) => Some(model.into_owned()),
            RequestedModel::Missing => None,
            RequestedModel::NotAnObject => panic!("{body} is an object"),
        }
    }

    fn member() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec![
            r"model",
            r"mod\u0065l",
            r"\u006Dodel",
            r"mo\u0064\u0065l",
            r"Model",
            r"model ",
            r"messages",
            r#"\"model\""#,
        ]);
        let value = prop::sample::select(vec![
            r#""kimi-k3""#,
            r#""a\tb\u00e9""#,
            r#""""#,
            "null",
            "-1e3",
            "true",
            "[]",
            r#"["model",{"model":"no"}]"#,
            r#"{"model":"no","x":{"model":"no"}}"#,
            r#""{\"model\":\"no\"}""#,
            r#""\u006d""#,
        ]);
        let space = prop::sample::select(vec!["", " ", "\n\t"]);
        (key, space, value)
            .prop_map(|(key, space, value)| format!("\"{key}\"{space}:{space}{value}"))
    }

    proptest! {
        #[test]
        fn it_reads_the_model_that_a_whole_parse_reads(members in prop::collection::vec(member(), 0..6)) {
            let body = format!("{{{}}}", members.join(","));
            prop_assert_eq!(asked(&body), by_value(&body), "{}", body);
        }
    }

    #[test]
    fn keys_with_half_a_surrogate_pair_are_skipped() {
        assert_eq!(
            asked(r#"{"\ud800":1,"model":"a","x":"\udfff"}"#).as_deref(),
            Some("a")
        );
    }

    #[test]
    fn a_body_that_is_not_an_object_is_left_to_the_layer() {
        for body in [
            "",
            "[]",
            "1",
            r#""model""#,
            "{",
            r#"{"a":1,,"model":"a"}"#,
            r#"{"model":"a"#,
        ] {
            assert_eq!(
                RequestedModel::of(body.as_bytes()),
                RequestedModel::NotAnObject,
                "{body}"
            );
        }
    }
}
