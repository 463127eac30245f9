//! Parses JSON numbers to `f64`.

/// Integers of up to this many digits fit the 53-bit mantissa of an `f64`.
const EXACT: usize = 15;

/// Parses a JSON number to the nearest `f64`.
///
/// Short decimals such as `0.95`, which most request parameters are, take one division.
/// Mantissa and power of ten are exact, so the quotient is rounded correctly. All other
/// numbers are left to the standard library.
pub(crate) fn number(raw: &[u8]) -> Option<f64> {
    short_decimal(raw).or_else(|| std::str::from_utf8(raw).ok()?.parse().ok())
}

/// Parses digits with at most one point. Returns `None` for a sign or an exponent.
fn short_decimal(raw: &[u8]) -> Option<f64> {
    if raw.len() > EXACT {
        return None;
    }
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

/// The powers of ten from 0 to 14, all of which are exact.
const POWERS: [f64; EXACT] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_equal_what_the_standard_library_parses() {
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
