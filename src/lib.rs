//! A tower layer that lets anything that speaks OpenAI's chat completions talk
//! to Moonshot AI's Kimi models.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "emulator")]
#[cfg_attr(docsrs, doc(cfg(feature = "emulator")))]
pub mod emulator;
