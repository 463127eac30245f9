//! `role`: replaces `developer` by `system`.
//!
//! Moonshot refuses `developer`, which is OpenAI's newer name for `system` (live reports,
//! `role 'developer' is not allowed`).

use super::{
    change::Place,
    chat::{MessageField, Role},
    draft::Draft,
};

pub(super) fn apply(draft: &mut Draft<'_>) {
    if !draft.any_message_is(Role::Developer) {
        return;
    }
    for index in 0..draft.message_count() {
        if draft.role(index) != Some(Role::Developer) {
            continue;
        }
        if let Some(role) = draft.message_field(index, MessageField::Role) {
            draft.edits().replace(role.value.span, "\"system\"");
            draft.note(
                Place::message(index, MessageField::Role),
                "Moonshot calls this role system",
            );
        }
    }
}
