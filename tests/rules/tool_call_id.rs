//! `tool_call_id`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

#[test]
fn an_id_that_is_not_allowed_is_mapped_in_calls_and_answers_alike() {
    changes(&[
        (
            "other letters become underscores",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.f:0"},{"id":"ok-1"}]},{"role":"tool","tool_call_id":"functions.f:0","content":"x"}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions_f_0"},{"id":"ok-1"}]},{"role":"tool","tool_call_id":"functions_f_0","content":"x"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id"),
                (Rule::ToolCallId, "/messages/1/tool_call_id"),
            ],
        ),
        (
            "what would be the same gets a number",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a.b"},{"id":"a b"},{"id":"a_b"}]}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a_b_2"},{"id":"a_b_3"},{"id":"a_b"}]}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id"),
                (Rule::ToolCallId, "/messages/0/tool_calls/1/id"),
            ],
        ),
        (
            "nothing",
            r#"{"messages":[{"role":"tool","tool_call_id":"","content":"x"}]}"#,
            r#"{"messages":[{"role":"tool","tool_call_id":"call","content":"x"}]}"#,
            &[(Rule::ToolCallId, "/messages/0/tool_call_id")],
        ),
        (
            "more than 64 letters",
            r#"{"messages":[{"role":"tool","content":"x","tool_call_id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX"}]}"#,
            r#"{"messages":[{"role":"tool","content":"x","tool_call_id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}"#,
            &[(Rule::ToolCallId, "/messages/0/tool_call_id")],
        ),
        (
            "the same id in two spellings, and an earlier one of the same call",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"first","id":"a.b"}]},{"role":"tool","tool_call_id":"a\u002eb","content":"x"}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a_b"}]},{"role":"tool","tool_call_id":"a_b","content":"x"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id"),
                (Rule::ToolCallId, "/messages/1/tool_call_id"),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "good ids, even in escapes",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c\u0061ll_1"},{}]},{"role":"tool","tool_call_id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}"#,
        ),
        (
            "other types",
            r#"{"messages":[{"role":"assistant","tool_calls":["a b",{"id":7}]},{"role":"tool","tool_call_id":null},{"role":"assistant","content":"","tool_calls":{"id":"a b"}}]}"#,
        ),
    ]);
}
