//! Checks `messages`.

use super::{
    super::{error::ApiError, family::Family},
    Object, content, field,
    history::History,
    message::Message,
    thinking::Thinking,
};

pub(super) fn check(body: &Object, family: Family, thinking: &Thinking) -> Result<(), ApiError> {
    let messages = field::array(body, "messages")?.unwrap_or_default();
    if messages.is_empty() {
        return Err(ApiError::invalid(
            "Invalid request: messages must not be empty",
        ));
    }
    let parts_allowed =
        family.takes_text_parts() || messages.iter().any(content::has_other_than_text);
    let mut history = History::default();
    for (index, message) in messages.iter().enumerate() {
        let message = Message::read(index, message)?;
        history.add(&message)?;
        message.check_content(parts_allowed)?;
        message.check_tools(family)?;
        message.check_reasoning(thinking)?;
    }
    history.close()
}
