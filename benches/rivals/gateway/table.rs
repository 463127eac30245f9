//! Tables, in Markdown.

use crate::client::Figures;

pub(crate) fn row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().collect();
    format!("| {} |", cells.join(" | "))
}

pub(crate) fn head(names: &[&str]) -> String {
    let names = names.iter().map(|name| (*name).to_owned());
    let line = names.clone().map(|_| "---".to_owned());
    format!("{}\n{}", row(names), row(line))
}

/// The median; of an even number of values the upper one in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The measurements of all rounds together.
pub(crate) fn together(rounds: &[Figures]) -> Figures {
    let mut all = Figures::default();
    for round in rounds {
        all.add(round.clone());
    }
    all
}
