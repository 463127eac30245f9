//! The same job in every library.
//!
//! The job is that of [`value`]: find the model, remove the sampling keys that it
//! refuses, rename the role `developer` to `system`, and flatten content arrays if all of
//! them in the request hold only text. The other candidates may pass an unchanged body on
//! as it is, and copy what they don't change. Only [`ours`] has the other rules of this
//! crate.

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

use crate::measure::Rewrite;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) rewrite: Rewrite,
}

/// The baseline of the comparison.
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

/// Not rewrites, but lower bounds for one: no rewrite can be faster.
pub(crate) const LIMITS: &[Candidate] = &[
    candidate("memcpy", limits::copy),
    candidate("simdutf8", limits::utf8),
    candidate("memchr2", limits::quotes),
];

const fn candidate(name: &'static str, rewrite: Rewrite) -> Candidate {
    Candidate { name, rewrite }
}
