//! What the model in the benches accepts.

/// Keys that are kept only with these values on a model that [`is_fixed`].
pub(crate) const FIXED: [(&str, f64); 5] = [
    ("temperature", 1.0),
    ("top_p", 0.95),
    ("n", 1.0),
    ("presence_penalty", 0.0),
    ("frequency_penalty", 0.0),
];

/// Whether the model accepts fixed sampling values only.
pub(crate) fn is_fixed(model: &str) -> bool {
    model.starts_with("kimi-k3")
}
