//! Tables for lookups by four bits of each byte of a vector.
//!
//! A byte belongs to the groups that both [`LOW`] and [`HIGH`] have for it.

/// The letters of escapes, grouped by their upper four bits. [`DIGITS`] and [`LETTERS`]
/// are the groups of hexadecimal digits.
const ESCAPES: [(u8, &[u8]); 4] = [(2, b"\"/"), (5, b"\\"), (6, b"bfn"), (7, b"rtu")];
const DIGITS: u8 = 1 << 4;
const LETTERS: u8 = 1 << 5;

/// The groups of the letters that are valid after a backslash.
pub(super) const ESCAPE_LETTERS: u8 = (1 << ESCAPES.len()) - 1;
/// The groups of hexadecimal digits.
pub(super) const HEX_DIGITS: u8 = DIGITS | LETTERS;

/// The groups that a byte may belong to, by its lower four bits.
pub(super) const LOW: [u8; 16] = {
    let mut table = [0; 16];
    let mut group = 0;
    while group < ESCAPES.len() {
        let letters = ESCAPES[group].1;
        let mut at = 0;
        while at < letters.len() {
            table[(letters[at] & 0x0f) as usize] |= 1 << group;
            at += 1;
        }
        group += 1;
    }
    let mut digit = 0;
    while digit < 10 {
        table[digit] |= DIGITS;
        digit += 1;
    }
    let mut letter = 1;
    while letter <= 6 {
        table[letter] |= LETTERS;
        letter += 1;
    }
    table
};

/// The groups that a byte may belong to, by its upper four bits.
pub(super) const HIGH: [u8; 16] = {
    let mut table = [0; 16];
    let mut group = 0;
    while group < ESCAPES.len() {
        table[ESCAPES[group].0 as usize] |= 1 << group;
        group += 1;
    }
    table[3] |= DIGITS;
    table[4] |= LETTERS;
    table[6] |= LETTERS;
    table
};

/// Each white space character at the index of its lower four bits. The other entries have
/// lower bits that differ from their index, so that they equal no byte.
pub(super) const SPACES: [u8; 16] = {
    let mut table = [0xff; 16];
    table[15] = 0;
    table[(b' ' & 0x0f) as usize] = b' ';
    table[b'\t' as usize] = b'\t';
    table[b'\n' as usize] = b'\n';
    table[b'\r' as usize] = b'\r';
    table
};
