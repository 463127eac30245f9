//! A progress bar, on a terminal and for long files only.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

/// A file from this length on takes long.
const LONG: u64 = 20 * 1024 * 1024;

/// How much of a file was read.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Begins with a file of this length.
    pub(super) fn new(length: Option<u64>) -> Self {
        let length = length.filter(|length| *length >= LONG && io::stderr().is_terminal());
        Self(length.map(|length| {
            let bar = ProgressBar::new(length);
            let template = "{wide_bar} {bytes} of {total_bytes}, {eta} left";
            match ProgressStyle::with_template(template) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        }))
    }

    pub(super) fn read(&mut self, bytes: usize) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes as u64);
        }
    }

    /// Prints something else, without the bar meanwhile.
    pub(super) fn around<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}
