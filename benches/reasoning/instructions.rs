//! Counts instructions with valgrind, which other programs on the machine don't disturb.

use std::{env, fs, process::Command};

/// Returns the instructions of one call of a candidate, which this program runs when it is
/// called with its name and a number of calls.
pub(crate) fn per_call(candidate: &str) -> f64 {
    const FEW: usize = 10;
    const MANY: usize = 60;
    let (few, many) = (count(candidate, FEW), count(candidate, MANY));
    (many - few) / (MANY - FEW) as f64
}

fn count(candidate: &str, calls: usize) -> f64 {
    let out = env::temp_dir().join(format!("reasoning-{}.out", std::process::id()));
    let valgrind = Command::new("valgrind")
        .args(["-q", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe().unwrap())
        .args([candidate, &calls.to_string()])
        .status();
    assert!(valgrind.unwrap().success(), "{candidate}");
    let profile = fs::read_to_string(&out).unwrap();
    fs::remove_file(&out).unwrap();
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("summary: "));
    total.and_then(|total| total.trim().parse().ok()).unwrap()
}
