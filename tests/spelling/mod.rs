//! Different spellings of one JSON value: white space, escapes, numbers, the order of
//! keys, and duplicate keys.

use proptest::prelude::*;
use serde_json::{Number, Value, json};

/// A way to spell values. Each share is in percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    seed: u64,
    space: u64,
    escapes: u64,
    numbers: u64,
    duplicates: u64,
}

impl Style {
    /// The same style with every key once.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn without_duplicates(self) -> Self {
        Self {
            duplicates: 0,
            ..self
        }
    }
}

/// Styles, from a plain to a very unusual one.
pub(crate) fn styles() -> impl Strategy<Value = Style> {
    let share = || prop_oneof![3 => Just(0), 2 => 1..20u64, 1 => 20..90u64];
    (any::<u64>(), share(), share(), share(), share()).prop_map(
        |(seed, space, escapes, numbers, duplicates)| Style {
            seed,
            space,
            escapes,
            numbers,
            duplicates,
        },
    )
}

/// Spells `value`. A parser that reads the last of duplicate keys reads `value`. Numbers
/// are only numerically equal.
pub(crate) fn spell(value: &Value, style: Style) -> String {
    let mut speller = Speller {
        style,
        duplicates: 20,
        state: style.seed,
        text: String::new(),
    };
    speller.value(value);
    speller.space();
    speller.text
}

struct Speller {
    style: Style,
    /// The number of duplicate keys that may still be added. It is limited, because their
    /// values may contain duplicate keys too.
    duplicates: usize,
    state: u64,
    text: String,
}

impl Speller {
    /// Returns a random number below `bound` (SplitMix64).
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn chance(&mut self, percent: u64) -> bool {
        (self.below(100) as u64) < percent
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn space(&mut self) {
        while self.chance(self.style.space) {
            let space = self.pick(&[" ", "\n", "\t", "\r\n", "    "]);
            self.text.push_str(space);
        }
    }

    fn value(&mut self, value: &Value) {
        self.space();
        match value {
            Value::String(text) => self.string(text),
            Value::Number(number) => self.number(number),
            Value::Array(items) => self.list('[', items, ']', Self::value),
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()));
                let members = self.arranged(members.collect());
                self.list('{', &members, '}', |speller, (key, value)| {
                    speller.space();
                    speller.string(key);
                    speller.space();
                    speller.text.push(':');
                    speller.value(value);
                });
            }
            other => self.text.push_str(&other.to_string()),
        }
    }

    fn list<T>(&mut self, open: char, items: &[T], close: char, item: fn(&mut Self, &T)) {
        self.text.push(open);
        for (index, one) in items.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            item(self, one);
            self.space();
        }
        if items.is_empty() {
            self.space();
        }
        self.text.push(close);
    }

    /// Returns the members in another order, with earlier duplicates of some keys.
    fn arranged(&mut self, mut members: Vec<(String, Value)>) -> Vec<(String, Value)> {
        for last in (1..members.len()).rev() {
            let other = self.below(last + 1);
            members.swap(last, other);
        }
        for index in (0..members.len()).rev() {
            if self.duplicates > 0 && self.chance(self.style.duplicates) {
                self.duplicates -= 1;
                let duplicate = (members[index].0.clone(), self.anything());
                let before = self.below(index + 1);
                members.insert(before, duplicate);
            }
        }
        members
    }

    /// Returns a value that would be wrong in many places if it were read.
    fn anything(&mut self) -> Value {
        let things = json!([
            null, 2, 0.1, true, "", "none", "required", "kimi-k2.6", "a b", [], {},
            {"type": "disabled"},
            {"type": "required"},
            [{"type": "text", "text": ""}],
            [{"type": "image_url", "image_url": {"url": "data:,"}}],
            [{"id": "a.b", "function": {"name": "f"}}],
            [{"role": "developer", "content": [{"type": "text", "text": "x"}]}],
            [{"role": "assistant", "tool_calls": [{"id": ""}], "content": ""}],
        ]);
        let index = self.below(things.as_array().map_or(1, Vec::len));
        things[index].clone()
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for letter in text.chars() {
            let must = letter < ' ' || matches!(letter, '"' | '\\');
            if must || self.chance(self.style.escapes) {
                self.escape(letter);
            } else {
                self.text.push(letter);
            }
        }
        self.text.push('"');
    }

    fn escape(&mut self, letter: char) {
        let short = match letter {
            '"' | '\\' | '/' => Some(letter),
            '\n' => Some('n'),
            '\t' => Some('t'),
            _ => None,
        };
        if let Some(short) = short.filter(|_| self.chance(70)) {
            self.text.push('\\');
            self.text.push(short);
            return;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let escape = if self.chance(50) {
                format!("\\u{unit:04x}")
            } else {
                format!("\\u{unit:04X}")
            };
            self.text.push_str(&escape);
        }
    }

    fn number(&mut self, number: &Number) {
        let mut plain = number.to_string();
        if self.chance(self.style.numbers) && !plain.contains('e') {
            let is_integer = !plain.contains('.');
            let more = if plain == "0" {
                self.pick(&[".0", "e0", "E-3"])
            } else if is_integer {
                self.pick(&[".0", "e0", "0e-1", ".00E+0"])
            } else {
                self.pick(&["0", "e0", "00E-0"])
            };
            plain.push_str(more);
        }
        self.text.push_str(&plain);
    }
}
