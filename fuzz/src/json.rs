//! What `serde_json` says of a text, and mutations of texts that mostly keep them valid:
//! random bytes are rejected long before the code that is judged.

use std::ops::Range;

use serde_json::value::RawValue;

#[allow(dead_code, reason = "the mutator needs no lookups")]
#[path = "../../tests/reader/mod.rs"]
mod reader;

use self::reader::{Kind, Node};

/// The nesting that parsers accept.
const MAX_DEPTH: usize = 127;

/// Whether a parser has to accept a text: one of RFC 8259, in UTF-8, up to 127 levels deep.
pub fn is_accepted(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok()
        && serde_json::from_slice::<&RawValue>(text).is_ok()
        && depth(text) <= MAX_DEPTH
}

/// The nesting of a valid text.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth -= 1,
            _ => {}
        }
    }
    deepest
}

/// The keys and the values that a target's texts are made of.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// Without quotes.
    pub keys: &'static [&'static str],
    /// As JSON.
    pub values: &'static [&'static str],
}

/// Mutates an input that consists of `header` bytes of settings and a JSON text. Returns
/// the new length, as `fuzz_mutator!` wants it.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    header: usize,
    vocabulary: Vocabulary,
) -> usize {
    let mut dice = Dice(u64::from(seed) | 1 << 40);
    let text = data.get(header..size).filter(|_| !dice.one_in(6));
    let text = text.and_then(|text| mutated(text.to_vec(), vocabulary, &mut dice));
    match text {
        Some(text) if header + text.len() <= max_size => {
            data[header..header + text.len()].copy_from_slice(&text);
            if header > 0 && dice.one_in(8) {
                data[dice.below(header)] = dice.below(256) as u8;
            }
            header + text.len()
        }
        _ => libfuzzer_sys::fuzzer_mutate(data, size, max_size),
    }
}

/// Returns `None` if the text is not JSON.
fn mutated(mut text: Vec<u8>, vocabulary: Vocabulary, dice: &mut Dice) -> Option<Vec<u8>> {
    for _ in 0..=dice.below(3) {
        let root = reader::read(&text).ok()?;
        let (range, with) = edit(&text, &root, vocabulary, dice);
        text.splice(range, with);
    }
    Some(text)
}

/// A random edit: a range of the text, and what replaces it.
fn edit(
    text: &[u8],
    root: &Node,
    vocabulary: Vocabulary,
    dice: &mut Dice,
) -> (Range<usize>, Vec<u8>) {
    let nodes = all(root);
    let node = nodes[dice.below(nodes.len())];
    let of = |range: &Range<usize>| text[range.clone()].to_vec();
    let (span, value) = (node.span.clone(), of(&node.span));
    match dice.below(12) {
        0..3 => (span, word(vocabulary.values, dice)),
        3 => (span, of(&nodes[dice.below(nodes.len())].span)),
        4 => (span, [b"[", &*value, b"]"].concat()),
        5 => (span, member(word(vocabulary.keys, dice), &value, true)),
        6 => (span, respelled(value, dice)),
        7 => {
            let spaces: &[&[u8]] = &[b" ", b"\n", b"\t", b"\r\n", b"        "];
            let space = spaces[dice.below(spaces.len())].to_vec();
            (span.start..span.start, space)
        }
        _ => match &node.kind {
            Kind::Scalar => (span, word(vocabulary.values, dice)),
            Kind::Object(members) if dice.one_in(4) && !members.is_empty() => {
                let renamed = &members[dice.below(members.len())];
                let key = renamed.span.start..renamed.value.span.start;
                let name = word(vocabulary.keys, dice);
                (key, [b"\"", &*name, b"\":"].concat())
            }
            kind => {
                let mut children: Vec<Vec<u8>> = node.children().iter().map(of).collect();
                if dice.one_in(3) && !children.is_empty() {
                    children.remove(dice.below(children.len()));
                } else if dice.one_in(4) && !children.is_empty() {
                    let copy = children[dice.below(children.len())].clone();
                    children.insert(dice.below(children.len() + 1), copy);
                } else {
                    let source = of(&nodes[dice.below(nodes.len())].span);
                    let value = match dice.one_in(3) {
                        true => source,
                        false => word(vocabulary.values, dice),
                    };
                    let child = match kind {
                        Kind::Object(_) => member(word(vocabulary.keys, dice), &value, false),
                        _ => value,
                    };
                    children.insert(dice.below(children.len() + 1), child);
                }
                let (open, close) = (&text[span.start..][..1], &text[span.end - 1..][..1]);
                let inside = children.join(&b","[..]);
                (span.clone(), [open, &*inside, close].concat())
            }
        },
    }
}

fn all(root: &Node) -> Vec<&Node> {
    let mut nodes = vec![root];
    let mut next = 0;
    while let Some(&node) = nodes.get(next) {
        next += 1;
        match &node.kind {
            Kind::Object(members) => nodes.extend(members.iter().map(|member| &member.value)),
            Kind::Array(items) => nodes.extend(items),
            Kind::Scalar => {}
        }
    }
    nodes
}

fn word(words: &[&str], dice: &mut Dice) -> Vec<u8> {
    words[dice.below(words.len())].as_bytes().to_vec()
}

fn member(key: Vec<u8>, value: &[u8], in_braces: bool) -> Vec<u8> {
    let member = [b"\"", &*key, b"\":", value].concat();
    match in_braces {
        true => [b"{", &*member, b"}"].concat(),
        false => member,
    }
}

/// The same value in another spelling: an escape in a string, or zeros behind a number.
fn respelled(mut value: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    match value.first() {
        Some(b'"') if value.len() > 2 => {
            let at = 1 + dice.below(value.len() - 2);
            let letter = value[at];
            let is_plain = letter.is_ascii_alphanumeric() && !value[..at].contains(&b'\\');
            if is_plain {
                value.splice(at..=at, format!("\\u{letter:04x}").into_bytes());
            } else {
                value.insert(1, b'x');
            }
        }
        Some(b'0'..=b'9' | b'-') => {
            let more: &[&[u8]] = &[b".0", b"e0", b"E+1", b"e-2", b"0", b"5"];
            value.extend(more[dice.below(more.len())]);
        }
        _ => {}
    }
    value
}

/// A generator of random numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }
}
