//! `role`: Moonshot has no `developer` (live reports, `role 'developer' is not
//! allowed`). It is OpenAI's newer name for `system`.

use super::{
    change::Place,
    chat::MessageField,
    draft::Draft,
};

pub(super) fn apply(draft: &mut Draft<'_>) {
    for index in 0..draft.message_count() {
        let role = draft.message_field(index, MessageField::Role);
        if let Some(role) = role.filter(|role| draft.is_string(role.value, "developer")) {
            draft.edits().replace(role.value.span, "\"system\"");
            draft.note(
                Place::Message(index, MessageField::Role),
                "Moonshot calls this role system",
            );
        }
    }
}
