//! One condition, one minimal schema, one repair.

use serde_json::{Value, json};

use super::{Place, meaning::compile, parse};

/// What comes out.
enum Form {
    /// These bytes.
    Bytes(&'static str),
    /// This value: where new members go is open.
    Value(Value),
    /// Anything that is accepted and admits the values it should.
    Sound,
}

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) schema: &'static str,
    place: Place,
    form: Form,
    admits: &'static [&'static str],
    refuses: &'static [&'static str],
}

impl Row {
    const fn new(name: &'static str, schema: &'static str, form: Form) -> Self {
        Self {
            name,
            schema,
            place: Place::Parameters,
            form,
            admits: &[],
            refuses: &[],
        }
    }

    const fn bytes(name: &'static str, schema: &'static str, out: &'static str) -> Self {
        Self::new(name, schema, Form::Bytes(out))
    }

    const fn value(name: &'static str, schema: &'static str, out: Value) -> Self {
        Self::new(name, schema, Form::Value(out))
    }

    const fn sound(name: &'static str, schema: &'static str) -> Self {
        Self::new(name, schema, Form::Sound)
    }

    const fn in_response_format(mut self) -> Self {
        self.place = Place::ResponseFormat;
        self
    }

    /// What the original admits, by any reading, and the repaired one has to.
    const fn admits(mut self, instances: &'static [&'static str]) -> Self {
        self.admits = instances;
        self
    }

    /// What neither admits: the repair is not more generous than it has to be.
    const fn refuses(mut self, instances: &'static [&'static str]) -> Self {
        self.refuses = instances;
        self
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let (text, value) = self.place.repair(self.schema)?;
        match &self.form {
            Form::Bytes(expected) if text != *expected => {
                return Err(format!("out: {text}\nnot: {expected}"));
            }
            Form::Value(expected) if without_empty_required(&value) != *expected => {
                return Err(format!("out: {text}\nnot: {expected}"));
            }
            _ => {}
        }
        if self.admits.is_empty() && self.refuses.is_empty() {
            return Ok(());
        }
        let meaning = compile(&value, None).ok_or_else(|| format!("no schema: {text}"))?;
        for instance in self.admits {
            if !meaning.is_valid(&parse(instance)) {
                return Err(format!("{instance} is no longer admitted\n out: {text}"));
            }
        }
        for instance in self.refuses {
            if meaning.is_valid(&parse(instance)) {
                return Err(format!("{instance} is admitted now\n out: {text}"));
            }
        }
        Ok(())
    }
}

/// An empty `required` says nothing.
fn without_empty_required(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if schema["required"] == json!([]) {
        if let Some(members) = schema.as_object_mut() {
            members.remove("required");
        }
    }
    schema
}

pub(crate) fn rows() -> Vec<Row> {
    [
        roots(),
        types(),
        enums(),
        keywords(),
        any_of(),
        references(),
        definitions(),
        names(),
        response_formats(),
        reported(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn roots() -> Vec<Row> {
    vec![
        Row::bytes("nothing at all", "{}", r#"{"type":"object"}"#),
        Row::value(
            "properties without a type",
            r#"{"properties":{"a":{"type":"string"}},"required":["a"]}"#,
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
        ),
        Row::value(
            "only a description",
            r#"{"description":"no arguments"}"#,
            json!({"type": "object", "description": "no arguments"}),
        ),
        Row::bytes(
            "an upper-case object",
            r#"{"type":"OBJECT","properties":{}}"#,
            r#"{"type":"object","properties":{}}"#,
        ),
        Row::sound(
            "an object or null",
            r#"{"type":["object","null"],"properties":{"a":{"type":"string"}},"required":["a"]}"#,
        )
        .admits(&[r#"{"a":"x"}"#])
        .refuses(&[r#"{"a":1}"#, "{}"]),
        Row::value(
            "an anyOf that only requires",
            r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}"#,
            json!({
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            }),
        ),
        Row::value(
            "what every branch or the parent requires",
            r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"},"c":{},"d":{}},"required":["a"],"anyOf":[{"required":["b","c"]},{"required":["d","b"]}]}"#,
            json!({
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {}, "d": {}},
                "required": ["a", "b"],
            }),
        ),
        Row::sound(
            "closed branches that differ in a property",
            r#"{"anyOf":[{"type":"object","properties":{"k":{"const":"a"},"x":{"type":"string"}},"required":["k","x"],"additionalProperties":false},{"type":"object","properties":{"k":{"const":"b"},"y":{"type":"integer"}},"required":["k"],"additionalProperties":false}]}"#,
        )
        .admits(&[r#"{"k":"a","x":"s"}"#, r#"{"k":"b"}"#, r#"{"k":"b","y":1}"#])
        .refuses(&["{}", r#"{"k":"c"}"#, r#"{"k":"b","y":"s"}"#, r#"{"k":"a","x":1}"#]),
        Row::sound(
            "open branches admit what they don't name",
            r#"{"anyOf":[{"type":"object","properties":{"x":{"type":"string"}},"required":["x"]},{"type":"object","properties":{"y":{"type":"integer"}},"required":["y"]}]}"#,
        )
        .admits(&[r#"{"x":"s"}"#, r#"{"y":1}"#, r#"{"x":"s","y":"s"}"#, r#"{"x":1,"y":1}"#]),
        Row::sound(
            "one branch is no object",
            r#"{"anyOf":[{"type":"object","properties":{"x":{"type":"string"}},"required":["x"]},{"type":"null"}]}"#,
        )
        .admits(&[r#"{"x":"s"}"#])
        .refuses(&[r#"{"x":1}"#, "{}"]),
        Row::sound(
            "a reference",
            r##"{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}}}"##,
        )
        .admits(&[r#"{"a":"x"}"#])
        .refuses(&[r#"{"a":1}"#, "{}"]),
        Row::sound(
            "a reference to a tree",
            r##"{"$ref":"#/definitions/T","definitions":{"T":{"type":"object","properties":{"v":{"type":"string"},"next":{"$ref":"#/definitions/T"}},"required":["v"]}}}"##,
        )
        .admits(&[r#"{"v":"x","next":{"v":"y","next":{"v":"z"}}}"#])
        .refuses(&[r#"{"next":{"v":"y"}}"#, r#"{"v":"x","next":{"v":1}}"#]),
        Row::sound(
            "branches that are references",
            r##"{"anyOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}],"$defs":{"A":{"type":"object","properties":{"k":{"type":"string"}},"required":["k"]},"B":{"type":"object","properties":{"k":{"type":"integer"}},"required":["k"]}}}"##,
        )
        .admits(&[r#"{"k":"x"}"#, r#"{"k":1}"#])
        .refuses(&[r#"{"k":true}"#, "{}"]),
    ]
}

fn types() -> Vec<Row> {
    vec![
        Row::bytes(
            "upper-case",
            r#"{"type":"object","properties":{"a":{"type":"STRING"}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
        ),
        Row::bytes(
            "unknown",
            r#"{"type":"object","properties":{"a":{"type":"any"}}}"#,
            r#"{"type":"object","properties":{"a":{}}}"#,
        ),
        Row::bytes(
            "unknown, beside what stays",
            r#"{"type":"object","properties":{"a":{"type":"any","description":"d"}}}"#,
            r#"{"type":"object","properties":{"a":{"description":"d"}}}"#,
        ),
        Row::bytes(
            "null for a type",
            r#"{"type":"object","properties":{"a":{"type":null}}}"#,
            r#"{"type":"object","properties":{"a":{}}}"#,
        ),
        Row::sound(
            "an empty list of types",
            r#"{"type":"object","properties":{"a":{"type":[]}}}"#,
        ),
        Row::sound(
            "upper-case in a list",
            r#"{"type":"object","properties":{"a":{"type":["String","NULL"]}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#, r#"{"a":null}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "a list with a default",
            r#"{"type":"object","properties":{"a":{"type":["string","null"],"default":null}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#, r#"{"a":null}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "a list with a constraint of one of its types",
            r#"{"type":"object","properties":{"a":{"type":["string","null"],"minLength":1}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#, r#"{"a":null}"#])
        .refuses(&[r#"{"a":1}"#, r#"{"a":""}"#]),
        Row::sound(
            "a list with items",
            r#"{"type":"object","properties":{"a":{"type":["array","null"],"items":{"type":"string"}}}}"#,
        )
        .admits(&[r#"{"a":["x"]}"#, r#"{"a":null}"#])
        .refuses(&[r#"{"a":[1]}"#, r#"{"a":"x"}"#]),
        Row::sound(
            "a list with properties",
            r#"{"type":"object","properties":{"a":{"type":["object","null"],"properties":{"b":{"type":"string"}},"required":["b"],"additionalProperties":false}}}"#,
        )
        .admits(&[r#"{"a":{"b":"x"}}"#, r#"{"a":null}"#])
        .refuses(&[r#"{"a":{}}"#, r#"{"a":{"b":"x","c":1}}"#, r#"{"a":1}"#]),
        Row::sound(
            "a list with constraints of both types",
            r#"{"type":"object","properties":{"a":{"type":["string","integer"],"minLength":2,"minimum":5}}}"#,
        )
        .admits(&[r#"{"a":"xy"}"#, r#"{"a":5}"#])
        .refuses(&[r#"{"a":"x"}"#, r#"{"a":4}"#, r#"{"a":null}"#]),
        Row::sound(
            "a list beside an anyOf",
            r#"{"type":"object","properties":{"a":{"type":["string","integer"],"anyOf":[{"minLength":2},{"minimum":5}]}}}"#,
        )
        .admits(&[r#"{"a":"xy"}"#, r#"{"a":"x"}"#, r#"{"a":5}"#, r#"{"a":1}"#])
        .refuses(&[r#"{"a":null}"#]),
        Row::bytes(
            "a list and nothing else is fine",
            r#"{"properties":{"a":{"type":["string","null"],"description":"d","title":"t"}},"type":"object"}"#,
            r#"{"properties":{"a":{"type":["string","null"],"description":"d","title":"t"}},"type":"object"}"#,
        ),
    ]
}

fn enums() -> Vec<Row> {
    vec![
        Row::value(
            "strings without a type",
            r#"{"type":"object","properties":{"a":{"enum":["x","y"]}}}"#,
            json!({"type": "object", "properties": {"a": {"type": "string", "enum": ["x", "y"]}}}),
        ),
        Row::value(
            "booleans without a type",
            r#"{"type":"object","properties":{"a":{"enum":[true]}}}"#,
            json!({"type": "object", "properties": {"a": {"type": "boolean", "enum": [true]}}}),
        ),
        Row::value(
            "numbers without a type",
            r#"{"type":"object","properties":{"a":{"enum":[1,2.5]}}}"#,
            json!({"type": "object", "properties": {"a": {"type": "number", "enum": [1, 2.5]}}}),
        ),
        Row::sound(
            "whole numbers without a type",
            r#"{"type":"object","properties":{"a":{"enum":[1,2]}}}"#,
        )
        .admits(&[r#"{"a":1}"#, r#"{"a":2.0}"#])
        .refuses(&[r#"{"a":3}"#, r#"{"a":"1"}"#]),
        Row::sound(
            "strings and null without a type",
            r#"{"type":"object","properties":{"a":{"enum":["x",null]}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#, r#"{"a":null}"#])
        .refuses(&[r#"{"a":"y"}"#]),
        Row::sound(
            "values of all types without a type",
            r#"{"type":"object","properties":{"a":{"enum":["x",1,2.5,true,null,[1],{"b":"c"}]}}}"#,
        )
        .admits(&[
            r#"{"a":"x"}"#,
            r#"{"a":1}"#,
            r#"{"a":2.5}"#,
            r#"{"a":true}"#,
            r#"{"a":null}"#,
            r#"{"a":[1]}"#,
            r#"{"a":{"b":"c"}}"#,
        ])
        .refuses(&[r#"{"a":"y"}"#, r#"{"a":false}"#, r#"{"a":[]}"#, r#"{"a":{}}"#]),
        Row::bytes(
            "a value that is not of the type",
            r#"{"type":"object","properties":{"a":{"type":"string","enum":["x",1]}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string","enum":["x"]}}}"#,
        ),
        Row::sound(
            "null that is not of the type",
            r#"{"type":"object","properties":{"a":{"type":"string","enum":["x",null]}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#])
        .refuses(&[r#"{"a":"y"}"#]),
        Row::sound(
            "two types and values of both",
            r#"{"type":"object","properties":{"a":{"type":["string","integer"],"enum":["x",1]}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#, r#"{"a":1}"#])
        .refuses(&[r#"{"a":"y"}"#, r#"{"a":2}"#]),
        Row::sound(
            "three types and values of all",
            r#"{"type":"object","properties":{"a":{"type":["string","integer","null"],"enum":["x",1,null]}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#, r#"{"a":1}"#, r#"{"a":null}"#])
        .refuses(&[r#"{"a":"y"}"#, r#"{"a":2}"#]),
        Row::sound(
            "an object or null among values",
            r#"{"type":"object","properties":{"a":{"type":["object","null"],"enum":[{"b":1},null]}}}"#,
        )
        .admits(&[r#"{"a":{"b":1}}"#, r#"{"a":null}"#])
        .refuses(&[r#"{"a":{}}"#]),
        Row::sound(
            "no values",
            r#"{"type":"object","properties":{"a":{"type":"string","enum":[]}}}"#,
        ),
        Row::sound(
            "no value of the type",
            r#"{"type":"object","properties":{"a":{"type":"string","enum":[1]}}}"#,
        ),
        Row::sound(
            "values that are no array",
            r#"{"type":"object","properties":{"a":{"type":"string","enum":"x"}}}"#,
        )
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "a fraction among integers",
            r#"{"type":"object","properties":{"a":{"type":"integer","enum":[1,1.5]}}}"#,
        )
        .admits(&[r#"{"a":1}"#])
        .refuses(&[r#"{"a":2}"#]),
    ]
}

fn keywords() -> Vec<Row> {
    vec![
        Row::bytes(
            "true for a property",
            r#"{"type":"object","properties":{"a":true}}"#,
            r#"{"type":"object","properties":{"a":{}}}"#,
        ),
        Row::bytes(
            "false for a property",
            r#"{"type":"object","properties":{"a":false,"b":{}}}"#,
            r#"{"type":"object","properties":{"b":{}}}"#,
        ),
        Row::sound(
            "false for a property beside a pattern for others",
            r#"{"type":"object","properties":{"a":false,"b":{}},"additionalProperties":{"type":"string"}}"#,
        )
        .admits(&[r#"{"b":1,"c":"x"}"#])
        .refuses(&[r#"{"c":1}"#]),
        Row::bytes(
            "true for items",
            r#"{"type":"object","properties":{"a":{"type":"array","items":true}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"array","items":{}}}}"#,
        ),
        Row::sound(
            "a tuple",
            r#"{"type":"object","properties":{"a":{"type":"array","items":[{"type":"string"},{"type":"integer"}],"minItems":2,"maxItems":2}}}"#,
        )
        .admits(&[r#"{"a":["x",1]}"#])
        .refuses(&[r#"{"a":[true,null]}"#, r#"{"a":["x"]}"#, r#"{"a":["x",1,1]}"#]),
        Row::sound(
            "an open tuple goes on with anything",
            r#"{"type":"object","properties":{"a":{"type":"array","items":[{"type":"string"}]}}}"#,
        )
        .admits(&[r#"{"a":["x"]}"#, r#"{"a":[]}"#]),
        Row::sound(
            "a tuple of positions and nothing behind",
            r#"{"type":"object","properties":{"a":{"type":"array","prefixItems":[{"type":"string"}],"items":false}}}"#,
        )
        .admits(&[r#"{"a":["x"]}"#, r#"{"a":[]}"#])
        .refuses(&[r#"{"a":[1]}"#]),
        Row::sound(
            "no items allowed",
            r#"{"type":"object","properties":{"a":{"type":"array","items":false}}}"#,
        )
        .admits(&[r#"{"a":[]}"#]),
        Row::bytes(
            "required is null",
            r#"{"type":"object","properties":{},"required":null}"#,
            r#"{"type":"object","properties":{}}"#,
        ),
        Row::bytes(
            "required is a boolean, as it was in draft 3",
            r#"{"type":"object","properties":{"a":{"type":"string","required":true}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
        ),
        Row::bytes(
            "something other than a string is required",
            r#"{"type":"object","properties":{"a":{}},"required":[1,"a"]}"#,
            r#"{"type":"object","properties":{"a":{}},"required":["a"]}"#,
        ),
        Row::sound(
            "a property that is not there is required",
            r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a","b"]}"#,
        )
        .admits(&[r#"{"a":"x","b":1}"#])
        .refuses(&[r#"{"b":1}"#, r#"{"a":1,"b":1}"#]),
        Row::sound(
            "something is required where there are no properties",
            r#"{"type":"object","required":["b"]}"#,
        )
        .admits(&[r#"{"b":1}"#, r#"{"b":"x","c":1}"#]),
        Row::sound(
            "a required property is typed by additionalProperties only",
            r#"{"type":"object","required":["b"],"additionalProperties":{"type":"integer"}}"#,
        )
        .admits(&[r#"{"b":1}"#])
        .refuses(&[r#"{"b":"x"}"#]),
        Row::sound("properties are null", r#"{"type":"object","properties":null}"#)
            .admits(&["{}", r#"{"b":1}"#]),
        Row::sound("properties are a list", r#"{"type":"object","properties":[]}"#)
            .admits(&["{}", r#"{"b":1}"#]),
        Row::sound(
            "additionalProperties is null",
            r#"{"type":"object","additionalProperties":null}"#,
        )
        .admits(&["{}", r#"{"b":1}"#]),
        Row::bytes(
            "a description is null",
            r#"{"type":"object","properties":{"a":{"type":"string","description":null}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
        ),
        Row::sound(
            "a description is a number",
            r#"{"type":"object","properties":{"a":{"type":"string","description":1}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::bytes(
            "a pattern is a number",
            r#"{"type":"object","properties":{"a":{"pattern":1,"type":"string"}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
        ),
        Row::bytes(
            "an id is a number",
            r#"{"$id":1,"type":"object"}"#,
            r#"{"type":"object"}"#,
        ),
        Row::bytes(
            "everything that is fine stays as it is",
            r#"{"type":"object","properties":{"a":true,"b":{"not":{"type":"any"},"oneOf":[true],"if":true,"x-y":null,"nullable":true,"title":1,"minLength":-1}}}"#,
            r#"{"type":"object","properties":{"a":{},"b":{"not":{"type":"any"},"oneOf":[true],"if":true,"x-y":null,"nullable":true,"title":1,"minLength":-1}}}"#,
        ),
        Row::bytes(
            "what only looks like a schema is data",
            r#"{"type":"object","properties":{"a":true,"b":{"type":"object","default":{"type":"any","required":null},"examples":[{"items":true,"$ref":"x"}],"const":{"enum":[]}}}}"#,
            r#"{"type":"object","properties":{"a":{},"b":{"type":"object","default":{"type":"any","required":null},"examples":[{"items":true,"$ref":"x"}],"const":{"enum":[]}}}}"#,
        ),
    ]
}

fn any_of() -> Vec<Row> {
    vec![
        Row::value(
            "a type beside branches without one",
            r#"{"type":"object","properties":{"a":{"type":"string","anyOf":[{"const":"x"},{"enum":["y"]}]}}}"#,
            json!({"type": "object", "properties": {"a": {"anyOf": [
                {"type": "string", "const": "x"},
                {"type": "string", "enum": ["y"]},
            ]}}}),
        ),
        Row::value(
            "a type beside a branch with one",
            r#"{"type":"object","properties":{"a":{"type":"string","anyOf":[{"type":"string","minLength":2},{"pattern":"^a"}]}}}"#,
            json!({"type": "object", "properties": {"a": {"anyOf": [
                {"type": "string", "minLength": 2},
                {"type": "string", "pattern": "^a"},
            ]}}}),
        ),
        Row::bytes(
            "true for a branch",
            r#"{"type":"object","properties":{"a":{"anyOf":[true,{"type":"null"}]}}}"#,
            r#"{"type":"object","properties":{"a":{"anyOf":[{},{"type":"null"}]}}}"#,
        ),
        Row::sound(
            "false for a branch",
            r#"{"type":"object","properties":{"a":{"anyOf":[false,{"type":"null"}]}}}"#,
        )
        .admits(&[r#"{"a":null}"#]),
        Row::sound(
            "no branches",
            r#"{"type":"object","properties":{"a":{"anyOf":[],"description":"d"}}}"#,
        ),
        Row::sound(
            "branches that are no array",
            r#"{"type":"object","properties":{"a":{"anyOf":{"type":"string"},"description":"d"}}}"#,
        ),
        Row::sound(
            "a default on both sides",
            r#"{"type":"object","properties":{"a":{"default":null,"anyOf":[{"type":"string","default":"x"},{"type":"null"}]}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#, r#"{"a":null}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "a constraint on both sides",
            r#"{"type":"object","properties":{"a":{"minLength":1,"anyOf":[{"type":"string","minLength":3},{"type":"null"}]}}}"#,
        )
        .admits(&[r#"{"a":"xyz"}"#, r#"{"a":null}"#])
        .refuses(&[r#"{"a":""}"#, r#"{"a":1}"#]),
        Row::sound(
            "properties on both sides",
            r#"{"type":"object","properties":{"a":{"properties":{"x":{"type":"string"}},"anyOf":[{"type":"object","properties":{"y":{"type":"string"}}}]}}}"#,
        )
        .admits(&[r#"{"a":{"x":"s","y":"s"}}"#, r#"{"a":{}}"#])
        .refuses(&[r#"{"a":{"y":1}}"#, r#"{"a":1}"#]),
        Row::sound(
            "branches that require what the parent defines",
            r#"{"type":"object","properties":{"a":{"type":"object","properties":{"x":{"type":"string"},"y":{"type":"string"}},"anyOf":[{"required":["x"]},{"required":["y"]}]}}}"#,
        )
        .admits(&[r#"{"a":{"x":"s"}}"#, r#"{"a":{"y":"s"}}"#])
        .refuses(&[r#"{"a":{}}"#, r#"{"a":{"x":1}}"#, r#"{"a":1}"#]),
        Row::sound(
            "an enum beside branches",
            r#"{"type":"object","properties":{"a":{"enum":["x"],"anyOf":[{"type":"string"},{"type":"null"}]}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "a closed object beside branches with properties",
            r#"{"type":"object","properties":{"a":{"type":"object","properties":{"x":{}},"additionalProperties":false,"anyOf":[{"properties":{"x":{"type":"string"}}},{"properties":{"x":{"type":"null"}}}]}}}"#,
        )
        .admits(&[r#"{"a":{"x":"s"}}"#, r#"{"a":{"x":null}}"#, r#"{"a":{}}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "branches within branches",
            r#"{"type":"object","properties":{"a":{"type":"string","anyOf":[{"anyOf":[{"const":"x"},{"const":"y"}]},{"minLength":3}]}}}"#,
        )
        .admits(&[r#"{"a":"x"}"#, r#"{"a":"y"}"#, r#"{"a":"abc"}"#])
        .refuses(&[r#"{"a":"z"}"#, r#"{"a":1}"#]),
    ]
}

fn references() -> Vec<Row> {
    vec![
        Row::bytes(
            "into a key that stands once more, of which the last counts",
            r##"{"type":"object","properties":{"a":{"$ref":"#A"}},"$defs":{"A":{"$anchor":"A","type":"string"}},"$defs":{}}"##,
            r##"{"type":"object","properties":{"a":{}},"$defs":{}}"##,
        ),
        Row::bytes(
            "into the definitions of old",
            r##"{"type":"object","properties":{"a":{"$ref":"#/definitions/A"}},"definitions":{"A":{"type":"string"}}}"##,
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"string"}}}"##,
        ),
        Row::value(
            "into the definitions of old, also from where Moonshot doesn't look",
            r##"{"type":"object","properties":{"a":{"allOf":[{"$ref":"#/definitions/A"}]},"b":{"$ref":"#/definitions/A"}},"definitions":{"A":{"type":"string"}},"not":{"$ref":"#/definitions/A"}}"##,
            json!({
                "type": "object",
                "properties": {
                    "a": {"allOf": [{"$ref": "#/$defs/A"}]},
                    "b": {"$ref": "#/$defs/A"},
                },
                "$defs": {"A": {"type": "string"}},
                "not": {"$ref": "#/$defs/A"},
            }),
        ),
        Row::bytes(
            "into the definitions of old from nowhere that Moonshot looks",
            r##"{"type":"object","properties":{"a":{"allOf":[{"$ref":"#/definitions/A"}]}},"definitions":{"A":{"type":"any"}}}"##,
            r##"{"type":"object","properties":{"a":{"allOf":[{"$ref":"#/definitions/A"}]}},"definitions":{"A":{"type":"any"}}}"##,
        ),
        Row::sound(
            "into both kinds of definitions, with one name for two things",
            r##"{"type":"object","properties":{"a":{"$ref":"#/definitions/A"},"b":{"$ref":"#/$defs/A"}},"definitions":{"A":{"type":"string"}},"$defs":{"A":{"type":"integer"}}}"##,
        )
        .admits(&[r#"{"a":"x","b":1}"#])
        .refuses(&[r#"{"a":1}"#, r#"{"b":"x"}"#]),
        Row::bytes(
            "to nothing",
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}"##,
            r#"{"type":"object","properties":{"a":{}}}"#,
        ),
        Row::bytes(
            "to elsewhere",
            r#"{"type":"object","properties":{"b":{"$ref":"http://x/y.json"}}}"#,
            r#"{"type":"object","properties":{"b":{}}}"#,
        ),
        Row::value(
            "to elsewhere, described",
            r#"{"type":"object","properties":{"b":{"description":"d","$ref":"http://x/y.json"}}}"#,
            json!({"type": "object", "properties": {"b": {"description": "d"}}}),
        ),
        Row::bytes(
            "to a property",
            r##"{"type":"object","properties":{"a":{"type":"string","minLength":1.0},"b":{"$ref":"#/properties/a"}}}"##,
            r##"{"type":"object","properties":{"a":{"type":"string","minLength":1.0},"b":{"type":"string","minLength":1.0}}}"##,
        ),
        Row::sound(
            "to a property that holds it",
            r##"{"type":"object","properties":{"a":{"type":"object","properties":{"v":{"type":"string"},"a":{"$ref":"#/properties/a"}},"required":["v"]}}}"##,
        )
        .admits(&[r#"{"a":{"v":"x","a":{"v":"y","a":{"v":"z"}}}}"#])
        .refuses(&[r#"{"a":{}}"#]),
        Row::sound(
            "to itself",
            r##"{"type":"object","properties":{"a":{"$ref":"#/properties/a"}}}"##,
        ),
        Row::bytes(
            "beside its type",
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A","type":"string"}},"$defs":{"A":{"type":"string"}}}"##,
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"string"}}}"##,
        ),
        Row::sound(
            "beside a default that its target has too",
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A","default":"x"}},"$defs":{"A":{"type":"string","default":"y"}}}"##,
        )
        .admits(&[r#"{"a":"z"}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "beside branches",
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A","anyOf":[{"type":"string","minLength":1}]}},"$defs":{"A":{"type":"string"}}}"##,
        )
        .admits(&[r#"{"a":"z"}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "that is a number",
            r#"{"type":"object","properties":{"a":{"$ref":5,"type":"string"}}}"#,
        )
        .admits(&[r#"{"a":"z"}"#]),
        Row::sound(
            "that demands itself without end",
            r##"{"type":"object","properties":{"c":{"$ref":"#/$defs/A"}},"required":["c"],"$defs":{"A":{"type":"object","properties":{"n":{"$ref":"#/$defs/A"}},"required":["n"]}}}"##,
        )
        .refuses(&["{}"]),
        Row::sound(
            "that demands a definition without a type",
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"],"$defs":{"A":{"oneOf":[{"type":"string"},{"type":"null"}]}}}"##,
        )
        .admits(&[r#"{"a":"x"}"#, r#"{"a":null}"#])
        .refuses(&["{}"]),
        Row::sound(
            "into an item of a list",
            r##"{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"integer"}]},"b":{"$ref":"#/properties/a/anyOf/1"}}}"##,
        )
        .admits(&[r#"{"b":1}"#])
        .refuses(&[r#"{"b":"x"}"#]),
        Row::sound(
            "with escapes",
            r##"{"type":"object","properties":{"x/y":{"type":"string"},"a~b":{"type":"integer"},"c d":{"type":"null"},"p":{"$ref":"#/properties/x~1y"},"q":{"$ref":"#/properties/a~0b"},"r":{"$ref":"#/properties/c%20d"}}}"##,
        )
        .admits(&[r#"{"p":"x","q":1,"r":null}"#])
        .refuses(&[r#"{"p":1}"#, r#"{"q":"x"}"#, r#"{"r":1}"#]),
        Row::sound(
            "to the root, from a branch of a root that is merged",
            r##"{"anyOf":[{"type":"object","properties":{"c":{"type":"array","items":{"$ref":"#"}}},"required":["c"]}]}"##,
        )
        .admits(&[r#"{"c":[{"c":[]}]}"#]),
    ]
}

fn definitions() -> Vec<Row> {
    vec![
        Row::sound(
            "further in",
            r##"{"type":"object","properties":{"a":{"type":"object","$defs":{"A":{"type":"string"}},"properties":{"b":{"$ref":"#/$defs/A"}}}}}"##,
        )
        .admits(&[r#"{"a":{"b":"x"}}"#]),
        Row::sound(
            "further in, with a reference that says so",
            r##"{"type":"object","properties":{"a":{"type":"object","$defs":{"A":{"type":"string"}},"properties":{"b":{"$ref":"#/properties/a/$defs/A"}}}}}"##,
        )
        .admits(&[r#"{"a":{"b":"x"}}"#])
        .refuses(&[r#"{"a":{"b":1}}"#]),
        Row::sound(
            "further in, with a name that the root has too",
            r##"{"type":"object","$defs":{"A":{"type":"integer"}},"properties":{"c":{"$ref":"#/$defs/A"},"a":{"type":"object","$defs":{"A":{"type":"string"}},"properties":{"b":{"$ref":"#/properties/a/$defs/A"}}}}}"##,
        )
        .admits(&[r#"{"a":{"b":"x"},"c":1}"#])
        .refuses(&[r#"{"a":{"b":1}}"#, r#"{"c":"x"}"#]),
        Row::sound(
            "with a slash in the name, unused",
            r#"{"type":"object","properties":{"a":{"type":"string"}},"$defs":{"A/B":{"type":"string"}}}"#,
        )
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "with a slash in the name",
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A~1B"}},"$defs":{"A/B":{"type":"string"}}}"##,
        )
        .admits(&[r#"{"a":"x"}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "with brackets in the name",
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/Box%5Bint%5D"}},"$defs":{"Box[int]":{"type":"integer"}}}"##,
        )
        .admits(&[r#"{"a":1}"#])
        .refuses(&[r#"{"a":"x"}"#]),
        Row::sound(
            "with a slash in a property's name",
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","properties":{"x/y":{"type":"string"}},"required":["x/y"],"additionalProperties":false}}}"##,
        )
        .admits(&[r#"{"a":{"x/y":"s"}}"#]),
        Row::bytes(
            "unused, with a reference to nothing",
            r##"{"type":"object","properties":{"a":{"type":"string"}},"$defs":{"A":{"$ref":"#/$defs/Z"}}}"##,
            r#"{"type":"object","properties":{"a":{"type":"string"}},"$defs":{"A":{}}}"#,
        ),
        Row::bytes(
            "true for a definition",
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":true}}"##,
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{}}}"##,
        ),
        Row::sound(
            "that are a list",
            r#"{"type":"object","properties":{"a":{"type":"string"}},"$defs":[]}"#,
        )
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "widened where a negation refers to them",
            r##"{"type":"object","properties":{"a":{"not":{"$ref":"#/$defs/A"}},"b":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","properties":{"anyOf":{"type":"string"}},"required":["anyOf"]}}}"##,
        )
        .admits(&[r#"{"a":{}}"#, r#"{"a":{"anyOf":1}}"#, r#"{"b":{"anyOf":"x"}}"#]),
        Row::sound(
            "widened where exactly one branch may fit",
            r##"{"type":"object","properties":{"a":{"oneOf":[{"$ref":"#/$defs/A"},{"type":"object","required":["z"]}]}},"$defs":{"A":{"type":"object","properties":{"required":{"type":"string"}},"required":["required"]}}}"##,
        )
        .admits(&[r#"{"a":{"required":"x"}}"#, r#"{"a":{"z":1}}"#]),
    ]
}

fn names() -> Vec<Row> {
    vec![
        Row::value(
            "a reserved one",
            r#"{"type":"object","properties":{"required":{"type":"boolean"},"a":{}}}"#,
            json!({"type": "object", "properties": {"a": {}}}),
        ),
        Row::sound(
            "a reserved one in a closed object",
            r#"{"type":"object","properties":{"anyOf":{"type":"string"},"a":{"type":"string"}},"additionalProperties":false}"#,
        )
        .admits(&[r#"{"anyOf":"x","a":"y"}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::sound(
            "a reserved one beside a type for the rest",
            r#"{"type":"object","properties":{"$ref":{"type":"integer"}},"additionalProperties":{"type":"string"}}"#,
        )
        .admits(&[r#"{"$ref":1}"#, r#"{"$ref":1,"b":"x"}"#]),
        Row::sound(
            "a reserved one that is required",
            r#"{"type":"object","properties":{"$ref":{"type":"string"},"a":{}},"required":["$ref","a"]}"#,
        )
        .admits(&[r#"{"$ref":"x","a":1}"#])
        .refuses(&[r#"{"$ref":"x"}"#]),
        Row::bytes(
            "keywords that are names, in a schema with something to repair",
            r#"{"type":"object","properties":{"type":{"type":"string"},"properties":{"type":"string"},"items":{"type":"string"},"enum":{"type":"string"},"definitions":{"type":"string"},"a":true}}"#,
            r#"{"type":"object","properties":{"type":{"type":"string"},"properties":{"type":"string"},"items":{"type":"string"},"enum":{"type":"string"},"definitions":{"type":"string"},"a":{}}}"#,
        ),
    ]
}

fn response_formats() -> Vec<Row> {
    vec![
        Row::bytes(
            "$schema goes",
            r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}"#,
            r#"{"type":"object"}"#,
        )
        .in_response_format(),
        Row::bytes(
            "$schema goes from the end",
            r#"{"type":"object","properties":{"a":{}},"$schema":"https://json-schema.org/draft/2020-12/schema"}"#,
            r#"{"type":"object","properties":{"a":{}}}"#,
        )
        .in_response_format(),
        Row::bytes(
            "a root may be a choice",
            r#"{"anyOf":[{"type":"object","properties":{"a":true}},{"type":"array","items":{}}]}"#,
            r#"{"anyOf":[{"type":"object","properties":{"a":{}}},{"type":"array","items":{}}]}"#,
        )
        .in_response_format(),
        Row::bytes(
            "a root may be a reference",
            r##"{"$ref":"#/definitions/A","definitions":{"A":{"type":"string"}}}"##,
            r##"{"$ref":"#/$defs/A","$defs":{"A":{"type":"string"}}}"##,
        )
        .in_response_format(),
        Row::bytes(
            "a root may be an array",
            r#"{"type":"array","items":true}"#,
            r#"{"type":"array","items":{}}"#,
        )
        .in_response_format(),
        Row::bytes(
            "a root needs no type",
            r#"{"properties":{"a":true}}"#,
            r#"{"properties":{"a":{}}}"#,
        )
        .in_response_format(),
    ]
}

/// What real clients sent, and what was found by looking at what came out.
fn reported() -> Vec<Row> {
    vec![
        Row::bytes(
            "zod 4: a tuple, and references to the root",
            r##"{"type":"object","properties":{"at":{"type":"array","items":[{"type":"number"},{"type":"number"}]},"g":{"allOf":[{"$ref":"#"}]},"p":{"$ref":"#"}}}"##,
            r##"{"type":"object","properties":{"at":{"type":"array","items":{"anyOf":[{"type":"number"},{}]}},"g":{"allOf":[{"$ref":"#"}]},"p":{"$ref":"#"}}}"##,
        )
        .admits(&[r#"{"at":[1,2],"p":{"at":[1]}}"#]),
        Row::bytes(
            "zod 4: definitions that only oneOf refers to, which refer to themselves",
            r##"{"type":"object","properties":{"x":{"oneOf":[{"$ref":"#/definitions/A"}]}},"definitions":{"A":{"properties":{"b":{"$ref":"#/definitions/A"}}}}}"##,
            r##"{"type":"object","properties":{"x":{"oneOf":[{"$ref":"#/$defs/A"}]}},"$defs":{"A":{"properties":{"b":{"$ref":"#/$defs/A"}}}}}"##,
        ),
        Row::bytes(
            "values keep their order",
            r#"{"type":"object","properties":{"a":{"enum":["s",1]},"b":{"enum":[null,"x",2.5,1]}}}"#,
            r#"{"type":"object","properties":{"a":{"anyOf":[{"type":"string","enum":["s"]},{"type":"integer","enum":[1]}]},"b":{"anyOf":[{"type":"null"},{"type":"string","enum":["x"]},{"type":"number","enum":[2.5,1]}]}}}"#,
        ),
        Row::bytes(
            "types keep their order",
            r#"{"type":"object","properties":{"a":{"type":["null","string"],"maxLength":5}}}"#,
            r#"{"type":"object","properties":{"a":{"anyOf":[{"type":"null"},{"type":"string","maxLength":5}]}}}"#,
        ),
        Row::bytes(
            "required keeps its order",
            r#"{"type":"object","required":["z","b","a"],"properties":{"b":{}}}"#,
            r#"{"type":"object","required":["z","b","a"],"properties":{"b":{},"z":{},"a":{}}}"#,
        ),
        Row::bytes(
            "a tuple of one form and nothing else",
            r#"{"type":"object","properties":{"a":{"items":[{"type":"number"},{"type":"number"}],"additionalItems":false}}}"#,
            r#"{"type":"object","properties":{"a":{"items":{"type":"number"},"maxItems":2}}}"#,
        ),
        Row::bytes(
            "null is looked for before numbers",
            r#"{"type":"object","properties":{"a":{"type":["integer","null"],"enum":[1,null]}}}"#,
            r#"{"type":"object","properties":{"a":{"type":["null","integer"],"enum":[1,null]}}}"#,
        ),
        Row::bytes(
            "a discriminator follows its definitions",
            r##"{"type":"object","properties":{"pet":{"oneOf":[{"$ref":"#/definitions/Cat"}],"discriminator":{"propertyName":"k","mapping":{"c":"#/definitions/Cat","d":"Dog"}}},"x":{"$ref":"#/definitions/Cat"}},"definitions":{"Cat":{"type":"object"}}}"##,
            r##"{"type":"object","properties":{"pet":{"oneOf":[{"$ref":"#/$defs/Cat"}],"discriminator":{"propertyName":"k","mapping":{"c":"#/$defs/Cat","d":"Dog"}}},"x":{"$ref":"#/$defs/Cat"}},"$defs":{"Cat":{"type":"object"}}}"##,
        ),
        Row::bytes(
            "no type is added beside oneOf where another required property has an end",
            r##"{"type":"object","properties":{"name":{"type":"string"},"kind":{"$ref":"#/$defs/K"},"v":true},"required":["name","kind"],"$defs":{"K":{"oneOf":[{"type":"object"},{"type":"object","title":"B"}]}}}"##,
            r##"{"type":"object","properties":{"name":{"type":"string"},"kind":{"$ref":"#/$defs/K"},"v":{}},"required":["name","kind"],"$defs":{"K":{"oneOf":[{"type":"object"},{"type":"object","title":"B"}]}}}"##,
        ),
        Row::bytes(
            "an enum that is no array excludes nothing",
            r#"{"type":"object","properties":{"a":true},"oneOf":[{"enum":"x"}]}"#,
            r#"{"type":"object","properties":{"a":{}},"oneOf":[{"enum":"x"}]}"#,
        ),
        Row::bytes(
            "what draft 7 ignores beside a reference does not count once that is removed",
            r##"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"$ref":"#/definitions/No","additionalProperties":false,"title":"T"}}}"##,
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"title":"T"}}}"#,
        )
        .admits(&[r#"{"a":{"b":1}}"#]),
        Row::bytes(
            "what draft 7 ignores at a root that is a reference",
            r##"{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/A","additionalProperties":false,"definitions":{"A":{"type":"object","properties":{"b":{"type":"string"}}}}}"##,
            r##"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","$defs":{"A":{"type":"object","properties":{"b":{"type":"string"}}}},"properties":{"b":{"type":"string"}}}"##,
        )
        .admits(&[r#"{"c":1}"#]),
        Row::bytes(
            "an array of the root that the root requires",
            r##"{"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#"}}},"required":["children"]}"##,
            r#"{"type":"object","properties":{"children":{"type":"array","items":{}}},"required":["children"]}"#,
        )
        .admits(&[r#"{"children":[{"children":[]}]}"#]),
        Row::bytes(
            "a reference that is met in not",
            r##"{"type":"object","properties":{"a":{"not":{"$ref":"#/$defs/A"}}},"$defs":{"A":{"type":"string"}}}"##,
            r##"{"type":"object","properties":{"a":{"not":{"allOf":[{"$ref":"#/$defs/A"}]}}},"$defs":{"A":{"type":"string"}}}"##,
        )
        .admits(&[r#"{"a":1}"#])
        .refuses(&[r#"{"a":"x"}"#]),
        Row::bytes(
            "a reference that is met under a pattern",
            r##"{"type":"object","patternProperties":{"^a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"string"}}}"##,
            r##"{"type":"object","patternProperties":{"^a":{"allOf":[{"$ref":"#/$defs/A"}]}},"$defs":{"A":{"type":"string"}}}"##,
        )
        .admits(&[r#"{"a":"x"}"#])
        .refuses(&[r#"{"a":1}"#]),
        Row::bytes(
            "data with a key like a reference",
            r#"{"type":"object","properties":{"a":{"type":"string","default":{"$ref":"x"}},"c":{"const":{"$ref":"y"}},"e":{"examples":[{"$ref":"z"}]}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"},"c":{"allOf":[{"const":{"$ref":"y"}}]},"e":{"examples":[{"$ref":"z"}]}}}"#,
        )
        .admits(&[r#"{"c":{"$ref":"y"}}"#])
        .refuses(&[r#"{"c":1}"#]),
        Row::bytes(
            "a map with a name like a reference",
            r#"{"type":"object","properties":{"a":{"dependentRequired":{"$ref":["b"]},"title":"A"}}}"#,
            r#"{"type":"object","properties":{"a":{"title":"A","allOf":[{"dependentRequired":{"$ref":["b"]}}]}}}"#,
        ),
        Row::bytes(
            "a reference into a definition",
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A/properties/x"},"b":true},"$defs":{"A":{"properties":{"x":{"type":"string"}}}}}"##,
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A/properties/x"},"b":{}},"$defs":{"A":{"properties":{"x":{"type":"string"}}}}}"##,
        ),
        Row::bytes(
            "a name with braces, in which nothing is found",
            r#"{"type":"object","properties":{"{id}":{"type":"string","enum":["x"],"title":"T"}}}"#,
            r#"{"type":"object","properties":{"{id}":{"type":"string","title":"T","allOf":[{"enum":["x"]}]}}}"#,
        )
        .admits(&[r#"{"{id}":"x"}"#])
        .refuses(&[r#"{"{id}":"y"}"#]),
        Row::bytes(
            "a oneOf of what admits more now",
            r##"{"type":"object","properties":{"a":{"oneOf":[{"$ref":"#/$defs/A"},{"type":"object","required":["z"]}]},"b":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","properties":{"c":false}}}}"##,
            r##"{"type":"object","properties":{"a":{"allOf":[{"anyOf":[{"$ref":"#/$defs/A"},{"type":"object","required":["z"]}]}]},"b":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","properties":{}}}}"##,
        )
        .admits(&[r#"{"a":{"c":1,"z":1}}"#]),
        Row::bytes(
            "a dead reference does not come alive by a definition that moves",
            r##"{"type":"object","properties":{"a":{"allOf":[{"$ref":"#/$defs/A"}]},"b":{"$ref":"#/definitions/A"}},"definitions":{"A":{"type":"string"}}}"##,
            r##"{"type":"object","properties":{"a":{"allOf":[{}]},"b":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"string"}}}"##,
        )
        .admits(&[r#"{"a":1}"#]),
    ]
}
