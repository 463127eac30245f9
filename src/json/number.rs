//! What numbers are worth.

/// More digits than this may not fit the 53 bits of a double's mantissa.
const EXACT: usize = 15;

/// The double nearest to a number, which `raw` must be.
///
/// Short decimals such as `0.95`, which the parameters of a request mostly are,
/// take one division. Mantissa and power of ten are exact, so its result is what
/// the standard library finds.
pub(crate) fn number(raw: &[u8]) -> Option<f64> {
    short_decimal(raw).or_else(|| std::str::from_utf8(raw).ok()?.parse().ok())
}

/// Digits with or without a point, no sign and no exponent.
fn short_decimal(raw: &[u8]) -> Option<f64> {
    if raw.len() > EXACT {
        return None;
    }
    // Signed: of these, every machine makes a double in one instruction.
    let mut mantissa: i64 = 0;
    let mut fraction = raw.len();
    for (at, &byte) in raw.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + i64::from(byte - b'0'),
            b'.' => fraction = at + 1,
            _ => return None,
        }
    }
    Some(mantissa as f64 / POWERS[raw.len() - fraction])
}

/// Powers of ten.
const POWERS: [f64; EXACT] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_worth_what_the_standard_library_says() {
        let decimals = (0..2000).map(|n| format!("{}.{:03}", n / 1000, n % 1000));
        let others = [
            "0",
            "1",
            "-1",
            "-0.0",
            "1e0",
            "1E-2",
            "0.1e1",
            "1e400",
            "999999999999999",
            "0.1000000000000",
            "9007199254740993",
            "0.95000000000000001",
            "0.64708321257442331",
            "123456789.012345",
        ];
        for text in decimals.chain(others.map(String::from)) {
            let expected: f64 = text.parse().unwrap();
            let found = number(text.as_bytes()).unwrap();
            assert_eq!(found.to_bits(), expected.to_bits(), "{text}");
        }
    }
}
