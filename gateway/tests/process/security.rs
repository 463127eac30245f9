//! Each sentence of SECURITY.md has tests, and they exist.

use std::path::Path;

const SECURITY: &str = include_str!("../../../SECURITY.md");

/// The sentences of the lists, each with the tests that the comments below it name.
fn sentences() -> Vec<(String, Vec<(String, String)>)> {
    let mut sentences: Vec<(String, Vec<_>)> = Vec::new();
    for line in SECURITY.lines() {
        if let Some(sentence) = line.strip_prefix("- ") {
            sentences.push((sentence.to_owned(), Vec::new()));
        } else if let Some(comment) = line.strip_prefix("<!-- ") {
            let comment = comment.strip_suffix(" -->").unwrap();
            let (file, names) = comment.split_once(": ").unwrap();
            let tests = names
                .split(", ")
                .map(|name| (file.to_owned(), name.to_owned()));
            sentences.last_mut().unwrap().1.extend(tests);
        }
    }
    sentences
}

#[test]
fn each_sentence_of_the_security_policy_has_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sentences = sentences();
    assert!(sentences.len() > 20, "{sentences:?}");
    for (sentence, tests) in sentences {
        assert!(!tests.is_empty(), "without a test: {sentence}");
        for (file, name) in tests {
            let text = std::fs::read_to_string(root.join(&file));
            let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
            let before = text.split(&format!("fn {name}(")).next().unwrap();
            let is_there = before.len() < text.len();
            // Its attributes are on the line above. Those in `proptest!` need none.
            let mut above = before.lines().rev().take(2);
            let is_test = above.any(|line| line.contains("test]")) || before.contains("proptest!");
            assert!(is_there && is_test, "{file} has no test {name}: {sentence}");
        }
    }
}
