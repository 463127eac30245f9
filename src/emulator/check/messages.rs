//! Checks `messages`.

use super::{
    super::{facts, family::Family, finding::Findings, place::Place, steps},
    Object, content, field,
    history::History,
    message::{Lists, Message},
    thinking::Thinking,
};

pub(super) fn check(body: &Object, family: Family, thinking: &Thinking, findings: &mut Findings) {
    let Ok(messages) = field::array(body, "messages", &Place::ROOT, findings) else {
        return;
    };
    let messages = messages.unwrap_or_default();
    let place = Place::ROOT.key("messages");
    if messages.is_empty() {
        findings.add(&facts::NO_MESSAGES, &place, &[]);
        return;
    }
    let lists = Lists {
        are_allowed: family.takes_text_parts() || messages.iter().any(content::has_other_than_text),
        are_text: messages.iter().all(content::is_text),
    };
    let mut history = History::default();
    for (index, message) in messages.iter().enumerate() {
        steps::count(1);
        let place = place.index(index);
        let Some(message) = Message::read(index, message, &place, thinking, findings) else {
            continue;
        };
        history.add(&message, &place, findings);
        message.check_content(lists, &place, findings);
        message.check_tools(family, &place, findings);
        message.check_reasoning(thinking, &place, findings);
    }
    history.close(findings);
}
