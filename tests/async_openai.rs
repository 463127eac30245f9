//! The client `async-openai` with the layer as part of its transport. Its requests are
//! accepted for every family with the layer, and refused without it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
#[path = "../examples/async_openai.rs"]
mod example;

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    types::chat::{
        ChatCompletionMessageToolCall, ChatCompletionMessageToolCalls,
        ChatCompletionNamedToolChoice, ChatCompletionRequestAssistantMessage,
        ChatCompletionRequestDeveloperMessage, ChatCompletionRequestMessage,
        ChatCompletionRequestToolMessage, ChatCompletionRequestUserMessage, ChatCompletionTool,
        ChatCompletionToolChoiceOption, ChatCompletionTools, CreateChatCompletionRequest,
        FunctionObject, ResponseFormat, ResponseFormatJsonSchema, ToolChoiceOptions,
    },
};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use tower::Layer;
use tower_moonshot::{MoonshotCompatLayer, emulator::Emulator};

/// One model of each current family, with the ids of the open platform and of Kimi Code,
/// and one unknown id.
const MODELS: [&str; 7] = [
    "kimi-k3",
    "k3",
    "kimi-k2.7",
    "kimi-for-coding",
    "kimi-k2.6",
    "kimi-k2.5",
    "kimi-next",
];

/// The models that refuse a forced choice.
const UNFORCED: [&str; 5] = [
    "kimi-k2.7",
    "kimi-for-coding",
    "kimi-k2.6",
    "kimi-k2.5",
    "kimi-next",
];

const K3: [&str; 2] = ["kimi-k3", "k3"];

/// All models except for the unknown one.
const KNOWN: &[&str] = MODELS.split_at(6).0;

/// Creates a client with the layer and one without it.
fn clients() -> (Client<OpenAIConfig>, Client<OpenAIConfig>) {
    let moonshot = Emulator::new().accept_unknown_models();
    let without = example::client(moonshot.clone());
    (
        example::client(MoonshotCompatLayer::new().layer(moonshot)),
        without,
    )
}

fn user(text: &str) -> ChatCompletionRequestMessage {
    ChatCompletionRequestUserMessage::from(text).into()
}

fn ask(model: &str, text: &str) -> CreateChatCompletionRequest {
    CreateChatCompletionRequest {
        model: model.to_owned(),
        messages: vec![user(text)],
        ..Default::default()
    }
}

fn tool(name: &str, parameters: Value) -> ChatCompletionTools {
    ChatCompletionTools::Function(ChatCompletionTool {
        function: FunctionObject {
            name: name.to_owned(),
            parameters: Some(parameters),
            ..Default::default()
        },
    })
}

fn clock() -> ChatCompletionTools {
    tool(
        "clock",
        json!({
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        }),
    )
}

/// A schema as generators write it: a number of days, or `all`.
fn forecast() -> Value {
    json!({
        "type": "object",
        "properties": {
            "city": {"$ref": "#/definitions/City"},
            "days": {"enum": [1, 7, "all"]},
        },
        "required": ["city", "days"],
        "definitions": {"City": {"type": "string"}},
    })
}

async fn text(
    client: &Client<OpenAIConfig>,
    request: CreateChatCompletionRequest,
) -> Result<String, OpenAIError> {
    let answer = client.chat().create(request).await?;
    Ok(answer.choices[0].message.content.clone().unwrap())
}

async fn call(
    client: &Client<OpenAIConfig>,
    request: CreateChatCompletionRequest,
) -> Result<ChatCompletionMessageToolCall, OpenAIError> {
    let mut answer = client.chat().create(request).await?;
    let calls = answer.choices.remove(0).message.tool_calls;
    match calls.expect("a call").remove(0) {
        ChatCompletionMessageToolCalls::Function(call) => Ok(call),
        ChatCompletionMessageToolCalls::Custom(_) => panic!("a custom call"),
    }
}

/// Returns the error message of a refused request.
#[track_caller]
fn refusal<T>(result: Result<T, OpenAIError>) -> String {
    match result {
        Err(OpenAIError::ApiError(error)) => error.to_string(),
        Err(error) => panic!("not an error of the API: {error}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn a_chat_needs_the_layer_for_its_developer_message() {
    let (with, without) = clients();
    for model in MODELS {
        let mut request = ask(model, "Hi");
        let developer = ChatCompletionRequestDeveloperMessage::from("Be brief.");
        request.messages.insert(0, developer.into());
        let said = text(&with, request.clone()).await.unwrap();
        assert_eq!(said, "You said: Hi", "{model}");
        let refusal = refusal(text(&without, request).await);
        assert!(
            refusal.contains("role 'developer' is not allowed"),
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn a_stream_needs_the_layer_for_its_temperature() {
    let (with, without) = clients();
    for model in MODELS {
        let request = CreateChatCompletionRequest {
            temperature: Some(1.5),
            ..ask(model, "Count to three")
        };
        let stream = with.chat().create_stream(request.clone()).await.unwrap();
        let said: String = stream
            .try_collect::<Vec<_>>()
            .await
            .unwrap()
            .into_iter()
            .flat_map(|chunk| chunk.choices)
            .filter_map(|choice| choice.delta.content)
            .collect();
        assert_eq!(said, "You said: Count to three", "{model}");
        let refused = match without.chat().create_stream(request).await {
            Ok(stream) => stream.try_collect::<Vec<_>>().await.map(drop),
            Err(error) => Err(error),
        };
        let refusal = refusal(refused);
        assert!(refusal.contains("invalid temperature"), "{refusal}");
    }
}

#[tokio::test]
async fn tools_need_the_layer_for_their_schemas() {
    let (with, without) = clients();
    for model in MODELS {
        let request = CreateChatCompletionRequest {
            tools: Some(vec![tool("forecast", forecast())]),
            ..ask(model, "Call forecast.")
        };
        let call_of = call(&with, request.clone()).await.unwrap();
        let arguments: Value = serde_json::from_str(&call_of.function.arguments).unwrap();
        assert_eq!(arguments, json!({"city": "", "days": 1}), "{model}");
        let refusal = refusal(call(&without, request).await);
        assert!(
            refusal.contains("not a valid moonshot flavored json schema"),
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn a_tool_loop_needs_the_layer_for_the_reasoning_that_the_client_drops() {
    let (with, without) = clients();
    for model in MODELS {
        let mut request = CreateChatCompletionRequest {
            tools: Some(vec![clock()]),
            ..ask(model, "Call clock.")
        };
        let call = call(&with, request.clone()).await.unwrap();
        let id = call.id.clone();
        request.messages.extend([
            ChatCompletionRequestAssistantMessage {
                tool_calls: Some(vec![call.into()]),
                ..Default::default()
            }
            .into(),
            ChatCompletionRequestToolMessage {
                content: "noon".into(),
                tool_call_id: id,
            }
            .into(),
        ]);
        let said = text(&with, request.clone()).await.unwrap();
        assert_eq!(said, "The tool said: noon", "{model}");
        let plain = text(&without, request).await;
        if KNOWN.contains(&model) {
            let refusal = refusal(plain);
            assert!(
                refusal.contains("reasoning_content is missing"),
                "{refusal}"
            );
        } else {
            assert_eq!(plain.unwrap(), said);
        }
    }
}

#[tokio::test]
async fn a_required_choice_needs_the_layer_where_models_refuse_it() {
    let (with, without) = clients();
    for model in MODELS {
        let request = CreateChatCompletionRequest {
            tools: Some(vec![clock()]),
            tool_choice: Some(ChatCompletionToolChoiceOption::Mode(
                ToolChoiceOptions::Required,
            )),
            ..ask(model, "Hi")
        };
        let forced = call(&with, request.clone()).await.unwrap();
        assert_eq!(forced.function.name, "clock", "{model}");
        let plain = call(&without, request).await;
        if UNFORCED.contains(&model) {
            let refusal = refusal(plain);
            assert!(refusal.contains("tool_choice 'required'"), "{refusal}");
        } else {
            assert_eq!(plain.unwrap().function.name, "clock");
        }
    }
}

#[tokio::test]
async fn a_named_choice_needs_the_layer() {
    let (with, without) = clients();
    for model in MODELS {
        let other = tool("other", json!({"type": "object"}));
        let request = CreateChatCompletionRequest {
            tools: Some(vec![other, clock()]),
            tool_choice: Some(ChatCompletionToolChoiceOption::Function(
                ChatCompletionNamedToolChoice::from("clock"),
            )),
            ..ask(model, "Hi")
        };
        let named = call(&with, request.clone()).await.unwrap();
        assert_eq!(named.function.name, "clock", "{model}");
        if K3.contains(&model) {
            // Moonshot ignores the choice silently.
            assert_eq!(text(&without, request).await.unwrap(), "You said: Hi");
            continue;
        }
        let plain = call(&without, request).await;
        if KNOWN.contains(&model) {
            let refusal = refusal(plain);
            assert!(refusal.contains("tool_choice 'specified'"), "{refusal}");
        } else {
            assert_eq!(plain.unwrap().function.name, "clock");
        }
    }
}

#[tokio::test]
async fn structured_output_needs_the_layer_for_its_schema() {
    let (with, without) = clients();
    for model in MODELS {
        let request = CreateChatCompletionRequest {
            response_format: Some(ResponseFormat::JsonSchema {
                json_schema: ResponseFormatJsonSchema {
                    name: "forecast".to_owned(),
                    schema: forecast(),
                    strict: Some(true),
                    description: None,
                },
            }),
            ..ask(model, "Hi")
        };
        let said = text(&with, request.clone()).await.unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said, json!({"city": "", "days": 1}), "{model}");
        let refusal = refusal(text(&without, request).await);
        assert!(refusal.contains("response_format.json_schema"), "{refusal}");
    }
}
