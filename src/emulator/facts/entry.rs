//! Facts about the key, the body as a whole, and the model.

use http::StatusCode;

use super::{
    Section,
    fact::{Fact, INVALID_REQUEST, SampleKey},
    grade::Grade::{Documented, Reported},
    models::ALL,
    table,
};
use crate::Rule;

table! { FACTS:
    KEY_MISSING = Fact::refused("key_missing", ALL, "no key, or a malformed one; only with [`with_api_key`]")
        .with_key(SampleKey::Missing)
        .with_status(StatusCode::UNAUTHORIZED, "invalid_authentication_error")
        .says("Invalid Authentication", &[])
        .known(&[Reported]);
    KEY_WRONG = Fact::refused("key_wrong", ALL, "a wrong key; only with [`with_api_key`]")
        .with_key(SampleKey::Wrong)
        .with_status(StatusCode::UNAUTHORIZED, "incorrect_api_key_error")
        .says("Incorrect API key provided", &[])
        .known(&[Reported]);
    BODY_TOO_LONG = Fact::refused("body_too_long", ALL, "a body over 100 000 000 bytes")
        .with_status(StatusCode::PAYLOAD_TOO_LARGE, INVALID_REQUEST)
        .says_like("Invalid request: the request body is larger than 100 MB", &[])
        .known(&[Documented]);
    BODY_NOT_JSON = Fact::refused("body_not_json", ALL, "a body that is not JSON, or breaks off")
        .with_body("{\"model\":\"$MODEL\"")
        .says_like("Invalid request: the request body is not valid JSON: {}", &["EOF"]);
    BODY_NOT_AN_OBJECT = Fact::refused("body_not_an_object", ALL, "a body that is not a JSON object")
        .with_body("[]")
        .says_like("Invalid request: the request body must be a JSON object", &[]);
    MODEL_MISSING = Fact::refused("model_missing", ALL, "no `model`")
        .with_body(r#"{"messages":[{"role":"user","content":"Hi"}]}"#)
        .says_like("Invalid request: model is required", &[]);
    MODEL_ROUTED = Fact::refused("model_routed", ALL, "a model with a router's prefix, `moonshot/` or `moonshotai/`")
        .with(r#"{"model":"moonshot/$MODEL"}"#)
        .with_status(StatusCode::NOT_FOUND, NOT_FOUND)
        .says(NO_MODEL, &["moonshot/$MODEL"])
        .known(&[Reported])
        .repaired_by(Rule::Model);
    MODEL_UNKNOWN = Fact::refused("model_unknown", ALL, "a model not on sale")
        .with(r#"{"model":"no-such-model"}"#)
        .with_status(StatusCode::NOT_FOUND, NOT_FOUND)
        .says(NO_MODEL, &["no-such-model"])
        .known(&[Reported]);
}

const NOT_FOUND: &str = "resource_not_found_error";
const NO_MODEL: &str = "Not found the model {} or Permission denied";

pub(super) static SECTION: Section = Section {
    title: "## Key, body and model",
    before: "",
    after: "The first two also apply to `GET` requests for models, the last two to\n\
        `GET …/v1/models/{id}`.\n\n\
        [`with_api_key`]: Emulator::with_api_key",
    facts: FACTS,
};
