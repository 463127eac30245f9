//! Schemas, their spelling and values for them, at random.

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::select,
};
use serde_json::{Map, Number, Value, json};

use super::meaning::resolve;

/// The names that properties have: plain ones, one that is a keyword, one that a
/// definition may not hold, and those that Moonshot reserves.
fn property_name() -> impl Strategy<Value = String> {
    let of = |names: &'static [&'static str]| select(names).prop_map(str::to_owned);
    prop_oneof![
        30 => of(&["a", "b", "c"]),
        2 => of(&["type", "x/y"]),
        2 => of(&["anyOf", "required", "$ref", "$defs", "additionalProperties"]),
    ]
}

fn definition_name() -> impl Strategy<Value = String> {
    prop_oneof![
        10 => select(&["A", "B"][..]),
        1 => select(&["P/Q", "Box[int]"][..]),
    ]
    .prop_map(str::to_owned)
}

fn reference() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => select(&["#/$defs/A", "#/$defs/B", "#/definitions/A", "#/definitions/B"][..]),
        2 => select(&["#", "#/properties/a", "#/properties/b", "#/$defs/A/properties/a"][..]),
        2 => select(&["#/$defs/P~1Q", "#/definitions/P~1Q", "#/$defs/Box%5Bint%5D"][..]),
        2 => select(&["#/properties/a/items", "#/properties/b/anyOf/0", "#/anyOf/0"][..]),
        1 => select(&["#/$defs/Missing", "https://example.com/schema.json"][..]),
    ]
    .prop_map(Value::from)
}

fn type_name() -> impl Strategy<Value = String> {
    select(
        &[
            "string", "object", "integer", "array", "null", "number", "boolean",
        ][..],
    )
    .prop_map(str::to_owned)
}

fn types() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => type_name().prop_map(Value::from),
        3 => vec(type_name(), 1..4).prop_map(|mut names| {
            names.sort();
            names.dedup();
            json!(names)
        }),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => select(&["x", "y", "ab", ""][..]).prop_map(Value::from),
        3 => (-1..6_i64).prop_map(Value::from),
        1 => Just(json!(2.5)),
        1 => any::<bool>().prop_map(Value::from),
        2 => Just(Value::Null),
        1 => select(&["[]", "[1]", "{}", r#"{"a":"x"}"#, r#"{"b":1,"a":"y"}"#][..])
            .prop_map(super::parse),
    ]
}

type Members = Vec<(String, Value)>;

fn one(
    keyword: &'static str,
    value: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Members> {
    value
        .prop_map(move |value| vec![(keyword.to_owned(), value)])
        .boxed()
}

/// Keywords that hold no schema; where `odd`, also such with impossible values.
fn plain_keywords(odd: bool) -> BoxedStrategy<Members> {
    let text = || select(&["what it is", "A"][..]).prop_map(Value::from);
    prop_oneof![
        12 => one("type", types()),
        5 => one("enum", vec(scalar(), 1..5).prop_map(Value::from)),
        3 => one("const", scalar()),
        5 => one("$ref", reference()),
        3 => one("required", vec(property_name(), 0..3).prop_map(|mut names| {
            names.sort();
            names.dedup();
            json!(names)
        })),
        2 => one("description", text()),
        1 => one("title", text()),
        3 => one("default", scalar()),
        1 => one("examples", vec(scalar(), 0..2).prop_map(Value::from)),
        2 => (0..3_u64, 1..4_u64).prop_map(|(least, more)| vec![
            ("minLength".to_owned(), json!(least)),
            ("maxLength".to_owned(), json!(least + more)),
        ]),
        1 => one("pattern", select(&["^a", "b$", "^[a/b]*$"][..]).prop_map(Value::from)),
        1 => one("format", Just(json!("date"))),
        2 => one("minimum", (0..4_i64).prop_map(Value::from)),
        1 => one("exclusiveMaximum", Just(json!(4.5))),
        1 => one("multipleOf", Just(json!(2))),
        1 => one("minItems", (0..3_u64).prop_map(Value::from)),
        1 => one("maxItems", (1..3_u64).prop_map(Value::from)),
        1 => one("uniqueItems", Just(json!(true))),
        1 => one("minProperties", (0..2_u64).prop_map(Value::from)),
        1 => one("x-order", Just(json!(1))),
        3 => if odd { odd_keyword() } else { one("type", types()) },
    ]
    .boxed()
}

/// A keyword with a value that it can't have.
fn odd_keyword() -> BoxedStrategy<Members> {
    select(
        &[
            ("type", "null"),
            ("type", "\"STRING\""),
            ("type", "\"any\""),
            ("type", "[]"),
            ("type", "[\"Object\"]"),
            ("enum", "[]"),
            ("enum", "\"x\""),
            ("required", "null"),
            ("required", "true"),
            ("required", "[1,\"a\"]"),
            ("required", "[\"a\",\"a\"]"),
            ("properties", "null"),
            ("properties", "[]"),
            ("properties", "{\"a\":null,\"b\":{}}"),
            ("items", "null"),
            ("items", "\"string\""),
            ("additionalProperties", "null"),
            ("additionalProperties", "\"no\""),
            ("description", "null"),
            ("description", "7"),
            ("title", "7"),
            ("pattern", "3"),
            ("anyOf", "[]"),
            ("anyOf", "{}"),
            ("anyOf", "[null,{\"type\":\"string\"}]"),
            ("$ref", "5"),
            ("$ref", "\"A\""),
            ("$ref", "\"#/$defs/\""),
            ("$defs", "[]"),
            ("$defs", "{\"A\":true,\"\":{}}"),
            ("definitions", "null"),
            ("exclusiveMinimum", "true"),
            ("minLength", "-1"),
            ("nullable", "true"),
        ][..],
    )
    .prop_map(|(keyword, value)| vec![(keyword.to_owned(), super::parse(value))])
    .boxed()
}

fn properties(inner: BoxedStrategy<Value>) -> BoxedStrategy<Members> {
    let additional = prop_oneof![
        4 => Just(None),
        2 => Just(Some(json!(false))),
        1 => Just(Some(json!(true))),
        1 => inner.clone().prop_map(Some),
    ];
    (
        btree_map(property_name(), inner, 0..4),
        vec(any::<prop::sample::Index>(), 0..3),
        additional,
    )
        .prop_map(|(properties, required, additional)| {
            let names: Vec<&String> = properties.keys().collect();
            let mut needed: Vec<String> = Vec::new();
            for index in required {
                if !names.is_empty() {
                    needed.push((*index.get(&names)).clone());
                }
            }
            needed.sort();
            needed.dedup();
            let mut members = vec![("properties".to_owned(), json!(properties))];
            if !needed.is_empty() {
                members.push(("required".to_owned(), json!(needed)));
            }
            members.extend(additional.map(|schema| ("additionalProperties".to_owned(), schema)));
            members
        })
        .boxed()
}

/// Keywords that hold schemas.
fn nesting_keywords(inner: BoxedStrategy<Value>, odd: bool) -> BoxedStrategy<Members> {
    let schema = || inner.clone();
    let list = |most: usize| vec(inner.clone(), 1..most).prop_map(Value::from);
    prop_oneof![
        12 => properties(schema()),
        7 => one("anyOf", list(4)),
        3 => one("oneOf", list(3)),
        4 => one("allOf", list(3)),
        2 => one("not", schema()),
        5 => one("items", schema()),
        1 => if odd { one("items", list(3)) } else { one("items", schema()) },
        2 => one("prefixItems", list(3)),
        1 => (list(3), any::<bool>()).prop_map(|(first, closed)| vec![
            ("prefixItems".to_owned(), first),
            ("items".to_owned(), json!(!closed)),
        ]),
        1 => (schema(), schema(), schema()).prop_map(|(condition, then, otherwise)| vec![
            ("if".to_owned(), condition),
            ("then".to_owned(), then),
            ("else".to_owned(), otherwise),
        ]),
        1 => one("patternProperties", schema().prop_map(|schema| json!({"^[ab]$": schema}))),
        1 => one("propertyNames", schema()),
        1 => one("unevaluatedProperties", Just(json!(false))),
        1 => one("contains", schema()),
        1 => one("$defs", btree_map(definition_name(), schema(), 1..3).prop_map(|map| json!(map))),
        1 => one("definitions", btree_map(definition_name(), schema(), 1..2)
            .prop_map(|map| json!(map))),
    ]
    .boxed()
}

fn merged(members: Vec<Members>) -> Value {
    Value::Object(members.into_iter().flatten().collect())
}

/// Any schema, most of them small.
pub(crate) fn schema(odd: bool) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        20 => vec(plain_keywords(odd), 1..4).prop_map(merged),
        2 => Just(json!({})),
        1 => Just(json!(true)),
        1 => Just(json!(false)),
    ];
    leaf.prop_recursive(3, 24, 3, move |inner| {
        (
            vec(nesting_keywords(inner, odd), 1..3),
            vec(plain_keywords(odd), 0..3),
        )
            .prop_map(|(nesting, plain)| merged([nesting, plain].concat()))
            .boxed()
    })
    .boxed()
}

/// A whole schema of the kinds that tools have: mostly objects in one of the ways
/// to say so, with definitions.
pub(crate) fn root() -> BoxedStrategy<Value> {
    prop_oneof![
        4 => root_of(false).prop_map(|mut root| {
            mend_references(&mut root);
            root
        }),
        1 => root_of(true),
    ]
    .boxed()
}

/// Makes what refers to nothing refer to something, if there is anything: with
/// only one such reference, a schema means nothing as a whole.
fn mend_references(root: &mut Value) {
    fn mend(value: &mut Value, whole: &Value, instead: Option<&str>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get_mut("$ref") {
                    let remote = reference.starts_with("http");
                    if !remote && !resolve(whole, reference).is_some_and(Value::is_object) {
                        match instead {
                            Some(instead) => *reference = instead.to_owned(),
                            None => {
                                members.remove("$ref");
                            }
                        }
                    }
                }
                for value in members.values_mut() {
                    mend(value, whole, instead);
                }
            }
            Value::Array(items) => {
                for item in items {
                    mend(item, whole, instead);
                }
            }
            _ => {}
        }
    }
    let whole = root.clone();
    let targets = [
        "#/$defs/A",
        "#/$defs/B",
        "#/definitions/A",
        "#/definitions/B",
    ];
    let instead = targets
        .into_iter()
        .find(|target| resolve(&whole, target).is_some());
    mend(root, &whole, instead);
}

fn root_of(odd: bool) -> BoxedStrategy<Value> {
    let definitions =
        || proptest::option::weighted(0.7, btree_map(definition_name(), schema(odd), 1..3));
    let object = || properties(schema(odd));
    let head = prop_oneof![
        5 => (object(), vec(plain_keywords(odd), 0..2)).prop_map(|(object, plain)| {
            let typed = vec![("type".to_owned(), json!("object"))];
            merged([plain, vec![object, typed]].concat())
        }),
        4 => (object(), vec(nesting_keywords(schema(odd), odd), 0..3)).prop_map(|(object, nesting)| {
            let typed = vec![("type".to_owned(), json!("object"))];
            merged([nesting, vec![object, typed]].concat())
        }),
        2 => (object(), vec(nesting_keywords(schema(odd), odd), 0..2)).prop_map(|(object, nesting)| {
            merged([nesting, vec![object]].concat())
        }),
        2 => (object(), vec(object(), 1..4), any::<bool>()).prop_map(|(own, branches, typed)| {
            let branches: Vec<Value> = branches
                .into_iter()
                .map(|branch| merged(vec![branch]))
                .collect();
            let mut root = merged(vec![own]);
            if typed {
                root["type"] = json!("object");
            }
            root["anyOf"] = json!(branches);
            root
        }),
        2 => (reference(), vec(object(), 0..2)).prop_map(|(reference, own)| {
            let mut root = merged(own);
            root["$ref"] = reference;
            root
        }),
        2 => schema(odd),
    ];
    (head, definitions(), definitions())
        .prop_map(|(mut root, modern, old)| {
            if let Value::Object(members) = &mut root {
                if let Some(modern) = modern {
                    members.insert("$defs".to_owned(), json!(modern));
                }
                if let Some(old) = old {
                    members.insert("definitions".to_owned(), json!(old));
                }
            }
            root
        })
        .prop_filter("a schema is an object", Value::is_object)
        .boxed()
}

/// SplitMix64: what is drawn depends on the seed only.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// A schema in one of the ways to write it: keys in any order, white space, and
/// now and then an escape in a key.
pub(crate) fn spell(value: &Value, dice: &mut Dice) -> String {
    let mut text = String::new();
    write(value, dice, &mut text);
    text
}

fn write(value: &Value, dice: &mut Dice, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut rest: Vec<(&String, &Value)> = members.iter().collect();
            text.push('{');
            while !rest.is_empty() {
                let (key, value) = rest.swap_remove(dice.below(rest.len()));
                space(dice, text);
                text.push_str(&key_text(key, dice));
                space(dice, text);
                text.push(':');
                space(dice, text);
                write(value, dice, text);
                space(dice, text);
                if !rest.is_empty() {
                    text.push(',');
                }
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                space(dice, text);
                write(item, dice, text);
                space(dice, text);
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

fn space(dice: &mut Dice, text: &mut String) {
    if dice.one_in(12) {
        text.push_str([" ", "\n  ", "\t", "\r\n"][dice.below(4)]);
    }
}

fn key_text(key: &str, dice: &mut Dice) -> String {
    let mut characters = key.chars();
    match characters.next() {
        Some(first) if dice.one_in(50) => {
            format!("\"\\u{:04x}{}\"", u32::from(first), characters.as_str())
        }
        _ => Value::from(key).to_string(),
    }
}

/// A value that a schema probably admits.
pub(crate) fn admitted(schema: &Value, root: &Value, dice: &mut Dice, fuel: usize) -> Value {
    let Some(members) = schema.as_object() else {
        return anything(dice, 1);
    };
    if fuel == 0 {
        return Value::Null;
    }
    let fuel = fuel - 1;
    if let Some(value) = members.get("const") {
        return value.clone();
    }
    if let Some(value) = members.get("enum").and_then(Value::as_array) {
        return dice.pick(value).cloned().unwrap_or_default();
    }
    let mut elsewhere: Vec<Value> = Vec::new();
    if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
        if let Some(target) = resolve(root, reference) {
            elsewhere.push(admitted(target, root, dice, fuel));
        }
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(branches) = members.get(keyword).and_then(Value::as_array) {
            if let Some(branch) = dice.pick(branches) {
                elsewhere.push(admitted(branch, root, dice, fuel));
            }
        }
    }
    for part in members
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        elsewhere.push(admitted(part, root, dice, fuel));
    }
    elsewhere.extend(
        members
            .get("then")
            .map(|then| admitted(then, root, dice, fuel)),
    );

    let own = match kind(members, dice) {
        Some(kind) => of_kind(&kind, members, root, dice, fuel),
        None if elsewhere.is_empty() => anything(dice, 1),
        None => return joined(elsewhere),
    };
    elsewhere.push(own);
    joined(elsewhere)
}

/// What satisfies several schemas at once: objects joined, else the first.
fn joined(values: Vec<Value>) -> Value {
    let mut all = Map::new();
    for value in &values {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    all.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
            _ => return value.clone(),
        }
    }
    Value::Object(all)
}

fn kind(members: &Map<String, Value>, dice: &mut Dice) -> Option<String> {
    match members.get("type") {
        Some(Value::String(name)) => return Some(name.to_lowercase()),
        Some(Value::Array(names)) => {
            return dice.pick(names).and_then(Value::as_str).map(str::to_owned);
        }
        _ => {}
    }
    let hints = [
        ("properties", "object"),
        ("required", "object"),
        ("patternProperties", "object"),
        ("additionalProperties", "object"),
        ("items", "array"),
        ("prefixItems", "array"),
        ("contains", "array"),
        ("minLength", "string"),
        ("pattern", "string"),
        ("minimum", "integer"),
        ("multipleOf", "integer"),
    ];
    let hinted = hints
        .iter()
        .find(|(keyword, _)| members.contains_key(*keyword));
    // What a schema says of objects binds objects only.
    hinted
        .filter(|_| !dice.one_in(6))
        .map(|(_, kind)| (*kind).to_owned())
}

fn of_kind(
    kind: &str,
    members: &Map<String, Value>,
    root: &Value,
    dice: &mut Dice,
    fuel: usize,
) -> Value {
    let number = |keyword: &str| members.get(keyword).and_then(Value::as_u64);
    match kind {
        "object" => object(members, root, dice, fuel),
        "array" => {
            let first = members.get("prefixItems").and_then(Value::as_array);
            let mut items: Vec<Value> = first
                .into_iter()
                .flatten()
                .map(|item| admitted(item, root, dice, fuel))
                .collect();
            let fixed = items.len();
            let rest = members.get("items");
            // More would be too many where items are arrays of their own kind.
            let least = usize::try_from(number("minItems").unwrap_or(0))
                .unwrap_or(0)
                .min(8);
            let wanted = least.max(fixed) + dice.below(2);
            while items.len() < wanted && rest != Some(&json!(false)) {
                let item = match rest {
                    Some(Value::Array(tuple)) => match tuple.get(items.len()) {
                        Some(item) => admitted(item, root, dice, fuel),
                        None => break,
                    },
                    Some(item) => admitted(item, root, dice, fuel),
                    None => anything(dice, 1),
                };
                items.push(item);
            }
            Value::Array(items)
        }
        "string" => {
            let pool = ["x", "ab", "a", "y", "", "abb", "aaaab"];
            let fits = |text: &&&str| {
                let length = text.len() as u64;
                length >= number("minLength").unwrap_or(0)
                    && length <= number("maxLength").unwrap_or(9)
                    && match members.get("pattern").and_then(Value::as_str) {
                        Some("^a") => text.starts_with('a'),
                        Some("b$") => text.ends_with('b'),
                        _ => true,
                    }
            };
            let fitting: Vec<&&str> = pool.iter().filter(fits).collect();
            Value::from(dice.pick(&fitting).map_or("x", |text| **text))
        }
        "integer" | "number" => {
            let least = members.get("minimum").and_then(Value::as_i64).unwrap_or(0);
            let step = i64::try_from(number("multipleOf").unwrap_or(1)).unwrap_or(1);
            let step = step.max(1);
            let value = least.saturating_add(i64::try_from(dice.below(3)).unwrap_or(0) + step - 1);
            let value = value / step * step;
            if kind == "number" && dice.one_in(3) {
                return Number::from_f64(value as f64 + 0.5).map_or(Value::Null, Value::Number);
            }
            Value::from(value)
        }
        "boolean" => Value::from(dice.one_in(2)),
        _ => Value::Null,
    }
}

fn object(members: &Map<String, Value>, root: &Value, dice: &mut Dice, fuel: usize) -> Value {
    let needed: Vec<&str> = members
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut value = Map::new();
    let properties = members.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        if schema != &json!(false) && (needed.contains(&name.as_str()) || !dice.one_in(3)) {
            value.insert(name.clone(), admitted(schema, root, dice, fuel));
        }
    }
    let rest = members
        .get("additionalProperties")
        .or_else(|| members.get("patternProperties")?.get("^[ab]$"));
    let extra = |name: &str, value: &mut Map<String, Value>, dice: &mut Dice| {
        let of_rest = rest.filter(|schema| schema.is_object());
        let schema = match of_rest {
            Some(rest) => admitted(rest, root, dice, fuel),
            None => anything(dice, 1),
        };
        value.entry(name.to_owned()).or_insert(schema);
    };
    for name in needed {
        extra(name, &mut value, dice);
    }
    if rest != Some(&json!(false)) && dice.one_in(2) {
        let name = *dice.pick(&["a", "b", "c", "d"]).unwrap_or(&"d");
        extra(name, &mut value, dice);
    }
    Value::Object(value)
}

/// Any small value.
pub(crate) fn anything(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 7 } else { 10 }) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(1),
        3 => json!(2.5),
        4 => json!("x"),
        5 => json!("ab"),
        6 => json!(4),
        7 => {
            let items = (0..dice.below(3)).map(|_| anything(dice, depth - 1));
            Value::Array(items.collect())
        }
        _ => any_object(dice, depth - 1),
    }
}

/// Any small object.
pub(crate) fn any_object(dice: &mut Dice, depth: usize) -> Value {
    let names = ["a", "b", "c", "d", "type", "x/y", "anyOf", "required"];
    let members = (0..dice.below(4)).map(|_| {
        let choice = if dice.one_in(3) { names.len() } else { 4 };
        let name = names[dice.below(choice)];
        (name.to_owned(), anything(dice, depth))
    });
    Value::Object(members.collect())
}

/// Keywords with a value each, good and bad.
const KEYWORDS: [(&str, &str); 50] = [
    ("type", r#""string""#),
    ("type", r#""object""#),
    ("type", r#"["string","null"]"#),
    ("type", r#"["object","null"]"#),
    ("type", r#"["array","object"]"#),
    ("type", r#""STRING""#),
    ("type", r#""any""#),
    ("enum", r#"["x"]"#),
    ("enum", r#"["x",1,null]"#),
    ("enum", r#"[{"a":"x"},null]"#),
    ("enum", "[]"),
    ("const", r#""x""#),
    ("properties", r#"{"a":{"type":"string"}}"#),
    ("properties", r#"{"a":true,"b":false}"#),
    ("properties", r#"{"anyOf":{"type":"integer"},"a":{}}"#),
    ("properties", "null"),
    ("required", r#"["a"]"#),
    ("required", r#"["anyOf"]"#),
    ("required", "true"),
    ("additionalProperties", "false"),
    ("additionalProperties", r#"{"type":"integer"}"#),
    ("additionalProperties", "null"),
    ("items", "true"),
    ("items", "false"),
    ("items", r#"{"type":["string","null"],"default":null}"#),
    ("prefixItems", r#"[{"type":"string"},true]"#),
    ("anyOf", r#"[{"type":"string"},{"type":"null"}]"#),
    ("anyOf", r#"[{"required":["a"]},{"required":["b"]}]"#),
    (
        "anyOf",
        r#"[{"type":"object","properties":{"a":{"type":"integer"}}},{"minLength":2}]"#,
    ),
    (
        "anyOf",
        r##"[{"$ref":"#/definitions/D"},{"$ref":"#/$defs/E"},true]"##,
    ),
    ("anyOf", "[]"),
    (
        "oneOf",
        r##"[{"$ref":"#/definitions/D"},{"type":"string"}]"##,
    ),
    ("allOf", r##"[{"$ref":"#/definitions/D"}]"##),
    ("not", r##"{"$ref":"#/$defs/F"}"##),
    ("$ref", r##""#/definitions/D""##),
    ("$ref", r##""#/$defs/E""##),
    ("$ref", r##""#/$defs/F""##),
    ("$ref", r##""#/properties/b""##),
    ("$ref", r##""#/$defs/Missing""##),
    ("$ref", r#""https://example.com""#),
    ("$defs", r#"{"G":true}"#),
    ("default", "null"),
    ("description", "null"),
    ("title", r#""T""#),
    ("minLength", "1"),
    ("minimum", "2"),
    ("minProperties", "1"),
    ("patternProperties", r#"{"^b":{"type":"integer"}}"#),
    ("unevaluatedProperties", "false"),
    ("if", r##"{"$ref":"#/$defs/F"}"##),
];

/// Every pair of keywords in one schema: as a property, and as the root.
pub(crate) fn pairs() -> Vec<Value> {
    let mut roots = Vec::new();
    for (index, (first, one)) in KEYWORDS.iter().enumerate() {
        for (second, other) in &KEYWORDS[index + 1..] {
            if first == second {
                continue;
            }
            let schema = json!({*first: super::parse(one), *second: super::parse(other)});
            let mut definitions = json!({
                "E": {"type": "string", "minLength": 1, "default": "x"},
                "F": {"type": "object", "properties": {"required": {}}, "required": ["required"]},
            });
            if let Some(own) = schema["$defs"].as_object() {
                definitions["G"] = own["G"].clone();
            }
            let old = json!({"D": {
                "type": "object",
                "properties": {"a": {"type": ["string", "null"], "default": null}},
                "required": ["a"],
            }});

            let mut root = schema.clone();
            root["$defs"] = definitions.clone();
            root["definitions"] = old.clone();
            roots.push(root);
            roots.push(json!({
                "type": "object",
                "properties": {"p": schema, "b": {"type": "integer", "minimum": 1}},
                "required": ["p"],
                "$defs": definitions,
                "definitions": old,
            }));
        }
    }
    roots
}
