//! Times rewrites in interleaved rounds.

use std::hint::black_box;

use bytes::Bytes;
use cpu_time::ThreadTime;

/// Passes the output to a function, piece by piece. Returns `None` if the body is
/// refused.
pub(crate) type Rewrite = fn(&Bytes, &mut dyn FnMut(&[u8])) -> Option<()>;

/// Returns the output in one piece.
pub(crate) fn sent(rewrite: Rewrite, body: &Bytes) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    rewrite(body, &mut |piece| out.extend_from_slice(piece))?;
    Some(out)
}

/// Returns the nanoseconds per call, over enough calls to measure. This is CPU time of the
/// thread, which excludes other programs.
fn time(rewrite: Rewrite, bodies: &[Bytes]) -> f64 {
    let calls = (1_000_000 / bodies[0].len())
        .clamp(1, 400)
        .max(bodies.len());
    let start = ThreadTime::now();
    for body in bodies.iter().cycle().take(calls) {
        black_box(rewrite(body, &mut |piece| {
            black_box(piece);
        }));
    }
    start.elapsed().as_secs_f64() * 1e9 / calls as f64
}

/// The times of several rewrites in many interleaved rounds.
pub(crate) struct Rounds(Vec<Vec<f64>>);

impl Rounds {
    pub(crate) fn of(rewrites: &[Rewrite], bodies: &[Bytes], rounds: usize) -> Self {
        let round = |_| rewrites.iter().map(|rewrite| time(*rewrite, bodies));
        Self((0..rounds).map(round).map(Iterator::collect).collect())
    }

    /// Returns the median of a figure over all rounds.
    pub(crate) fn median(&self, of: impl Fn(&[f64]) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.0.iter().map(|round| of(round)).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    }
}

/// Returns the mean length of the bodies.
pub(crate) fn mean_bytes(bodies: &[Bytes]) -> usize {
    bodies.iter().map(Bytes::len).sum::<usize>() / bodies.len()
}
