//! What a check costs, in steps, whatever the schema says.

use std::thread;

use serde_json::{Map, Value, json};

use super::{check_schema, size::MAX_BYTES, steps};

/// A schema of about so many bytes.
type Shape = fn(usize) -> Value;

fn map<V: Into<Value>>(members: impl IntoIterator<Item = (String, V)>) -> Value {
    let members = members.into_iter().map(|(key, value)| (key, value.into()));
    Value::Object(Map::from_iter(members))
}

fn refer(name: impl std::fmt::Display) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn definitions(count: usize, of: impl Fn(usize) -> Value) -> Value {
    map((0..count).map(|index| (index.to_string(), of(index))))
}

/// `inner` in so many objects, each under the same key.
fn nested(key: &str, count: usize, inner: Value) -> Value {
    (0..count).fold(inner, |inner, _| map([(key.to_owned(), inner)]))
}

/// The square root, so that a square of it has the length that is asked for.
fn side(bytes: usize, each: usize) -> usize {
    (bytes / each).isqrt()
}

/// Schemas that cost more than their length if anything is done twice.
const SHAPES: &[(&str, Shape)] = &[
    (
        "objects in data",
        |n| json!({"default": map((0..n / 11).map(|i| (i.to_string(), json!({}))))}),
    ),
    ("objects nested in data", |n| nested("x", n / 6, json!({}))),
    ("items nested in each other", |n| {
        nested("items", n / 10, json!({}))
    }),
    ("keys called root", |n| {
        nested("root", n / 9, json!({"x": {"$ref": "#"}}))
    }),
    ("definitions nested in each other", |n| {
        (0..n / 15).fold(json!({}), |inner, _| {
            nested("$defs", 1, nested("A", 1, inner))
        })
    }),
    ("nested definitions with references", |n| {
        (0..n / 26).fold(json!({}), |inner, _| {
            let mut outer = nested("$defs", 1, nested("A", 1, inner));
            outer["$ref"] = json!("#");
            outer
        })
    }),
    ("a chain of names, named from all sides", |n| {
        let count = n / 45;
        json!({
            "$defs": definitions(count, |i| refer((i + 1) % count)),
            "type": "object",
            "x": {"properties": definitions(count / 2, refer)},
        })
    }),
    ("a chain of properties", |n| {
        let count = n / 60;
        let link = |i| json!({"properties": {"a": refer((i + 1) % count)}});
        json!({"$defs": definitions(count, link), "type": "object"})
    }),
    ("a chain of branches", |n| {
        let count = n / 60;
        let link = |i| json!({"anyOf": [refer((i + 1) % count), refer((i + 2) % count)]});
        json!({"$defs": definitions(count, link), "properties": {"a": refer(0)}})
    }),
    ("a chain of required properties", |n| {
        let count = n / 110;
        let link = |i| {
            let next = refer((i + 1) % count);
            json!({"type": "object", "properties": {"a": next, "b": next}, "required": ["a", "b"]})
        };
        json!({"$defs": definitions(count, link), "items": refer(0)})
    }),
    ("a ladder without an end of paths", |n| {
        let count = n / 60;
        let link = |i| match i + 1 == count {
            true => json!({}),
            false => json!({"anyOf": [refer(i + 1), refer(i + 1)]}),
        };
        json!({"$defs": definitions(count, link), "items": refer(0)})
    }),
    ("all refer to all", |n| {
        let count = side(n, 24);
        let link = |_| json!({"anyOf": (0..count).map(refer).collect::<Vec<_>>()});
        json!({"$defs": definitions(count, link), "items": refer(0)})
    }),
    ("all refer to all, as properties", |n| {
        let count = side(n, 28).min(54);
        let all = || map((0..count).map(|i| (i.to_string(), refer(i))));
        let link = |_| json!({"properties": all()});
        json!({"$defs": definitions(count, link), "items": refer(0)})
    }),
    ("all refer to the root", |n| {
        let link = |_| json!({"anyOf": [{"$ref": "#"}]});
        let all = definitions(n / 60, refer);
        json!({
            "$defs": definitions(n / 60, link),
            "type": "object",
            "properties": {"a": {"anyOf": [all, {"$ref": "#"}]}},
        })
    }),
    ("references beside keywords, to many branches", |n| {
        let branches: Vec<_> = (0..n / 250).map(|i| json!({format!("x{i}"): 1})).collect();
        let here = |_| json!({"$ref": "#/$defs/A", "y": 1, "z": 1});
        json!({
            "$defs": {"A": {"anyOf": branches}},
            "type": "object",
            "x": {"properties": definitions(n / 50, here)},
        })
    }),
    ("references into one definition, overlapping", |n| {
        let depth = side(n, 13);
        let inner = nested("additionalProperties", depth, json!({}));
        let at = |i| refer(format!("A{}", "/additionalProperties".repeat(i)));
        json!({
            "$defs": {"A": inner},
            "type": "object",
            "x": {"properties": definitions(depth, at)},
        })
    }),
    ("required in reverse order", |n| {
        let names: Vec<String> = (0..n / 25).map(|i| format!("{i:06}")).collect();
        let names = &names[..names.len().min(3000)];
        json!({
            "type": "object",
            "properties": map(names.iter().map(|name| (name.clone(), json!({})))),
            "required": names.iter().rev().collect::<Vec<_>>(),
        })
    }),
    (
        "one name required again and again",
        |n| json!({"type": "object", "properties": {"a": {}}, "required": vec!["a"; n / 4]}),
    ),
    ("many types", |n| json!({"type": vec!["object"; n / 9]})),
    ("one long key many times", |n| {
        let long = "x".repeat(side(n, 1));
        json!({"anyOf": (0..side(n, 1)).map(|_| json!({&long: {}})).collect::<Vec<_>>()})
    }),
];

fn cost(schema: &Value) -> usize {
    steps::taken();
    let _ = check_schema(schema);
    steps::taken()
}

/// Runs a test that writes and drops deeply nested values, which recurses.
fn on_a_large_stack(test: fn()) {
    let large = thread::Builder::new().stack_size(256 << 20);
    large.spawn(test).unwrap().join().unwrap();
}

#[test]
fn no_schema_costs_more_than_its_length_says() {
    on_a_large_stack(|| {
        for (name, shape) in SHAPES {
            let (small, large) = (shape(25_000), shape(100_000));
            let (short, long) = (small.to_string().len(), large.to_string().len());
            assert!((10_000..=30_000).contains(&short), "{name}: {short} bytes");
            assert!((40_000..=MAX_BYTES).contains(&long), "{name}: {long} bytes");
            // Objects are found by key, which takes the logarithm of their number.
            let growth = cost(&large) as f64 / cost(&small) as f64;
            let ratio = long as f64 / short as f64;
            assert!(growth <= ratio * 1.35, "{name}: {growth} for {ratio}");
            assert!(
                cost(&large) <= 20 * long,
                "{name}: {} for {long}",
                cost(&large)
            );
        }
    });
}

#[test]
fn a_schema_over_the_limit_costs_no_more_than_the_limit() {
    on_a_large_stack(|| {
        let shapes = SHAPES.iter().map(|(_, shape)| shape(150_000));
        let flat = [
            json!({"default": vec![0; 5_000_000]}),
            json!({"default": "x".repeat(10_000_000)}),
            json!({"default": map((0..500_000).map(|i| (i.to_string(), 0)))}),
            map([("x".repeat(10_000_000), 0)]),
        ];
        for schema in shapes.chain(flat) {
            let long = schema.to_string().len() > MAX_BYTES;
            assert!(!long || cost(&schema) <= 2 * MAX_BYTES, "{}", cost(&schema));
        }
    });
}
