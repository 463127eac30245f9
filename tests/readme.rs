//! The programs of the READMEs, compiled as a reader would: pasted into a new package
//! with the dependencies that are printed above them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A program, and the lines of the manifest that it needs.
#[derive(Debug)]
struct Program {
    manifest: String,
    source: String,
}

/// A fenced block of code: its language, and its text.
fn blocks(markdown: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let language = info.split(',').next().unwrap_or_default().trim();
        let text = lines.by_ref().take_while(|line| *line != "```");
        blocks.push((language, text.map(|line| format!("{line}\n")).collect()));
    }
    blocks
}

/// Finds each Rust block that directly follows a block with `[dependencies]`.
fn programs(markdown: &str) -> Vec<Program> {
    let blocks = blocks(markdown);
    let pairs = blocks.windows(2).filter_map(|pair| match pair {
        [("toml", manifest), ("rust", source)] if manifest.contains("[dependencies]") => {
            Some(Program {
                manifest: manifest.clone(),
                source: source.clone(),
            })
        }
        _ => None,
    });
    pairs.collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// Checks a program in a package of its own, with the versions of our lock file. It
/// only replaces the published library by the one in this directory, and needs no
/// network: every crate was downloaded to build this test.
fn check(name: &str, program: &Program) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    let package = directory.join(name);
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[workspace]\n\n{}",
        program.manifest
    );
    write(&package.join("Cargo.toml"), &manifest);
    write(&package.join("src/main.rs"), &program.source);
    fs::copy(
        Path::new(ROOT).join("Cargo.lock"),
        package.join("Cargo.lock"),
    )
    .unwrap();
    let patch = format!("patch.crates-io.tower-moonshot.path={ROOT:?}");
    let checked = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--offline", "--quiet", "--config", &patch])
        .arg("--target-dir")
        .arg(directory.join("target"))
        .env("RUSTFLAGS", "-D warnings")
        .current_dir(&package)
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&checked.stderr)
    );
}

/// Leaves a file alone that has this text already, so that nothing is compiled anew.
fn write(path: &PathBuf, text: &str) {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn the_programs_of_the_readmes_compile_in_a_new_package() {
    let readmes = [
        ("readme", "README.md"),
        ("gateway-readme", "gateway/README.md"),
    ];
    let mut count = 0;
    for (name, path) in readmes {
        for (number, program) in programs(&read(path)).iter().enumerate() {
            check(&format!("{name}-{number}"), program);
            count += 1;
        }
    }
    assert_ne!(count, 0, "no program found");
}

/// The example adds an emulator and is otherwise the program that the README shows, so
/// that its tests are tests of both.
#[test]
fn the_first_program_is_the_example_gateway_without_the_emulator() {
    let example = read("examples/gateway.rs").replace("pub(crate) ", "");
    let mut lines = example.lines();
    let programs = programs(&read("README.md"));
    for line in programs[0].source.lines() {
        assert!(lines.any(|found| found == line), "not in order: {line:?}");
    }
}
