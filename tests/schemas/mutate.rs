//! Mutations of schemas: keywords moved, dropped and added, references of every kind
//! in every place, and the forms that common generators write.

use serde_json::{Map, Value, json};

use super::forms::{
    KEYWORDS, ODD, PYDANTIC, REFERENCES, TYPES, ZOD, name, parsed, pick, reference, schema,
};
use crate::schemas::generate::Dice;

type Object = Map<String, Value>;

/// A mutation of one of the schema's objects.
type Mutation = fn(&mut Object, &mut Dice);

const MUTATIONS: &[Mutation] = &[
    drop_keyword,
    add_keyword,
    add_odd_value,
    add_reference,
    replace_by_reference,
    wrap,
    wrap_in_array,
    add_unknown,
    change_type,
    add_enum,
    edit_array,
    add_property,
    rename_property,
    edit_required,
    nest_definitions,
    write_as_zod,
    write_as_pydantic,
];

/// Mutates a schema in one to four places. Equal seeds and schemas give equal results.
pub(crate) fn mutate(seed: u64, schema: &Value) -> Value {
    let mut dice = Dice(seed);
    let mut schema = schema.clone();
    for _ in 0..=dice.below(4) {
        if dice.one_in(6) {
            transplant(&mut schema, &mut dice);
        } else if dice.one_in(6) {
            add_definition(&mut schema, &mut dice);
        } else if let Some(mutation) = dice.pick(MUTATIONS) {
            let at = dice.below(objects(&schema));
            if let Some(object) = nth(&mut schema, &mut { at }) {
                mutation(object, &mut dice);
            }
        }
    }
    schema
}

/// How many objects a schema consists of.
fn objects(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(objects).sum::<usize>(),
        Value::Array(items) => items.iter().map(objects).sum(),
        _ => 0,
    }
}

/// The object after so many others.
fn nth<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Object> {
    match value {
        Value::Object(members) => {
            if *left == 0 {
                return Some(members);
            }
            *left -= 1;
            members.values_mut().find_map(|value| nth(value, left))
        }
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, left)),
        _ => None,
    }
}

/// Any member of an object.
fn any_key(object: &Object, dice: &mut Dice) -> Option<String> {
    object.keys().nth(dice.below(object.len())).cloned()
}

fn drop_keyword(object: &mut Object, dice: &mut Dice) {
    if let Some(key) = any_key(object, dice) {
        object.remove(&key);
    }
}

fn add_keyword(object: &mut Object, dice: &mut Dice) {
    let keyword = pick(&KEYWORDS, dice);
    let value = match keyword {
        "type" => json!(pick(&TYPES, dice)),
        "properties" | "$defs" | "definitions" => json!({name(dice): schema(dice)}),
        "required" => json!([name(dice)]),
        "anyOf" | "oneOf" | "allOf" | "prefixItems" => json!([schema(dice), schema(dice)]),
        "enum" => json!(["x", "y"]),
        "$ref" => parsed(&REFERENCES, dice),
        "items" | "additionalProperties" | "not" => schema(dice),
        "minItems" => json!(dice.below(3)),
        _ => json!("x"),
    };
    object.insert(keyword.to_owned(), value);
}

fn add_odd_value(object: &mut Object, dice: &mut Dice) {
    let keyword = pick(&KEYWORDS, dice);
    object.insert(keyword.to_owned(), parsed(&ODD, dice));
}

fn add_reference(object: &mut Object, dice: &mut Dice) {
    object.insert("$ref".to_owned(), parsed(&REFERENCES, dice));
}

fn replace_by_reference(object: &mut Object, dice: &mut Dice) {
    if let Some(key) = any_key(object, dice) {
        object.insert(key, reference(dice));
    }
}

fn wrap(object: &mut Object, dice: &mut Dice) {
    let Some(key) = any_key(object, dice) else {
        return;
    };
    let Some(value) = object.get(&key).cloned() else {
        return;
    };
    let other = schema(dice);
    let wrapped = match dice.below(12) {
        0 => json!({"anyOf": [value, other]}),
        1 => json!({"anyOf": [value], "description": "d", "default": null}),
        2 => json!({"oneOf": [value, other]}),
        3 => json!({"allOf": [value]}),
        4 => json!({"allOf": [value], "default": "x"}),
        5 => json!({"not": value}),
        6 => json!({"if": other, "then": value}),
        7 => json!({"type": "object", "properties": {"a": value}}),
        8 => json!({"type": "object", "properties": {"a": value}, "required": ["a"]}),
        9 => json!({"type": "object", "additionalProperties": value}),
        10 => json!({"patternProperties": {"^a": value}}),
        _ => json!({"propertyNames": value}),
    };
    object.insert(key, wrapped);
}

fn wrap_in_array(object: &mut Object, dice: &mut Dice) {
    let Some(key) = any_key(object, dice) else {
        return;
    };
    let Some(value) = object.get(&key).cloned() else {
        return;
    };
    let wrapped = match dice.below(6) {
        0 => json!({"type": "array", "items": value}),
        1 => json!({"type": "array", "items": {"type": "array", "items": value}}),
        2 => json!({"type": "array", "items": [value, schema(dice)]}),
        3 => json!({"type": "array", "items": [[value]]}),
        4 => json!({"type": "array", "prefixItems": [value], "items": false}),
        _ => json!([value]),
    };
    object.insert(key, wrapped);
}

/// Adds an unknown keyword, or one that Moonshot doesn't know, whose value is a schema or
/// data that looks like one.
fn add_unknown(object: &mut Object, dice: &mut Dice) {
    let keyword = pick(
        &[
            "x-order",
            "not",
            "if",
            "default",
            "const",
            "examples",
            "definitions",
            "patternProperties",
            "dependentSchemas",
            "contains",
            "unevaluatedProperties",
            "discriminator",
            "root",
            "anyOfThese",
            "$comment",
            "nullable",
        ],
        dice,
    );
    let value = match dice.below(5) {
        0 => schema(dice),
        1 => json!({name(dice): schema(dice)}),
        2 => json!([schema(dice)]),
        3 => json!({"properties": {name(dice): schema(dice)}}),
        _ => json!({"anyOf": [schema(dice)]}),
    };
    object.insert(keyword.to_owned(), value);
}

fn change_type(object: &mut Object, dice: &mut Dice) {
    let types = match dice.below(6) {
        0 => json!(pick(&TYPES, dice).to_uppercase()),
        1 => json!("any"),
        2 => json!([pick(&TYPES, dice), "null"]),
        3 => json!([pick(&TYPES, dice), pick(&TYPES, dice), pick(&TYPES, dice)]),
        4 => json!([pick(&TYPES, dice)]),
        _ => json!(pick(&TYPES, dice)),
    };
    object.insert("type".to_owned(), types);
}

fn add_enum(object: &mut Object, dice: &mut Dice) {
    let values = [
        r#"["x"]"#,
        r#"["x",null]"#,
        r#"[1,"x"]"#,
        "[1,2.0,1.5]",
        "[null,1]",
        "[null]",
        "[true]",
        "[]",
        r#"[{"a":1}]"#,
        "[[1]]",
        r#"["s",1,null,true]"#,
    ];
    object.insert("enum".to_owned(), parsed(&values, dice));
}

fn edit_array(object: &mut Object, dice: &mut Dice) {
    let arrays = object.values_mut().filter_map(Value::as_array_mut);
    for array in arrays {
        match dice.below(6) {
            0 => array.reverse(),
            1 => array.clear(),
            2 => array.truncate(1),
            3 => array.push(parsed(&ODD, dice)),
            4 => array.push(schema(dice)),
            _ => array.extend(array.first().cloned()),
        }
    }
}

/// The object under a key, which is put there if it is missing.
fn entry<'a>(object: &'a mut Object, key: &str) -> Option<&'a mut Object> {
    let value = object.entry(key).or_insert_with(|| json!({}));
    value.as_object_mut()
}

fn add_property(object: &mut Object, dice: &mut Dice) {
    if let Some(properties) = entry(object, "properties") {
        properties.insert(name(dice), schema(dice));
    }
}

fn rename_property(object: &mut Object, dice: &mut Dice) {
    if let Some(value) = any_key(object, dice).and_then(|key| object.remove(&key)) {
        object.insert(name(dice), value);
    }
}

fn edit_required(object: &mut Object, dice: &mut Dice) {
    let properties = object.get("properties").and_then(Value::as_object);
    let known = properties.into_iter().flat_map(Map::keys).cloned();
    let mut names: Vec<String> = known.filter(|_| !dice.one_in(3)).collect();
    if dice.one_in(4) {
        names.push(name(dice));
    }
    object.insert("required".to_owned(), json!(names));
}

fn nest_definitions(object: &mut Object, dice: &mut Dice) {
    let keyword = pick(&["$defs", "definitions"], dice);
    let name = pick(&["A", "B", "P/Q", "Box[int]"], dice);
    if let Some(definitions) = entry(object, keyword) {
        definitions.insert(name.to_owned(), schema(dice));
    }
}

fn write_as_zod(object: &mut Object, dice: &mut Dice) {
    write_form(object, &ZOD, dice);
}

fn write_as_pydantic(object: &mut Object, dice: &mut Dice) {
    write_form(object, &PYDANTIC, dice);
}

/// Puts a form in place of a member, or adds its keywords.
fn write_form(object: &mut Object, forms: &[&str], dice: &mut Dice) {
    let form = parsed(forms, dice);
    let replaced = any_key(object, dice).filter(|_| dice.one_in(2));
    match (replaced, form) {
        (Some(key), form) => {
            object.insert(key, form);
        }
        (None, Value::Object(members)) => object.extend(members),
        (None, _) => {}
    }
}

/// Copies or moves a member of one object to another one.
fn transplant(schema: &mut Value, dice: &mut Dice) {
    let count = objects(schema);
    let mut from = dice.below(count);
    let Some(source) = nth(schema, &mut from) else {
        return;
    };
    let Some(key) = any_key(source, dice) else {
        return;
    };
    let value = if dice.one_in(2) {
        source.remove(&key)
    } else {
        source.get(&key).cloned()
    };
    let mut to = dice.below(objects(schema));
    if let (Some(value), Some(target)) = (value, nth(schema, &mut to)) {
        target.insert(key, value);
    }
}

fn add_definition(schema: &mut Value, dice: &mut Dice) {
    if let Some(root) = schema.as_object_mut() {
        nest_definitions(root, dice);
    }
}
