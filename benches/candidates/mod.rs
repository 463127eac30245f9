//! One job, done with every library that one might do it with.
//!
//! The job is [`value`]'s: find the model, take the sampling keys out that it
//! refuses, call a `developer` `system`, and make text of content arrays where
//! all of the request's hold nothing else. The others may hand on an unchanged
//! body as it came, and copy what they don't change. None of them has the other
//! nine rules, which are part of what [`ours`] takes.

mod jiter;
mod job;
mod limits;
mod ours;
mod raw_value;
mod simd_json;
mod sonic_lazy;
mod sonic_value;
mod spans;
mod value;

use bytes::Bytes;

/// Hands on the body that goes out, piece by piece. `None` if it is refused.
pub(crate) type Rewrite = fn(&Bytes, &mut dyn FnMut(&[u8])) -> Option<()>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) rewrite: Rewrite,
}

/// What the others are measured by.
pub(crate) const VALUE: Candidate = candidate(
    if cfg!(feature = "ordered") {
        "serde_json ordered"
    } else {
        "serde_json Value"
    },
    value::rewrite,
);

pub(crate) const OURS: Candidate = candidate("tower-moonshot", ours::rewrite);

pub(crate) const OTHERS: &[Candidate] = &[
    candidate("serde_json RawValue", raw_value::rewrite),
    candidate("jiter", jiter::rewrite),
    candidate("sonic-rs Value", sonic_value::rewrite),
    candidate("sonic-rs lazy", sonic_lazy::rewrite),
    candidate("simd-json", simd_json::rewrite),
];

/// No rewrites: what no rewrite can be faster than, each for its own reason.
pub(crate) const LIMITS: &[Candidate] = &[
    candidate("memcpy", limits::copy),
    candidate("simdutf8", limits::utf8),
    candidate("memchr2", limits::quotes),
];

const fn candidate(name: &'static str, rewrite: Rewrite) -> Candidate {
    Candidate { name, rewrite }
}
