//! Watches the gateway's memory and descriptors.

use std::time::{Duration, Instant};

use tokio::time;

use crate::{Failure, process::Process};

/// The highest growth that counts as none, in MB in 10 minutes.
const SLOPE: f64 = 1.0;

/// The shortest run that says something about growth: memory settles only after some
/// minutes.
const LONG: Duration = Duration::from_secs(600);

/// What was seen of the gateway, sample by sample.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Seconds since the start, and MB.
    memory: Vec<(f64, f64)>,
    descriptors: Vec<usize>,
}

impl Watch {
    /// Takes a sample each second until the time is over.
    pub(crate) async fn watch(gateway: &Process, time: Duration) -> Result<Self, Failure> {
        let began = Instant::now();
        let mut seconds = time::interval(Duration::from_secs(1));
        let mut watch = Self::default();
        while began.elapsed() < time {
            seconds.tick().await;
            let memory = gateway.memory("VmRSS")?;
            watch.memory.push((began.elapsed().as_secs_f64(), memory));
            watch.descriptors.push(gateway.descriptors()?);
        }
        Ok(watch)
    }

    /// The growth of memory in the second half, in MB in 10 minutes: the slope of the line
    /// through the samples with the least squares.
    fn slope(&self) -> f64 {
        let half = &self.memory[self.memory.len() / 2..];
        let count = half.len() as f64;
        let mean_x = half.iter().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = half.iter().map(|(_, y)| y).sum::<f64>() / count;
        let covariance: f64 = half.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let variance: f64 = half.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        covariance / variance * 600.0
    }

    /// Prints what was seen, and fails if the memory of a long run grows.
    pub(crate) fn report(&self, time: Duration) -> Result<(), Failure> {
        let memory = self.memory.iter().map(|(_, memory)| *memory);
        let last = memory.clone().next_back().unwrap_or_default();
        let most = memory.fold(0.0, f64::max);
        let descriptors = self.descriptors.iter().max();
        println!(
            "gateway: {last:.0} MB at the end, {most:.0} MB at most, {} descriptors at most",
            descriptors.unwrap_or(&0)
        );
        if time < LONG {
            return Ok(());
        }
        let slope = self.slope();
        println!("memory in the second half: {slope:+.2} MB in 10 minutes");
        if slope > SLOPE {
            return Err(format!("memory grows by more than {SLOPE} MB in 10 minutes").into());
        }
        Ok(())
    }
}
