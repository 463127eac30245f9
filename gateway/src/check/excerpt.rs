//! Shows where a text is not JSON.

use std::fmt::Write;

/// How many characters of the line are shown before and behind the place.
const AROUND: usize = 30;

/// The line with the offset, and a caret under it.
pub(super) fn excerpt(text: &[u8], offset: usize) -> String {
    let offset = offset.min(text.len());
    let (before, behind) = text.split_at(offset);
    let before = before.rsplit(|byte| *byte == b'\n').next();
    let behind = behind.split(|byte| *byte == b'\n').next();
    let before = String::from_utf8_lossy(before.unwrap_or_default());
    let behind = String::from_utf8_lossy(behind.unwrap_or_default());
    let shown = |letter: char| if letter.is_control() { ' ' } else { letter };
    let cut = before.chars().count().saturating_sub(AROUND);
    let start: String = before.chars().skip(cut).map(shown).collect();
    let end: String = behind.chars().take(AROUND).map(shown).collect();
    let dots = |is_cut: bool| if is_cut { "…" } else { "" };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "  {}{start}{end}{}",
        dots(cut > 0),
        dots(behind.chars().nth(AROUND).is_some())
    );
    let width = start.chars().count() + usize::from(cut > 0);
    let _ = writeln!(out, "  {:width$}^", "");
    out
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn the_caret_is_under_the_offset() {
        assert_eq!(
            excerpt(b"{\n  \"a\": x,\n}", 9),
            "    \"a\": x,\n         ^\n"
        );
        assert_eq!(excerpt(b"", 0), "  \n  ^\n");
        let long = format!("{}\tx{}", "a".repeat(50), "b".repeat(50));
        assert_eq!(
            excerpt(long.as_bytes(), 51),
            format!(
                "  …{} x{}…\n  {}^\n",
                "a".repeat(29),
                "b".repeat(29),
                " ".repeat(31)
            )
        );
    }
}
