//! The `model` of a request, read without parsing more than it takes.

use std::{borrow::Cow, fmt, sync::LazyLock};

use memchr::memmem::Finder;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// What a body says about its model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked<'a> {
    Model(Cow<'a, str>),
    /// There is none, or it is no string.
    Nothing,
    /// The body is no JSON object; where it stops being one is for the layer to
    /// say, which reads it strictly.
    NotAnObject,
}

impl<'a> Asked<'a> {
    /// Reads the member `model` of the object in `body`. Of several the last
    /// counts, as for the layer and as with most parsers.
    pub(crate) fn of(body: &'a [u8]) -> Self {
        let mut search = Search {
            // Most bodies name it once: then there is no need to read on behind
            // it, and it tends to stand near the start.
            is_only_one: is_named_once(body),
            found: None,
        };
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = json.deserialize_map(&mut search);
        match (search.found, read) {
            (Some(Some(model)), Ok(())) => Self::Model(model),
            // Reading ended with it, which serde takes for an error.
            (Some(Some(model)), Err(_)) if search.is_only_one => Self::Model(model),
            (_, Ok(())) => Self::Nothing,
            (Some(None), Err(_)) if search.is_only_one => Self::Nothing,
            (_, Err(_)) => Self::NotAnObject,
        }
    }
}

/// Made once: a searcher takes longer to make than to use.
static NAME: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\"model\""));
static ESCAPE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\\u006"));

/// Whether no more than one key of the body can be `model`. A key that is, is
/// spelled so, or has an escape for one of its letters, which are all U+006x.
fn is_named_once(body: &[u8]) -> bool {
    NAME.find_iter(body).nth(1).is_none() && ESCAPE.find(body).is_none()
}

struct Search<'a> {
    is_only_one: bool,
    /// The value of the last `model`; `None` in it if that is no string.
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

/// Whether a key is `model`. As bytes: a key may be half of a surrogate pair,
/// which is JSON but no `str`.
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

    /// What serde_json makes of the whole body: of several keys it takes the last.
    fn by_value(body: &str) -> Option<String> {
        let body: Value = serde_json::from_str(body).unwrap();
        body["model"].as_str().map(str::to_owned)
    }

    fn asked(body: &str) -> Option<String> {
        match Asked::of(body.as_bytes()) {
            Asked::Model(model) => Some(model.into_owned()),
            Asked::Nothing => None,
            Asked::NotAnObject => panic!("{body} is an object"),
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
    fn keys_that_are_no_text_are_no_obstacle() {
        assert_eq!(
            asked(r#"{"\ud800":1,"model":"a","x":"\udfff"}"#).as_deref(),
            Some("a")
        );
    }

    #[test]
    fn what_is_no_object_is_left_to_the_layer() {
        for body in [
            "",
            "[]",
            "1",
            r#""model""#,
            "{",
            r#"{"a":1,,"model":"a"}"#,
            r#"{"model":"a"#,
        ] {
            assert_eq!(Asked::of(body.as_bytes()), Asked::NotAnObject, "{body}");
        }
    }
}
