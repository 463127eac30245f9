//! A regression test for the speed of the rewrite, with reproducible figures.
//!
//! valgrind counts the instructions of a rewrite, and those of `serde_json::Value` for the
//! same job. `gate.csv` holds the recorded ratios. The gate fails if a ratio is more than
//! 10 % below the recorded one, or if the cost per byte grows with the number of messages,
//! parts, tools, edits or bytes.
//!
//! ```sh
//! cargo run --profile bench -p rivals --bin gate               # compares
//! cargo run --profile bench -p rivals --bin gate -- --record   # records new ratios
//! ```
//!
//! `gate --count COMMAND` prints the instructions a byte of each body, as COMMAND counts them.
//! It runs a gate that may be built for another machine; see `../count-aarch64.sh`.
//!
//! Counts depend on the instruction set, so ratios are recorded per back end. A back end
//! without recorded ratios is not compared.

#[path = "../bodies/mod.rs"]
mod bodies;
mod candidates {
    pub(crate) mod job;
    pub(crate) mod ours;
    pub(crate) mod value;
}
mod sizes;

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fmt::Write,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use bodies::KINDS;
use bytes::Bytes;
use candidates::{ours, value};
use sizes::GROWTHS;

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/gate.csv");

/// The fraction that a ratio may be below the recorded one.
const FALL: f64 = 0.10;

/// The factor by which the cost per byte may be higher in a large body.
const GROWTH: f64 = 1.3;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => judge(false),
        ["--record"] => judge(true),
        ["--count", ref command @ ..] => print_counts(command),
        // The command that valgrind runs.
        ["rewrite", candidate, cycles, ref files @ ..] => rewrite(candidate, cycles, files),
        _ => Err("usage: gate [--record | --count COMMAND]".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Rewrites each file `cycles` times and prints the back end.
fn rewrite(candidate: &str, cycles: &str, files: &[&str]) -> Result<(), Failure> {
    let rewrite = if candidate == "ours" {
        ours::rewrite
    } else {
        value::rewrite
    };
    for file in files {
        let body = Bytes::from(fs::read(file)?);
        for _ in 0..cycles.parse()? {
            rewrite(&body, &mut |piece| {
                black_box(piece);
            })
            .ok_or("refused")?;
        }
    }
    println!("{}", back_end());
    Ok(())
}

/// Returns the back end that `src/json/backend` selects on this machine.
fn back_end() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt");
        if avx2 { "avx2" } else { "sse2" }
    }
    #[cfg(not(target_arch = "x86_64"))]
    if cfg!(all(target_arch = "aarch64", target_endian = "little")) {
        "neon"
    } else {
        "portable"
    }
}

/// A measurement: a candidate and the files that it rewrites.
struct Task {
    candidate: &'static str,
    files: Vec<PathBuf>,
}

impl Task {
    /// Returns the number of instructions for one rewrite of all files, and the back end.
    /// The start of the process and the first rewrite are not included.
    fn count(&self, command: &[&str]) -> Result<(f64, String), Failure> {
        let (once, back_end) = self.count_cycles(command, "1")?;
        let (thrice, _) = self.count_cycles(command, "3")?;
        Ok(((thrice - once) / 2.0, back_end))
    }

    fn count_cycles(&self, command: &[&str], cycles: &str) -> Result<(f64, String), Failure> {
        let (program, arguments) = command.split_first().ok_or("no command that counts")?;
        let output = Command::new(program)
            .args(arguments)
            .args(["rewrite", self.candidate, cycles])
            .args(&self.files)
            .output()
            .map_err(|error| format!("{program} does not run: {error}; is it installed?"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("{program} failed: {said}").into());
        }
        let collected = said
            .lines()
            .find_map(|line| line.split_once("Collected : "));
        let (_, count) = collected.ok_or_else(|| format!("{program} counted nothing: {said}"))?;
        let back_end = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok((count.trim().parse()?, back_end))
    }
}

/// Counts all tasks, one per core at a time.
fn count_all(command: &[&str], tasks: &[Task]) -> Result<Vec<(f64, String)>, Failure> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut counts = Vec::new();
        while let Some((index, task)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            tasks.get(index).map(|task| (index, task))
        } {
            counts.push((index, task.count(command)?));
        }
        Ok::<_, Failure>(counts)
    };
    let mut counts = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut counts = Vec::new();
        for worker in workers {
            counts.extend(worker.join().map_err(|_| "a worker panicked")??);
        }
        Ok::<_, Failure>(counts)
    })?;
    counts.sort_by_key(|(index, _)| *index);
    Ok(counts.into_iter().map(|(_, count)| count).collect())
}

/// A temporary directory, removed on drop.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Self, Failure> {
        let path = env::temp_dir().join(format!("tower-moonshot-gate-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// Writes the bodies. Returns the files and their total length in bytes.
    fn write(&self, name: &str, bodies: &[Bytes]) -> Result<(Vec<PathBuf>, usize), Failure> {
        let mut files = Vec::new();
        for (index, body) in bodies.iter().enumerate() {
            let file = self.0.join(format!("{}-{index}", name.replace(' ', "-")));
            fs::write(&file, body)?;
            files.push(file);
        }
        Ok((files, bodies.iter().map(Bytes::len).sum()))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Files that are left in a temporary directory do no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn judge(record: bool) -> Result<(), Failure> {
    let own = env::current_exe()?;
    let own = own
        .to_str()
        .ok_or("the path of this program is not UTF-8")?;
    let callgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let command = ["valgrind", callgrind[0], callgrind[1], own];
    let directory = Directory::new()?;
    let (back_end, ratios) = count_ratios(&command, &directory)?;
    let fallen = if record {
        keep(&back_end, &ratios)?;
        Vec::new()
    } else {
        compare(&back_end, &ratios)?
    };
    let grown = grown(&command, &directory)?;
    if fallen.is_empty() && grown.is_empty() {
        return Ok(());
    }
    let mut failure = String::new();
    if !fallen.is_empty() {
        let percent = FALL * 100.0;
        write!(
            failure,
            "\nSlower: more than {percent} % below what gate.csv has.\n{}\n\
             If that is meant: cargo run --profile bench -p rivals --bin gate -- --record\n",
            fallen.join("\n")
        )?;
    }
    if !grown.is_empty() {
        write!(
            failure,
            "\nNot linear: a byte costs more than {GROWTH} times what it costs in a small body.\n{}\n",
            grown.join("\n")
        )?;
    }
    Err(failure.into())
}

/// Ratios by body and state (unchanged or edited).
type Ratios = BTreeMap<(String, String), f64>;

fn count_ratios(command: &[&str], directory: &Directory) -> Result<(String, Ratios), Failure> {
    let mut names = Vec::new();
    let mut tasks = Vec::new();
    for (name, files, _) in write_bodies(directory)? {
        for candidate in ["value", "ours"] {
            let files = files.clone();
            tasks.push(Task { candidate, files });
        }
        names.push(name);
    }
    let counts = count_all(command, &tasks)?;
    let back_end = counts[0].1.clone();
    let ratios = counts.chunks(2).map(|pair| pair[0].0 / pair[1].0);
    Ok((back_end, names.into_iter().zip(ratios).collect()))
}

/// A body and its state, its files, and their length in bytes.
type Written = ((String, String), Vec<PathBuf>, usize);

/// Writes several of the small bodies and one of the large ones.
fn write_bodies(directory: &Directory) -> Result<Vec<Written>, Failure> {
    const BYTES: usize = 1_000_000;
    let mut written = Vec::new();
    for kind in &KINDS {
        for (edited, state) in [(false, "unchanged"), (true, "edited")] {
            let mut bodies = kind.bodies(edited);
            bodies.truncate((BYTES / bodies[0].len()).max(1));
            let (files, bytes) = directory.write(&format!("{}-{state}", kind.name), &bodies)?;
            let name = (format!("{} {}", kind.name, kind.what), state.to_owned());
            written.push((name, files, bytes));
        }
    }
    Ok(written)
}

/// Prints what a byte of each body costs.
fn print_counts(command: &[&str]) -> Result<(), Failure> {
    let directory = Directory::new()?;
    let mut names = Vec::new();
    let mut tasks = Vec::new();
    for (name, files, bytes) in write_bodies(&directory)? {
        tasks.push(Task {
            candidate: "ours",
            files,
        });
        names.push((name, bytes as f64));
    }
    let counts = count_all(command, &tasks)?;
    for (((body, state), bytes), (count, _)) in names.iter().zip(counts) {
        println!("{body},{state},{:.2}", count / bytes);
    }
    Ok(())
}

/// All recorded ratios, by back end.
fn recorded() -> Result<BTreeMap<String, Ratios>, Failure> {
    let mut recorded: BTreeMap<String, Ratios> = BTreeMap::new();
    if !Path::new(RECORD).exists() {
        return Ok(recorded);
    }
    for line in fs::read_to_string(RECORD)?.lines().skip(1) {
        let [back_end, body, state, ratio] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(format!("gate.csv: not a row: {line}").into());
        };
        let ratios = recorded.entry(back_end.to_owned()).or_default();
        ratios.insert((body.to_owned(), state.to_owned()), ratio.parse()?);
    }
    Ok(recorded)
}

fn keep(back_end: &str, ratios: &Ratios) -> Result<(), Failure> {
    let mut recorded = recorded()?;
    recorded.insert(back_end.to_owned(), ratios.clone());
    let mut csv = String::from("back_end,body,state,times_fewer_instructions\n");
    for (back_end, ratios) in &recorded {
        for ((body, state), ratio) in ratios {
            writeln!(csv, "{back_end},{body},{state},{ratio:.2}")?;
        }
    }
    fs::write(RECORD, csv)?;
    for ((body, state), ratio) in ratios {
        println!("{body} {state}: {ratio:.2}, recorded for {back_end}");
    }
    Ok(())
}

/// Prints the ratios beside the recorded ones. Returns those that are too low.
fn compare(back_end: &str, ratios: &Ratios) -> Result<Vec<String>, Failure> {
    let recorded = recorded()?;
    let Some(recorded) = recorded.get(back_end) else {
        println!("nothing is recorded for {back_end}, so nothing is compared");
        return Ok(Vec::new());
    };
    println!("times fewer instructions than serde_json's Value, on {back_end}\n");
    println!("| body | | counted | recorded | |\n|---|---|---|---|---|");
    let mut fallen = Vec::new();
    for (name, ratio) in ratios {
        let (body, state) = name;
        let Some(before) = recorded.get(name) else {
            fallen.push(format!(
                "  {body}, {state}: {ratio:.2}, and nothing is recorded"
            ));
            continue;
        };
        let change = ratio / before - 1.0;
        let percent = change * 100.0;
        println!("| {body} | {state} | {ratio:.2} | {before:.2} | {percent:+.1} % |");
        if change < -FALL {
            fallen.push(format!(
                "  {body}, {state}: {ratio:.2} times fewer instructions, recorded are {before:.2} \
                 ({percent:+.1} %)"
            ));
        }
    }
    Ok(fallen)
}

/// Prints the cost per byte of small and large bodies. Returns those that grow too much.
fn grown(command: &[&str], directory: &Directory) -> Result<Vec<String>, Failure> {
    let mut sizes = Vec::new();
    let mut tasks = Vec::new();
    for growth in &GROWTHS {
        for count in [growth.small, growth.counts[growth.counts.len() - 1]] {
            let mut bodies = growth.bodies(count);
            bodies.truncate(1);
            let (files, bytes) = directory.write(&format!("{}-{count}", growth.of), &bodies)?;
            sizes.push((growth.of, count, bytes as f64));
            tasks.push(Task {
                candidate: "ours",
                files,
            });
        }
    }
    println!("\ninstructions a byte\n\n| | few | many | times |\n|---|---|---|---|");
    let mut grown = Vec::new();
    let costs = count_all(command, &tasks)?;
    for (pair, sizes) in costs.chunks(2).zip(sizes.chunks(2)) {
        let ((of, few, bytes), (_, many, more_bytes)) = (sizes[0], sizes[1]);
        let (cost, more_cost) = (pair[0].0 / bytes, pair[1].0 / more_bytes);
        let times = more_cost / cost;
        let line = format!("{few} and {many} {of} | {cost:.3} | {more_cost:.3} | {times:.2}");
        println!("| {line} |");
        if times > GROWTH {
            grown.push(format!(
                "  {of}: {cost:.3} instructions with {few}, {more_cost:.3} with {many}"
            ));
        }
    }
    Ok(grown)
}
