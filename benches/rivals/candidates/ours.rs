//! This crate, with its output read as hyper reads it.

use std::{hint::black_box, sync::LazyLock};

use bytes::Bytes;
use tower_moonshot::MoonshotCompatLayer;

static LAYER: LazyLock<MoonshotCompatLayer> = LazyLock::new(MoonshotCompatLayer::new);

pub(crate) fn rewrite(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    let (rope, report) = LAYER.rewrite(body.clone());
    let judged = black_box(report).skipped().is_none();
    for piece in rope {
        send(&piece);
    }
    judged.then_some(())
}
