//! Counts the work of checks, so that tests can show that it grows no faster
//! than the request or the schema.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts steps of work. Does nothing outside of tests.
#[inline]
pub(super) fn count(steps: usize) {
    #[cfg(test)]
    STEPS.set(STEPS.get() + steps);
    #[cfg(not(test))]
    let _ = steps;
}

/// The steps that this thread has taken since it last asked.
#[cfg(test)]
pub(super) fn taken() -> usize {
    STEPS.take()
}
