//! Starts the processes under load, and reads their processor time and memory.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::Failure;

/// A server process. Dropping this value ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Kept open, because the server may still write to it.
    _out: Option<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts a server that prints its address to stdout.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut out = child.stdout.take().map(BufReader::new);
        let address = out.as_mut().and_then(|out| {
            let mut lines = out.lines();
            lines.find_map(|line| {
                let line = line.ok()?;
                // `moonshot-ext-proc` says what it serves there: `gRPC:`.
                let address = line
                    .split_once("http://")
                    .or_else(|| line.split_once("gRPC:"))?;
                address.1.trim().trim_end_matches("/v1").parse().ok()
            })
        });
        let Some(address) = address else {
            let status = child.kill().and_then(|()| child.wait());
            return Err(format!("{command:?} did not start: {status:?}").into());
        };
        Ok(Self {
            child,
            address,
            _out: out,
        })
    }

    /// Starts this program in another role.
    pub(crate) fn role(arguments: &[&str]) -> Result<Self, Failure> {
        Self::start(Command::new(env::current_exe()?).args(arguments))
    }

    /// Starts the example `emulator`.
    pub(crate) fn emulator() -> Result<Self, Failure> {
        let program = build(&["--example", "emulator"], "examples/emulator")?;
        Self::start(Command::new(program).args(["--port", "0"]))
    }

    /// Starts a server that listens at a given address, and waits until it does.
    pub(crate) async fn start_at(
        command: &mut Command,
        address: SocketAddr,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut process = Self {
            child,
            address,
            _out: None,
        };
        let listening = async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                if let Some(status) = process.child.try_wait()? {
                    return Err(format!("{command:?} ended: {status}").into());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok::<(), Failure>(())
        };
        tokio::time::timeout(patience, listening).await??;
        Ok(process)
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }

    /// The processor time of its threads so far, in nanoseconds.
    pub(crate) fn cpu(&self) -> Result<u64, Failure> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(self.proc("task"))? {
            let line = fs::read_to_string(thread?.path().join("schedstat"))?;
            let on_cpu = line.split(' ').next().unwrap_or_default();
            nanoseconds += on_cpu.parse::<u64>()?;
        }
        Ok(nanoseconds)
    }

    /// The number of its open file descriptors.
    pub(crate) fn descriptors(&self) -> Result<usize, Failure> {
        Ok(fs::read_dir(self.proc("fd"))?.count())
    }

    /// A line of its `status` in `/proc`, in MB: `VmRSS` is the current resident memory,
    /// `VmHWM` the highest so far.
    pub(crate) fn memory(&self, line: &str) -> Result<f64, Failure> {
        let status = fs::read_to_string(self.proc("status"))?;
        let line = status.lines().find_map(|found| found.strip_prefix(line));
        let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
        let kibibytes: f64 = kibibytes.ok_or("no such line")?.parse()?;
        Ok(kibibytes * 1024.0 / 1e6)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The gateway's program, and a configuration file that LiteLLM can read too.
#[derive(Debug)]
pub(crate) struct Gateway {
    program: PathBuf,
    pub(crate) config: PathBuf,
}

/// LiteLLM's example for Moonshot.
const CONFIG: &str = include_str!("../../../tests/clients/litellm-proxy/config.yaml");

/// The upstream's key and the clients' key, in the variables that the example names.
pub(crate) const KEYS: [(&str, &str); 2] = [
    ("MOONSHOT_API_KEY", "sk-of-the-upstream"),
    ("LITELLM_MASTER_KEY", MASTER_KEY),
];

/// The key that clients send. LiteLLM refuses to start with one that is easy to guess.
pub(crate) const MASTER_KEY: &str = "sk-5c1bf2e7a94d4d0f8e63b7a2f10c9d38";

/// Builds a package's program with the profile of this one, and returns its path.
///
/// An optimized build has the features that the package asks for. A debug build has those
/// that `cargo test` has already built it with.
pub(crate) fn build_program(package: &str) -> Result<PathBuf, Failure> {
    if cfg!(debug_assertions) {
        build(&["--bin", package], package)
    } else {
        build(&["--package", package, "--bin", package], package)
    }
}

/// Builds something of the workspace with the profile of this program, and returns its
/// path.
fn build(what: &[&str], path: &str) -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    };
    // This program is `deps/gateway-…` in the directory of its profile.
    let program = env::current_exe()?;
    let mut directories = program.ancestors().skip(2);
    let target = directories.next().ok_or("no target directory")?;
    let built = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--locked", "--quiet"])
        .args(what)
        .args(["--profile", profile, "--target-dir"])
        .args(directories.next())
        .current_dir(root)
        .status()?;
    if !built.success() {
        return Err(format!("{path} cannot be built").into());
    }
    Ok(target.join(path))
}

impl Gateway {
    /// Builds the gateway, and writes a configuration for this upstream.
    pub(crate) fn build(upstream: SocketAddr) -> Result<Self, Failure> {
        let program = build_program("moonshot-gateway")?;
        let config = program.with_file_name("gateway-bench.yaml");
        let base = format!("      api_base: http://{upstream}/v1\n");
        let mut text = String::new();
        for line in CONFIG.lines() {
            text.push_str(line);
            text.push('\n');
            if line.contains("api_key:") {
                text.push_str(&base);
            }
        }
        fs::write(&config, text)?;
        Ok(Self { program, config })
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Process, Failure> {
        let mut command = Command::new(&self.program);
        command.env_remove("RUST_LOG").env_remove("HOST").envs(KEYS);
        command.args(["--port", "0", "--config"]);
        Process::start(command.arg(&self.config).args(arguments))
    }
}
