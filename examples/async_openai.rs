//! The client `async-openai`, with the layer as part of its transport. No gateway is
//! needed.
//!
//! Run it with
//!
//! ```text
//! cargo run --example async_openai
//! ```
//!
//! Without a key, an emulator in this process answers. To send requests to Moonshot, run
//! it with
//!
//! ```text
//! MOONSHOT_API_KEY=sk-… cargo run --example async_openai
//! ```
//!
//! With its feature `middleware`, the client accepts any tower service as its transport.

use std::io::{self, Write};

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    middleware::{HttpRequestFactory, retry::OpenAIRetryLayer},
    types::chat::{
        ChatCompletionMessageToolCalls, ChatCompletionNamedToolChoice,
        ChatCompletionRequestDeveloperMessage, ChatCompletionRequestMessage,
        ChatCompletionRequestUserMessage, ChatCompletionTool, ChatCompletionToolChoiceOption,
        ChatCompletionTools, CreateChatCompletionRequest, FunctionObject,
    },
};
use bytes::Bytes;
use futures_util::StreamExt;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy, rt::TokioExecutor};
use serde_json::json;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_moonshot::{MoonshotCompatLayer, emulator::Emulator};

/// Any current model of Moonshot.
const MODEL: &str = "kimi-k2.6";

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // Reads the region from MOONSHOT_API_BASE and the key from MOONSHOT_API_KEY.
    let layer = MoonshotCompatLayer::from_env()?;
    let client = if std::env::var_os("MOONSHOT_API_KEY").is_some_and(|key| !key.is_empty()) {
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_all_versions()
            .build();
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
        client(layer.layer(http))
    } else {
        client(layer.layer(Emulator::new()))
    };

    // Moonshot rejects the role and the temperature of this request.
    let request = CreateChatCompletionRequest {
        temperature: Some(0.2),
        messages: vec![
            ChatCompletionRequestDeveloperMessage::from("Be brief.").into(),
            user("Hi!"),
        ],
        ..ask()
    };
    let mut stream = client.chat().create_stream(request).await?;
    while let Some(chunk) = stream.next().await {
        for choice in chunk?.choices {
            print!("{}", choice.delta.content.unwrap_or_default());
            io::stdout().flush()?;
        }
    }
    println!();

    // Moonshot rejects the tool choice of this request.
    let request = CreateChatCompletionRequest {
        tools: Some(vec![ChatCompletionTools::Function(weather())]),
        tool_choice: Some(ChatCompletionToolChoiceOption::Function(
            ChatCompletionNamedToolChoice::from("weather"),
        )),
        messages: vec![user("Should I take an umbrella to Paris?")],
        ..ask()
    };
    let answer = client.chat().create(request).await?;
    for choice in answer.choices {
        for call in choice.message.tool_calls.unwrap_or_default() {
            if let ChatCompletionMessageToolCalls::Function(call) = call {
                println!("{}({})", call.function.name, call.function.arguments);
            }
        }
    }
    Ok(())
}

/// Creates a client that sends its requests through `http`, an HTTP service wrapped in the
/// layer.
pub(crate) fn client<S, B>(http: S) -> Client<OpenAIConfig>
where
    S: Service<http::Request<reqwest::Body>, Response = http::Response<B>>,
    S: Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    // The client sends factories of reqwest's requests, so that a retry can create a new
    // request.
    let transport = service_fn(move |factory: HttpRequestFactory| {
        let http = http.clone();
        async move {
            let request = http::Request::try_from(factory.build().await?)?;
            let response = http.oneshot(request).await.map_err(Into::into)?;
            Ok::<_, OpenAIError>(reqwest::Response::from(response.map(reqwest::Body::wrap)))
        }
    });
    let transport = ServiceBuilder::new()
        // The client's own transport includes this layer.
        .layer(OpenAIRetryLayer::default())
        .service(transport);
    // Without these, the client sends OpenAI's key and organization from the environment.
    // The layer sets the URL and Moonshot's key.
    let config = OpenAIConfig::new()
        .with_api_key("")
        .with_org_id("")
        .with_project_id("");
    Client::with_config(config).with_http_service(transport)
}

fn ask() -> CreateChatCompletionRequest {
    CreateChatCompletionRequest {
        model: MODEL.to_owned(),
        ..Default::default()
    }
}

fn user(text: &str) -> ChatCompletionRequestMessage {
    ChatCompletionRequestUserMessage::from(text).into()
}

fn weather() -> ChatCompletionTool {
    ChatCompletionTool {
        function: FunctionObject {
            name: "weather".to_owned(),
            parameters: Some(json!({
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            })),
            ..Default::default()
        },
    }
}
