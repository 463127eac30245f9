//! Decides which paths are forwarded unread.

use percent_encoding::percent_decode_str;

/// Whether a path must not be forwarded: it is a chat request (which would bypass the
/// choice of an entry, the rewrite and the limits), it lists models while only some
/// are served, or it leads out of the API.
///
/// The upstream may read a path more leniently than this gateway, so it is judged as
/// the most lenient server would. What servers read in different ways is refused
/// whatever it means: a second percent-encoding, other characters than those of
/// Moonshot's paths, and dots at the end of a segment.
pub(crate) fn is_refused(path: &str, is_open: bool) -> bool {
    let Ok(path) = percent_decode_str(path).decode_utf8() else {
        return true;
    };
    if !path.bytes().all(is_plain) {
        return true;
    }
    let path = path.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let mut behind_version = segments.iter().skip_while(|part| is_version(part));
    segments.iter().any(|part| part.ends_with('.'))
        || segments
            .windows(2)
            .any(|pair| word(pair[0]) == "chat" && word(pair[1]) == "completions")
        || !is_open
            && behind_version
                .next()
                .is_some_and(|part| word(part) == "models")
}

/// Whether a byte of a decoded path means the same to every server. `%` is not one: it
/// would be decoded again. Nor are `;` and `\`, which some servers take for the end of
/// a segment, and bytes above 127, which some convert to letters.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'/' | b'-'
                | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'@'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
        )
}

/// The beginning of a segment, without what some servers take for its format, version
/// or parameters: `completions.json` is `completions`.
fn word(segment: &str) -> &str {
    let end = segment.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    &segment[..end.unwrap_or(segment.len())]
}

/// Whether a segment is `v1`, `v2` and so on, of which the layer removes the first.
fn is_version(segment: &str) -> bool {
    let number = segment.strip_prefix('v').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_moonshots_api_are_forwarded() {
        for path in [
            "/v1/files",
            "/v1/files/file-8Zx_1/content",
            "/v1/files/a.b~c",
            "/v1/users/me/balance",
            "/v1/tokenizers/estimate-token-count",
            "/v1/batches/batch-1/cancel",
            "/v1/formulas/moonshot/web-search:latest/tools",
            "/v1/formulas/moonshot%2Fweb-search%3Alatest/tools",
            "/v1/caching/refs/tags/my-tag/content",
            "/v1/chat",
            "/v1/completions",
            "/v1/chatty/completions",
            "/v1/files/models",
        ] {
            assert!(!is_refused(path, false), "{path}");
        }
        assert!(!is_refused("/v1/models", true));
    }

    #[test]
    fn the_list_of_models_is_refused_in_any_spelling_if_only_some_are_served() {
        for path in [
            "/v1/models",
            "/v1/Models",
            "/v1//models/",
            "/v1/v1/models",
            "/v1/models.json",
            "/v1/models:x/y",
            "/v1/%6dodels",
            "/v1/%256dodels",
        ] {
            assert!(is_refused(path, false), "{path}");
        }
    }
}
