//! Schemas as the common generators write them, each with values that a model may
//! give for it.

pub(crate) struct Shape {
    /// The generator, and what is peculiar.
    pub(crate) name: &'static str,
    pub(crate) schema: &'static str,
    /// What has to stay admitted.
    pub(crate) instances: &'static [&'static str],
}

pub(crate) const SHAPES: &[Shape] = &[
    // pydantic v2: `anyOf` for unions, `default` wherever a field has one.
    Shape {
        name: "pydantic: Optional[str] = None",
        schema: r#"{"properties":{"query":{"title":"Query","type":"string"},"lang":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Lang"}},"required":["query"],"title":"Search","type":"object"}"#,
        instances: &[
            r#"{"query":"q"}"#,
            r#"{"query":"q","lang":null}"#,
            r#"{"query":"q","lang":"en"}"#,
        ],
    },
    Shape {
        name: "pydantic: Enum with a default beside its $ref",
        schema: r##"{"$defs":{"Color":{"enum":["red","green"],"title":"Color","type":"string"}},"properties":{"color":{"$ref":"#/$defs/Color","default":"red","description":"which"}},"title":"Paint","type":"object"}"##,
        instances: &["{}", r#"{"color":"green"}"#],
    },
    Shape {
        name: "pydantic: Enum of one type missing, as IntEnum mixed with str has it",
        schema: r##"{"$defs":{"Mixed":{"enum":[1,"two",null],"title":"Mixed"}},"properties":{"m":{"$ref":"#/$defs/Mixed"}},"required":["m"],"title":"M","type":"object"}"##,
        instances: &[r#"{"m":1}"#, r#"{"m":"two"}"#, r#"{"m":null}"#],
    },
    Shape {
        name: "pydantic: Literal of several types",
        schema: r#"{"properties":{"size":{"enum":["auto",0,1],"title":"Size"},"one":{"const":"x","title":"One"}},"required":["size"],"title":"L","type":"object"}"#,
        instances: &[r#"{"size":"auto"}"#, r#"{"size":1,"one":"x"}"#],
    },
    Shape {
        name: "pydantic: Optional[Literal]",
        schema: r#"{"properties":{"unit":{"anyOf":[{"enum":["C","F"],"type":"string"},{"type":"null"}],"default":"C","title":"Unit"}},"title":"W","type":"object"}"#,
        instances: &["{}", r#"{"unit":"F"}"#, r#"{"unit":null}"#],
    },
    Shape {
        name: "pydantic: a recursive model as the root",
        schema: r##"{"$defs":{"Node":{"properties":{"value":{"title":"Value","type":"integer"},"children":{"default":[],"items":{"$ref":"#/$defs/Node"},"title":"Children","type":"array"}},"required":["value"],"title":"Node","type":"object"}},"$ref":"#/$defs/Node"}"##,
        instances: &[
            r#"{"value":1}"#,
            r#"{"value":1,"children":[{"value":2,"children":[{"value":3}]}]}"#,
        ],
    },
    Shape {
        name: "pydantic: a recursive model with an optional parent",
        schema: r##"{"$defs":{"Person":{"properties":{"name":{"type":"string"},"parent":{"anyOf":[{"$ref":"#/$defs/Person"},{"type":"null"}],"default":null}},"required":["name"],"type":"object"}},"properties":{"who":{"$ref":"#/$defs/Person"}},"required":["who"],"type":"object"}"##,
        instances: &[r#"{"who":{"name":"a","parent":{"name":"b","parent":null}}}"#],
    },
    Shape {
        name: "pydantic: generic models",
        schema: r##"{"$defs":{"Box_int_":{"properties":{"item":{"title":"Item","type":"integer"}},"required":["item"],"title":"Box[int]","type":"object"},"Box_Union_int__str__":{"properties":{"item":{"anyOf":[{"type":"integer"},{"type":"string"}]}},"required":["item"],"type":"object"}},"properties":{"a":{"$ref":"#/$defs/Box_int_"},"b":{"$ref":"#/$defs/Box_Union_int__str__","description":"b"}},"required":["a"],"type":"object"}"##,
        instances: &[r#"{"a":{"item":1},"b":{"item":"x"}}"#],
    },
    Shape {
        name: "pydantic v1: generic models, brackets escaped in the reference",
        schema: r##"{"title":"T","type":"object","properties":{"box":{"$ref":"#/definitions/Box%5Bint%5D"}},"required":["box"],"definitions":{"Box[int]":{"title":"Box[int]","type":"object","properties":{"item":{"type":"integer"}},"required":["item"]}}}"##,
        instances: &[r#"{"box":{"item":1}}"#],
    },
    Shape {
        name: "FastAPI: generic models, brackets as they are",
        schema: r##"{"type":"object","properties":{"box":{"$ref":"#/$defs/Box[int]"}},"$defs":{"Box[int]":{"type":"object","properties":{"item":{"type":"integer"}},"required":["item"]}}}"##,
        instances: &[r#"{"box":{"item":1}}"#],
    },
    Shape {
        name: "pydantic: a discriminated union with its mapping",
        schema: r##"{"$defs":{"Cat":{"properties":{"kind":{"const":"cat","type":"string"},"lives":{"type":"integer"}},"required":["kind","lives"],"type":"object"},"Dog":{"properties":{"kind":{"const":"dog","type":"string"}},"required":["kind"],"type":"object"}},"properties":{"pet":{"discriminator":{"mapping":{"cat":"#/$defs/Cat","dog":"#/$defs/Dog"},"propertyName":"kind"},"oneOf":[{"$ref":"#/$defs/Cat"},{"$ref":"#/$defs/Dog"}]}},"required":["pet"],"type":"object"}"##,
        instances: &[
            r#"{"pet":{"kind":"cat","lives":9}}"#,
            r#"{"pet":{"kind":"dog"}}"#,
        ],
    },
    Shape {
        name: "pydantic: a discriminated union of old definitions as the root",
        schema: r##"{"oneOf":[{"$ref":"#/definitions/A"},{"$ref":"#/definitions/B"}],"discriminator":{"propertyName":"t","mapping":{"a":"#/definitions/A","b":"#/definitions/B"}},"definitions":{"A":{"type":"object","properties":{"t":{"enum":["a"]}},"required":["t"]},"B":{"type":"object","properties":{"t":{"enum":["b"]}},"required":["t"]}}}"##,
        instances: &[r#"{"t":"a"}"#, r#"{"t":"b"}"#],
    },
    Shape {
        name: "pydantic: dict[str, X] and dict[str, Any]",
        schema: r##"{"$defs":{"X":{"properties":{"n":{"type":"number"}},"type":"object"}},"properties":{"x":{"additionalProperties":{"$ref":"#/$defs/X"},"title":"X","type":"object"},"any":{"additionalProperties":true,"type":"object"}},"required":["x"],"type":"object"}"##,
        instances: &[r#"{"x":{"k":{"n":1}},"any":{"q":[1]}}"#],
    },
    Shape {
        name: "pydantic: Optional[dict[str, X]] beside a description",
        schema: r#"{"properties":{"headers":{"anyOf":[{"additionalProperties":{"type":"string"},"type":"object"},{"type":"null"}],"default":null,"description":"HTTP"}},"type":"object"}"#,
        instances: &[r#"{"headers":{"a":"b"}}"#, r#"{"headers":null}"#],
    },
    Shape {
        name: "pydantic: tuple[int, str]",
        schema: r#"{"properties":{"pair":{"maxItems":2,"minItems":2,"prefixItems":[{"type":"integer"},{"type":"string"}],"title":"Pair","type":"array"}},"required":["pair"],"type":"object"}"#,
        instances: &[r#"{"pair":[1,"x"]}"#],
    },
    Shape {
        name: "pydantic v1: Tuple[int, str]",
        schema: r#"{"title":"T","type":"object","properties":{"pair":{"title":"Pair","type":"array","minItems":2,"maxItems":2,"items":[{"type":"integer"},{"type":"string"}]}},"required":["pair"]}"#,
        instances: &[r#"{"pair":[1,"x"]}"#],
    },
    Shape {
        name: "pydantic v1: a field with its own description, allOf [ref]",
        schema: r##"{"title":"T","type":"object","properties":{"color":{"description":"which","default":"red","allOf":[{"$ref":"#/definitions/Color"}]}},"definitions":{"Color":{"title":"Color","description":"An enumeration.","enum":["red","green"]}}}"##,
        instances: &[r#"{"color":"green"}"#, "{}"],
    },
    Shape {
        name: "pydantic: constrained types",
        schema: r#"{"properties":{"n":{"exclusiveMinimum":0,"maximum":100,"multipleOf":5,"type":"integer"},"s":{"anyOf":[{"maxLength":8,"minLength":2,"pattern":"^[a-z]+$","type":"string"},{"type":"null"}],"default":null},"l":{"items":{"type":"string"},"maxItems":3,"minItems":1,"type":"array","uniqueItems":true}},"required":["n"],"type":"object"}"#,
        instances: &[r#"{"n":5,"s":"ab","l":["x"]}"#, r#"{"n":10,"s":null}"#],
    },
    Shape {
        name: "pydantic: Any and a set",
        schema: r#"{"properties":{"anything":{"title":"Anything"},"tags":{"items":{},"type":"array","uniqueItems":true}},"required":["anything"],"type":"object"}"#,
        instances: &[r#"{"anything":null,"tags":[1,"x"]}"#],
    },
    Shape {
        name: "pydantic: RootModel of a union of models",
        schema: r##"{"$defs":{"A":{"properties":{"a":{"type":"string"}},"required":["a"],"type":"object"},"B":{"properties":{"b":{"type":"integer"}},"required":["b"],"type":"object"}},"anyOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}],"title":"Either"}"##,
        instances: &[r#"{"a":"x"}"#, r#"{"b":1}"#],
    },
    Shape {
        name: "LangChain: a description beside a $ref that has one, and a default that clashes",
        schema: r##"{"$defs":{"Mode":{"default":"fast","description":"mode","enum":["fast","slow"],"type":"string"}},"properties":{"mode":{"$ref":"#/$defs/Mode","default":"slow","description":"how"}},"type":"object"}"##,
        instances: &[r#"{"mode":"fast"}"#, "{}"],
    },
    // zod, by way of zod-to-json-schema and of zod 4 itself.
    Shape {
        name: "zod-to-json-schema: strict object, $schema at the end",
        schema: r#"{"type":"object","properties":{"path":{"type":"string","minLength":1},"limit":{"type":"integer","exclusiveMinimum":0,"default":10}},"required":["path"],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}"#,
        instances: &[r#"{"path":"/","limit":3}"#],
    },
    Shape {
        name: "zod-to-json-schema: nullable as a list of types",
        schema: r#"{"type":"object","properties":{"s":{"type":["string","null"]},"d":{"type":["string","null"],"format":"date-time","default":null},"n":{"type":["number","null"],"minimum":0}},"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}"#,
        instances: &[r#"{"s":null,"d":null,"n":1.5}"#, r#"{"s":"x","n":null}"#],
    },
    Shape {
        name: "zod-to-json-schema: a union of literals and one of primitives",
        schema: r#"{"type":"object","properties":{"level":{"anyOf":[{"type":"string","const":"low"},{"type":"number","const":3},{"type":"null"}]},"id":{"type":["string","number"],"description":"id"},"lit":{"type":"string","enum":["a","b"]}},"required":["level","id"],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}"#,
        instances: &[
            r#"{"level":3,"id":"x"}"#,
            r#"{"level":null,"id":1,"lit":"b"}"#,
        ],
    },
    Shape {
        name: "zod-to-json-schema: a record with its keys",
        schema: r#"{"type":"object","properties":{"map":{"type":"object","additionalProperties":{"type":"number"},"propertyNames":{"enum":["a","b"]}}},"required":["map"],"additionalProperties":false}"#,
        instances: &[r#"{"map":{"a":1,"b":2}}"#],
    },
    Shape {
        name: "zod-to-json-schema: what was seen before is a reference to its place",
        schema: r##"{"type":"object","properties":{"a":{"type":"object","properties":{"x":{"type":"string"}},"required":["x"],"additionalProperties":false},"b":{"$ref":"#/properties/a"},"c":{"type":"array","items":{"$ref":"#/properties/a/properties/x"}}},"required":["a","b"],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}"##,
        instances: &[r#"{"a":{"x":"s"},"b":{"x":"t"},"c":["u"]}"#],
    },
    Shape {
        name: "zod-to-json-schema: a recursive type refers to its place",
        schema: r##"{"type":"object","properties":{"tree":{"type":"object","properties":{"name":{"type":"string"},"kids":{"type":"array","items":{"$ref":"#/properties/tree"}}},"required":["name","kids"],"additionalProperties":false}},"required":["tree"],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}"##,
        instances: &[r#"{"tree":{"name":"a","kids":[{"name":"b","kids":[]}]}}"#],
    },
    Shape {
        name: "zod-to-json-schema: a named schema, definitions and a root reference",
        schema: r##"{"$ref":"#/definitions/args","definitions":{"args":{"type":"object","properties":{"q":{"type":"string"}},"required":["q"],"additionalProperties":false}},"$schema":"http://json-schema.org/draft-07/schema#"}"##,
        instances: &[r#"{"q":"x"}"#],
    },
    Shape {
        name: "zod-to-json-schema: a discriminated union as the root",
        schema: r#"{"anyOf":[{"type":"object","properties":{"op":{"type":"string","const":"get"},"id":{"type":"integer"}},"required":["op","id"],"additionalProperties":false},{"type":"object","properties":{"op":{"type":"string","const":"put"},"id":{"type":"integer"},"body":{"type":"string"}},"required":["op","id","body"],"additionalProperties":false}],"$schema":"http://json-schema.org/draft-07/schema#"}"#,
        instances: &[
            r#"{"op":"get","id":1}"#,
            r#"{"op":"put","id":1,"body":"b"}"#,
        ],
    },
    Shape {
        name: "zod-to-json-schema: an intersection",
        schema: r#"{"type":"object","properties":{"both":{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"type":"object","properties":{"b":{"type":"number"}},"required":["b"]}],"unevaluatedProperties":false}},"$schema":"https://json-schema.org/draft/2019-09/schema#"}"#,
        instances: &[r#"{"both":{"a":"x","b":1}}"#],
    },
    Shape {
        name: "zod-to-json-schema: a tuple, and items of any kind",
        schema: r#"{"type":"object","properties":{"point":{"type":"array","minItems":2,"maxItems":2,"items":[{"type":"number"},{"type":"number"}]},"any":{"type":"array","items":{}},"unknown":{}},"required":["point"],"additionalProperties":false}"#,
        instances: &[r#"{"point":[1,2],"any":[null]}"#],
    },
    Shape {
        name: "zod 4: getters make $defs with made-up names",
        schema: r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"cat":{"$ref":"#/$defs/__schema0"}},"required":["cat"],"additionalProperties":false,"$defs":{"__schema0":{"type":"object","properties":{"name":{"type":"string"},"sub":{"anyOf":[{"$ref":"#/$defs/__schema0"},{"type":"null"}]}},"required":["name","sub"],"additionalProperties":false}}}"##,
        instances: &[r#"{"cat":{"name":"a","sub":{"name":"b","sub":null}}}"#],
    },
    Shape {
        name: "zod 4: a fixed tuple and a literal of several types",
        schema: r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"t":{"type":"array","prefixItems":[{"type":"string"},{"type":"number"}],"items":false},"l":{"enum":["a",1,true]},"never":{"not":{}}},"required":["t","l"],"additionalProperties":false}"#,
        instances: &[r#"{"t":["x",1],"l":true}"#, r#"{"t":["x",1],"l":"a"}"#],
    },
    Shape {
        name: "zod 4: a bounded integer, optional nullable with a default",
        schema: r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"n":{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991},"o":{"default":null,"anyOf":[{"type":"string","format":"email","pattern":"^.+@.+$"},{"type":"null"}]}},"required":["n","o"],"additionalProperties":false}"#,
        instances: &[r#"{"n":1,"o":null}"#, r#"{"n":1,"o":"a@b.c"}"#],
    },
    // TypeBox.
    Shape {
        name: "TypeBox: a union of literals",
        schema: r#"{"type":"object","properties":{"unit":{"description":"unit","anyOf":[{"type":"string","const":"C"},{"type":"string","const":"F"}]}},"required":["unit"]}"#,
        instances: &[r#"{"unit":"C"}"#],
    },
    Shape {
        name: "TypeBox: Recursive names itself by its $id",
        schema: r#"{"type":"object","properties":{"tree":{"$id":"T0","type":"object","properties":{"id":{"type":"string"},"nodes":{"type":"array","items":{"$ref":"T0"}}},"required":["id","nodes"]}},"required":["tree"]}"#,
        instances: &[r#"{"tree":{"id":"a","nodes":[{"id":"b","nodes":[]}]}}"#],
    },
    Shape {
        name: "TypeBox: Recursive as the root",
        schema: r##"{"$id":"Node","type":"object","properties":{"id":{"type":"string"},"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["id","next"]}"##,
        instances: &[r#"{"id":"a","next":{"id":"b","next":null}}"#],
    },
    Shape {
        name: "TypeBox: Intersect with unevaluatedProperties",
        schema: r#"{"type":"object","unevaluatedProperties":false,"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"type":"object","properties":{"b":{"type":"number"}}}]}"#,
        instances: &[r#"{"a":"x","b":1}"#],
    },
    Shape {
        name: "TypeBox: a record by patternProperties",
        schema: r#"{"type":"object","properties":{"r":{"type":"object","patternProperties":{"^(.*)$":{"type":"string"}}},"n":{"type":"null"},"u":{"not":{}}},"required":["r"]}"#,
        instances: &[r#"{"r":{"k":"v"},"n":null}"#],
    },
    Shape {
        name: "TypeBox: a type beside a union, as hand-edits leave it",
        schema: r#"{"type":"object","properties":{"mode":{"type":"string","anyOf":[{"const":"a","title":"A"},{"const":"b","title":"B"}],"default":"a"}},"required":["mode"]}"#,
        instances: &[r#"{"mode":"a"}"#, r#"{"mode":"b"}"#],
    },
    // .NET.
    Shape {
        name: "System.Text.Json: nullable properties with defaults",
        schema: r#"{"type":"object","properties":{"name":{"description":"who","type":["string","null"],"default":null},"count":{"type":["integer","null"],"default":1},"tags":{"type":["array","null"],"items":{"type":["string","null"]}},"on":{"type":"boolean","default":false}},"required":["name"]}"#,
        instances: &[
            r#"{"name":null,"count":null,"tags":["a",null]}"#,
            r#"{"name":"x","tags":null,"on":true}"#,
        ],
    },
    Shape {
        name: "System.Text.Json: a reference into properties, for a type seen before",
        schema: r##"{"type":["object","null"],"properties":{"value":{"type":"integer"},"next":{"$ref":"#"},"others":{"type":["array","null"],"items":{"$ref":"#/properties/next"}}},"required":["value"]}"##,
        instances: &[
            r#"{"value":1,"next":{"value":2,"next":null}}"#,
            r#"{"value":1,"others":[{"value":2}]}"#,
        ],
    },
    Shape {
        name: "System.Text.Json: enums with a nullable variant, numbers as strings",
        schema: r#"{"type":"object","properties":{"day":{"enum":["Mon","Tue",null]},"n":{"type":["string","integer"],"pattern":"^-?(?:0|[1-9]\\d*)$"}},"additionalProperties":false}"#,
        instances: &[r#"{"day":null,"n":"12"}"#, r#"{"day":"Mon","n":12}"#],
    },
    Shape {
        name: "NJsonSchema: definitions, oneOf null, draft 4",
        schema: r##"{"$schema":"http://json-schema.org/draft-04/schema#","title":"Order","type":"object","additionalProperties":false,"properties":{"customer":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/Customer"}]},"state":{"$ref":"#/definitions/State"}},"definitions":{"Customer":{"type":"object","additionalProperties":false,"properties":{"name":{"type":["null","string"]}}},"State":{"type":"integer","description":"","x-enumNames":["A","B"],"enum":[0,1]}}}"##,
        instances: &[
            r#"{"customer":null,"state":1}"#,
            r#"{"customer":{"name":null}}"#,
        ],
    },
    Shape {
        name: "Semantic Kernel: a type and an enum that has null",
        schema: r#"{"type":"object","properties":{"mode":{"type":"string","enum":["a","b",null],"description":"mode"}},"required":["mode"]}"#,
        instances: &[r#"{"mode":"a"}"#],
    },
    // Go.
    Shape {
        name: "invopop/jsonschema: a root reference, ids and closed objects",
        schema: r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://example.com/pkg/args","$ref":"#/$defs/Args","$defs":{"Args":{"properties":{"city":{"type":"string"},"opts":{"$ref":"#/$defs/Opts"}},"additionalProperties":false,"type":"object","required":["city"]},"Opts":{"properties":{"deep":{"type":"boolean"}},"additionalProperties":false,"type":"object"}}}"##,
        instances: &[r#"{"city":"x","opts":{"deep":true}}"#],
    },
    Shape {
        name: "invopop/jsonschema: interface{} is true",
        schema: r#"{"properties":{"data":true,"list":{"items":true,"type":"array"},"meta":{"additionalProperties":true,"type":"object"},"raw":{"type":"object"}},"additionalProperties":false,"type":"object","required":["data"]}"#,
        instances: &[r#"{"data":1,"list":["x"],"meta":{"a":1},"raw":{}}"#],
    },
    Shape {
        name: "google/jsonschema-go: slices may be null, additionalProperties {\"not\":{}}",
        schema: r#"{"type":"object","required":["names"],"properties":{"names":{"type":["null","array"],"items":{"type":"string"}},"m":{"type":"object","additionalProperties":{"type":"integer"}}},"additionalProperties":{"not":{}}}"#,
        instances: &[r#"{"names":null}"#, r#"{"names":["a"],"m":{"k":1}}"#],
    },
    Shape {
        name: "kubernetes: int-or-string and preserved fields",
        schema: r#"{"type":"object","properties":{"port":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]},"spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true},"limit":{"pattern":"^[0-9]+$","anyOf":[{"type":"integer"},{"type":"string"}],"x-kubernetes-int-or-string":true}}}"#,
        instances: &[r#"{"port":"http","spec":{"a":1},"limit":"5"}"#],
    },
    // Rust and Java.
    Shape {
        name: "schemars 0.8: Option of an enum",
        schema: r##"{"$schema":"http://json-schema.org/draft-07/schema#","title":"Args","type":"object","required":["name"],"properties":{"name":{"type":"string"},"kind":{"anyOf":[{"$ref":"#/definitions/Kind"},{"type":"null"}]},"retries":{"type":["integer","null"],"format":"uint32","minimum":0.0}},"definitions":{"Kind":{"oneOf":[{"description":"A","type":"string","enum":["a"]},{"type":"object","required":["b"],"properties":{"b":{"type":"integer"}},"additionalProperties":false}]}}}"##,
        instances: &[
            r#"{"name":"x","kind":{"b":1},"retries":3}"#,
            r#"{"name":"x","kind":null,"retries":null}"#,
            r#"{"name":"x","kind":"a"}"#,
        ],
    },
    Shape {
        name: "schemars 0.8: a default beside allOf [ref]",
        schema: r##"{"title":"Args","type":"object","properties":{"mode":{"description":"mode","default":"A","allOf":[{"$ref":"#/definitions/Mode"}]}},"definitions":{"Mode":{"type":"string","enum":["A","B"]}}}"##,
        instances: &[r#"{"mode":"B"}"#],
    },
    Shape {
        name: "schemars 1: serde_json::Value is true, an enum of unit variants",
        schema: r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"Args","type":"object","properties":{"value":true,"kind":{"$ref":"#/$defs/Kind"}},"required":["value","kind"],"$defs":{"Kind":{"oneOf":[{"type":"string","const":"a","description":"A"},{"type":"string","const":"b"}]}}}"##,
        instances: &[r#"{"value":null,"kind":"a"}"#],
    },
    Shape {
        name: "schemars: a flattened enum at the root",
        schema: r#"{"title":"Args","type":"object","properties":{"id":{"type":"string"}},"required":["id"],"anyOf":[{"type":"object","properties":{"A":{"type":"integer"}},"required":["A"]},{"type":"object","properties":{"B":{"type":"string"}},"required":["B"]}]}"#,
        instances: &[r#"{"id":"x","A":1}"#, r#"{"id":"x","B":"y"}"#],
    },
    Shape {
        name: "victools: Java's nullable references",
        schema: r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{"Address":{"type":"object","properties":{"street":{"type":["string","null"],"maxLength":10}}},"Address-nullable":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/Address"}]}},"type":"object","properties":{"home":{"$ref":"#/$defs/Address-nullable"},"work":{"$ref":"#/$defs/Address","description":"office"}}}"##,
        instances: &[
            r#"{"home":null,"work":{"street":null}}"#,
            r#"{"home":{"street":"x"}}"#,
        ],
    },
    Shape {
        name: "OpenAPI 3.0: nullable, and a reference into components",
        schema: r##"{"type":"object","properties":{"pet":{"$ref":"#/components/schemas/Pet"},"age":{"type":"integer","nullable":true,"example":3}},"components":{"schemas":{"Pet":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}}}}"##,
        instances: &[r#"{"pet":{"name":"x"},"age":3}"#],
    },
    Shape {
        name: "Gemini: types in upper case",
        schema: r#"{"type":"OBJECT","properties":{"city":{"type":"STRING"},"days":{"type":"ARRAY","items":{"type":"INTEGER"}},"n":{"type":"NUMBER","nullable":true}},"required":["city"]}"#,
        instances: &[r#"{"city":"x","days":[1],"n":1}"#],
    },
    // MCP servers, many of them by hand.
    Shape {
        name: "MCP: no arguments, written as nothing",
        schema: "{}",
        instances: &["{}", r#"{"a":1}"#],
    },
    Shape {
        name: "MCP: no arguments, written out",
        schema: r#"{"type":"object","properties":{},"required":[],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}"#,
        instances: &["{}"],
    },
    Shape {
        name: "MCP: the type is missing",
        schema: r#"{"properties":{"url":{"description":"where","format":"uri"}},"required":["url"]}"#,
        instances: &[r#"{"url":"https://x"}"#],
    },
    Shape {
        name: "MCP: required without properties",
        schema: r#"{"type":"object","required":["command"]}"#,
        instances: &[r#"{"command":"ls"}"#],
    },
    Shape {
        name: "MCP: required is a boolean in each property, as in draft 3",
        schema: r#"{"type":"object","properties":{"a":{"type":"string","required":true},"b":{"type":"string","required":false}}}"#,
        instances: &[r#"{"a":"x"}"#],
    },
    Shape {
        name: "MCP: nulls for what is not given",
        schema: r#"{"type":"object","title":null,"description":null,"properties":{"a":{"type":"string","description":null,"enum":null,"default":null,"items":null,"properties":null,"required":null}},"required":null,"additionalProperties":null,"$defs":null}"#,
        instances: &[r#"{"a":"x"}"#],
    },
    Shape {
        name: "MCP: one of two arguments, beside the root's type",
        schema: r#"{"type":"object","properties":{"id":{"type":"string"},"url":{"type":"string","format":"uri"}},"oneOf":[{"required":["id"]},{"required":["url"]}]}"#,
        instances: &[r#"{"id":"x"}"#, r#"{"url":"https://x"}"#],
    },
    Shape {
        name: "MCP: any of two arguments, beside the root's type",
        schema: r#"{"type":"object","properties":{"id":{"type":"string"},"url":{"type":"string"}},"anyOf":[{"required":["id"]},{"required":["url"]}],"additionalProperties":false}"#,
        instances: &[r#"{"id":"x"}"#, r#"{"url":"y"}"#, r#"{"id":"x","url":"y"}"#],
    },
    Shape {
        name: "MCP: an enum without a type, a default null beside a type",
        schema: r#"{"type":"object","properties":{"sort":{"enum":["asc","desc"],"description":"order"},"after":{"type":"string","default":null},"page":{"type":"integer","default":"1"}}}"#,
        instances: &[r#"{"sort":"asc","after":"x","page":2}"#],
    },
    Shape {
        name: "MCP: unknown types",
        schema: r#"{"type":"object","properties":{"when":{"type":"date"},"what":{"type":"any"},"how":{"type":"float"},"file":{"type":["file","string"]},"f":{"type":"function"}}}"#,
        instances: &[r#"{"what":1,"when":"2020-01-01","how":1.5,"file":"x"}"#],
    },
    Shape {
        name: "MCP: an array of any, and one of lists",
        schema: r#"{"type":"object","properties":{"args":{"type":"array"},"rows":{"type":"array","items":{"type":"array","items":{"type":["string","number","boolean","null"]}}},"values":{"type":"array","items":{"type":["string","number"],"description":"v","default":""}}}}"#,
        instances: &[r#"{"args":[1],"rows":[["x",1,true,null]],"values":["a",1]}"#],
    },
    Shape {
        name: "MCP: a reference to a file beside the schema",
        schema: r#"{"type":"object","properties":{"cfg":{"$ref":"./config.json#/definitions/Config","description":"config"},"x":{"$ref":"https://json.schemastore.org/package.json"}}}"#,
        instances: &[r#"{"cfg":{"a":1},"x":2}"#],
    },
    Shape {
        name: "MCP: a property called like a keyword of references (Notion, JSON Patch, Prisma)",
        schema: r#"{"type":"object","properties":{"filter":{"type":"object","properties":{"anyOf":{"type":"array","items":{"type":"object"}},"required":{"type":"boolean"},"type":{"type":"string"}},"required":["type","required"],"additionalProperties":false}},"required":["filter"]}"#,
        instances: &[
            r#"{"filter":{"type":"x","required":true}}"#,
            r#"{"filter":{"type":"x","required":false,"anyOf":[{}]}}"#,
        ],
    },
    Shape {
        name: "MCP: definitions in the middle, a slash in their names",
        schema: r##"{"type":"object","properties":{"body":{"type":"object","properties":{"item":{"$ref":"#/properties/body/definitions/v1~1Item"}},"definitions":{"v1/Item":{"type":"object","properties":{"application/json":{"type":"string"}}}}}}}"##,
        instances: &[r#"{"body":{"item":{"application/json":"x"}}}"#],
    },
    Shape {
        name: "MCP: if/then/else, dependencies and const without types",
        schema: r#"{"type":"object","properties":{"kind":{"const":"a"},"n":{"type":"integer"},"m":{"enum":[1]}},"if":{"properties":{"kind":{"const":"a"}},"required":["kind"]},"then":{"required":["n"]},"else":{"not":{"required":["n"]}},"dependentRequired":{"n":["kind"]}}"#,
        instances: &[r#"{"kind":"a","n":1,"m":1}"#, "{}"],
    },
    Shape {
        name: "Notion's MCP: a choice of objects or a string of JSON, with types beside",
        schema: r##"{"type":"object","$defs":{"Id":{"type":"string","format":"uuid"},"Parent":{"anyOf":[{"type":"object","properties":{"page_id":{"$ref":"#/$defs/Id"}},"required":["page_id"]},{"type":"object","properties":{"database_id":{"$ref":"#/$defs/Id"}},"required":["database_id"]}],"type":"object"}},"properties":{"parent":{"anyOf":[{"$ref":"#/$defs/Parent"},{"type":"string"}]},"icon":{"type":["object","string"],"properties":{"emoji":{"type":"string"}},"additionalProperties":true}},"required":["parent"]}"##,
        instances: &[
            r#"{"parent":{"page_id":"p"},"icon":"x"}"#,
            r#"{"parent":"{}","icon":{"emoji":"e"}}"#,
        ],
    },
];
