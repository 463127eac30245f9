//! The rule `role`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

const SYSTEM: &str = "Moonshot calls this role system";

#[test]
fn developer_becomes_system() {
    changes(&[(
        "in any message",
        r#"{"messages":[{"role":"developer","content":"a"},7,{"content":"b","rol\u0065":"dev\u0065loper"}]}"#,
        r#"{"messages":[{"role":"system","content":"a"},7,{"content":"b","rol\u0065":"system"}]}"#,
        &[
            (Rule::Role, "/messages/0/role", SYSTEM),
            (Rule::Role, "/messages/2/role", SYSTEM),
        ],
    )]);
    leaves_alone(&[
        (
            "other roles",
            r#"{"messages":[{"role":"Developer"},{"role":"critic"},{"role":5},{}]}"#,
        ),
        (
            "not in a message",
            r#"{"messages":["developer"],"role":"developer"}"#,
        ),
    ]);
}
