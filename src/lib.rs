//! A tower layer that lets anything that speaks OpenAI's chat completions talk
//! to Moonshot AI's Kimi models.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod endpoint;
mod error;
mod future;
mod json;
mod layer;
mod model;
mod read;
mod report;
mod rewrite;
mod service;

#[cfg(feature = "emulator")]
#[cfg_attr(docsrs, doc(cfg(feature = "emulator")))]
pub mod emulator;

pub use self::{
    body::CompatBody,
    endpoint::{ApiKey, BaseUrl, Region},
    error::ConfigError,
    future::ResponseFuture,
    json::Rope,
    layer::MoonshotCompatLayer,
    report::{InvalidJson, Report, Skipped},
    rewrite::{Change, NPolicy, Rule, ToolChoicePolicy},
    service::MoonshotCompat,
};
