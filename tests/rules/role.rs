//! `role`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

#[test]
fn a_developer_is_a_system() {
    changes(&[(
        "wherever one is",
        r#"{"messages":[{"role":"developer","content":"a"},7,{"content":"b","rol\u0065":"dev\u0065loper"}]}"#,
        r#"{"messages":[{"role":"system","content":"a"},7,{"content":"b","rol\u0065":"system"}]}"#,
        &[
            (Rule::Role, "/messages/0/role"),
            (Rule::Role, "/messages/2/role"),
        ],
    )]);
    leaves_alone(&[
        (
            "other roles",
            r#"{"messages":[{"role":"Developer"},{"role":"critic"},{"role":5},{}]}"#,
        ),
        (
            "no message",
            r#"{"messages":["developer"],"role":"developer"}"#,
        ),
    ]);
}
