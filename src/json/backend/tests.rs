//! Compares all back ends that the machine supports on the same texts.

use super::agreement::agree;
use crate::json::{
    Kind,
    kinds::{TEXTS, VALUES, Verdict},
};

/// A random number generator, xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Pieces of strings that back ends treat differently: nine valid ones, then others.
const PIECES: &[&[u8]] = &[
    b"\\n",
    b"\\\\",
    b"\\\"",
    b"\\/",
    b"\\u6708",
    b"\\uD834\\udd1e",
    "\u{e9}".as_bytes(),
    "\u{6708}".as_bytes(),
    "\u{1f315}".as_bytes(),
    b"\"",
    b"\\",
    b"\\\\\\",
    b"\\q",
    b"\\u12G4",
    b"\\u12",
    b"\x01",
    b"\x1f",
    b"\x7f",
    b"\xff",
    b"\xe6\x9c",
    b"\xed\xa0\x80",
    b"  ",
    b" \n\t\r ",
];

#[test]
fn pieces_at_every_length_and_offset() {
    for length in (0..140_usize).chain([190, 191, 192, 193, 255, 256, 257, 300, 400]) {
        for place in (0..length).step_by(1 + length / 40) {
            for piece in PIECES {
                let mut text = vec![b'a'; length];
                text.splice(place..place, piece.iter().copied());
                text.insert(0, b'"');
                agree(&text, 1);
                text.push(b'"');
                agree(&text, 1);
            }
        }
    }
}

/// What comes before a byte in a string. After a few escapes, the others are read in
/// another way.
const BEFORE: &[&[u8]] = &[
    b"",
    b"\\",
    b"\\u",
    b"\\u00",
    b"\\u000",
    b"\\\\",
    b"\\n\\n\\n\\",
    b"\\n\\n\\n\\u00",
];

#[test]
fn every_byte_in_strings_and_white_space() {
    for byte in 0..=u8::MAX {
        for place in [0, 1, 15, 16, 31, 32, 62, 63, 64, 65, 130, 250] {
            for &before in BEFORE {
                let mut text = vec![b'1'; 260];
                text.splice(place..place, before.iter().copied().chain([byte]));
                text.insert(0, b'"');
                text.push(b'"');
                agree(&text, 1);
            }
            let mut spaces = [b' '; 300];
            spaces[place] = byte;
            agree(&spaces, 0);
        }
    }
}

#[test]
fn rows_of_backslashes() {
    for start in (0..70).step_by(3) {
        for row in 0..140 {
            for end in [&b"\""[..], b"n\"", b"u0041\"", b"\"\"", b"x\"", b""] {
                let text = [b"\"", &*vec![b'a'; start], &*vec![b'\\'; row], end].concat();
                agree(&text, 1);
            }
        }
    }
}

#[test]
fn random_strings() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for round in 0..20_000 {
        // Half of the strings have few invalid pieces, so that many are read to the end.
        let known = if round % 2 == 0 { 9 } else { PIECES.len() };
        let mut text = vec![b'"'];
        for _ in 0..random.below(24) {
            match random.below(3) {
                0 => text.extend(vec![b'a'; random.below(80)]),
                1 => text.extend(random.pick(PIECES)),
                _ => text.extend(random.pick(&PIECES[..known])),
            }
        }
        text.push(b'"');
        text.extend(vec![b' '; random.below(70)]);
        accepted += usize::from(agree(&text, 1).string.is_ok());
    }
    assert!(accepted > 4_000, "{accepted}");
}

#[test]
fn random_texts_and_mutations_of_them() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..3_000 {
        let mut text = Vec::new();
        value(&mut random, &mut text, 0);
        let whole = agree(&text, 0);
        assert!(whole.value.is_ok(), "{}", text.escape_ascii());
        for _ in 0..8 {
            let mut mutated = text.clone();
            let at = random.below(mutated.len());
            match random.below(4) {
                0 => mutated.truncate(at),
                1 => drop(mutated.remove(at)),
                2 => mutated[at] = random.below(256) as u8,
                _ => mutated.insert(at, random.pick(b"\"\\{}[],: u\x00\xe6")),
            }
            agree(&mutated, at.min(mutated.len()));
        }
    }
}

/// Writes a random valid value.
fn value(random: &mut Random, text: &mut Vec<u8>, depth: usize) {
    let close = match random.below(if depth < 5 { 6 } else { 4 }) {
        0 => {
            return text.extend_from_slice(
                random.pick::<&[u8]>(&[b"null", b"true", b"false", b"-0.5e+7", b"12", b"0"]),
            );
        }
        1..4 => return string(random, text),
        4 => b'}',
        _ => b']',
    };
    text.push(close - 2);
    for index in 0..random.below(6) {
        if index > 0 {
            text.push(b',');
        }
        space(random, text);
        if close == b'}' {
            string(random, text);
            space(random, text);
            text.push(b':');
            space(random, text);
        }
        value(random, text, depth + 1);
        space(random, text);
    }
    text.push(close);
}

fn string(random: &mut Random, text: &mut Vec<u8>) {
    text.push(b'"');
    for _ in 0..random.below(4) {
        text.extend(vec![b'x'; random.pick(&[0, 3, 10, 30, 90])]);
        text.extend(random.pick(&PIECES[..9]));
    }
    text.push(b'"');
}

fn space(random: &mut Random, text: &mut Vec<u8>) {
    if random.below(3) == 0 {
        text.push(b'\n');
        text.extend(vec![b' '; random.below(40)]);
    }
}

#[test]
fn nothing_is_read_beyond_the_end_of_the_text() {
    for length in 0..200 {
        let text = vec![b' '; length];
        for start in 0..=length {
            let outcome = agree(&text, start);
            assert_eq!(outcome.space, length);
            assert!(outcome.string.is_err());
        }
        let text = vec![b'"'; length + 1];
        assert_eq!(agree(&text, length).string.unwrap().quote, length);
    }
    let outcome = agree(b"{}", 2);
    assert_eq!(outcome.value.unwrap().kind, Kind::Object);
}

/// Every kind of value, as a text of its own and behind strings and white space of many
/// lengths, so that it begins at every place of a vector.
#[test]
fn every_kind_of_value_has_its_verdict() {
    for (text, verdict) in VALUES.iter().chain(TEXTS) {
        let outcome = agree(text, 0).value.map_err(|error| error.offset());
        match *verdict {
            Verdict::Accept | Verdict::EitherAccepted => assert!(outcome.is_ok(), "{text:?}"),
            Verdict::RejectOpen => assert_eq!(outcome, Err(text.len()), "{text:?}"),
            Verdict::Reject(offset) | Verdict::EitherRejected(offset) => {
                assert_eq!(outcome, Err(offset), "{text:?}");
            }
        }
    }
    for (value, verdict) in VALUES {
        for length in 0..70 {
            let before = [b"[\"", &*vec![b'a'; length], b"\", "].concat();
            for after in [
                &b"]"[..],
                b" , \"\\n, and more than thirty-two bytes behind it\" ] ",
            ] {
                let text = [&before, *value, after].concat();
                let outcome = agree(&text, 2).value.map_err(|error| error.offset());
                match *verdict {
                    Verdict::Accept | Verdict::EitherAccepted => {
                        assert!(outcome.is_ok(), "{text:?}")
                    }
                    Verdict::RejectOpen => assert!(outcome.is_err(), "{text:?}"),
                    Verdict::Reject(offset) | Verdict::EitherRejected(offset) => {
                        assert_eq!(outcome, Err(before.len() + offset), "{text:?}");
                    }
                }
            }
        }
    }
}
