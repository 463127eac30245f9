//! The processes: Envoy, external processors, gateways, Redis.

use std::{
    env,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::{KEY, in_time, until};

/// A process that ends with this value.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).kill_on_drop(true).spawn();
        Self {
            child: child.unwrap(),
        }
    }

    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        let status = std::process::Command::new("kill")
            .args([signal, &pid])
            .status();
        assert!(status.unwrap().success());
    }
}

/// An Envoy, and the addresses on which it listens.
pub(crate) struct Envoy {
    _process: Process,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
}

impl Envoy {
    /// Starts Envoy with the text of a configuration, and waits until it serves.
    pub(crate) async fn start(program: &Path, configuration: &str) -> Self {
        let directory = directory();
        let file = directory.join("envoy.yaml");
        std::fs::write(&file, configuration).unwrap();
        let admin = directory.join("admin");
        let process = Process::start(
            Command::new(program)
                .args(["--disable-hot-restart", "--concurrency", "1", "-l", "error"])
                .arg("-c")
                .arg(&file)
                .arg("--admin-address-path")
                .arg(&admin)
                .stdout(Stdio::null()),
        );
        let mut address = None;
        until(async || {
            let text = std::fs::read_to_string(&admin).unwrap_or_default();
            address = text.parse().ok();
            address.is_some()
        })
        .await;
        let admin: SocketAddr = address.unwrap();
        let mut listener = None;
        until(async || {
            // `clients::127.0.0.1:40001`
            let text = get(admin, "/listeners").await.unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("clients::"));
            listener = line.and_then(|line| line.parse().ok());
            listener.is_some()
        })
        .await;
        let envoy = Self {
            _process: process,
            address: listener.unwrap(),
            admin,
        };
        until(async || {
            get(admin, "/ready")
                .await
                .is_some_and(|text| text.contains("LIVE"))
        })
        .await;
        envoy
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits until a health check of a cluster has failed.
    pub(crate) async fn has_failed_checks(&self, cluster: &str) {
        let name = format!("cluster.{cluster}.health_check.failure: ");
        until(async || {
            let text = get(self.admin, "/stats").await.unwrap_or_default();
            let count = text.lines().find_map(|line| line.strip_prefix(&name));
            count.is_some_and(|count| count != "0")
        })
        .await;
    }

    /// Waits until so many endpoints of a cluster are healthy.
    pub(crate) async fn has_healthy(&self, cluster: &str, count: usize) {
        until(async || {
            let text = get(self.admin, "/clusters").await.unwrap_or_default();
            let lines = text.lines().filter(|line| {
                line.starts_with(&format!("{cluster}::")) && line.ends_with("health_flags::healthy")
            });
            lines.count() == count
        })
        .await;
    }
}

async fn get(address: SocketAddr, path: &str) -> Option<String> {
    let response = reqwest::get(format!("http://{address}{path}")).await.ok()?;
    response.text().await.ok()
}

/// An external processor.
pub(crate) struct ExtProc {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    metrics: SocketAddr,
}

impl ExtProc {
    /// Starts one that sends requests to `upstream`.
    pub(crate) async fn start(upstream: SocketAddr, arguments: &[&str]) -> Self {
        Self::start_at(0, upstream, arguments).await
    }

    /// The same on a given port.
    pub(crate) async fn start_at(port: u16, upstream: SocketAddr, arguments: &[&str]) -> Self {
        let mut process = Process::start(
            clean(env!("CARGO_BIN_EXE_moonshot-ext-proc"))
                .args(["--port", &port.to_string(), "--metrics-port", "0"])
                .args(arguments)
                .env("MOONSHOT_API_BASE", format!("http://{upstream}/v1"))
                .env("RUST_LOG", "error")
                .stdout(Stdio::piped()),
        );
        let mut lines = BufReader::new(process.child.stdout.take().unwrap()).lines();
        let mut line = async |prefix: &str| -> String {
            let line = in_time(lines.next_line())
                .await
                .unwrap()
                .expect("it starts");
            let line = line.strip_prefix(prefix).expect("the address");
            line.trim().to_owned()
        };
        let address = line("gRPC:").await.parse().unwrap();
        let metrics = line("Metrics:").await;
        let metrics = metrics.strip_prefix("http://").unwrap();
        Self {
            process,
            address,
            metrics: metrics.strip_suffix("/metrics").unwrap().parse().unwrap(),
        }
    }

    /// Returns a number from its metrics.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = get(self.metrics, "/metrics").await.unwrap();
        let found = text.lines().find_map(|line| {
            let number = line
                .strip_prefix("moonshot_ext_proc_")?
                .strip_prefix(name)?;
            number.trim().parse().ok()
        });
        found.unwrap_or_else(|| panic!("{name} is not in {text}"))
    }
}

/// A gateway.
pub(crate) struct Gateway {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// Kept open, because the gateway still writes to it.
    _out: Lines<BufReader<ChildStdout>>,
}

impl Gateway {
    /// Builds the gateway if necessary, and starts it.
    pub(crate) async fn start(upstream: SocketAddr, arguments: &[&str]) -> Self {
        let mut process = Process::start(
            clean(gateway())
                .args(["--port", "0"])
                .args(arguments)
                .env("MOONSHOT_API_BASE", format!("http://{upstream}/v1"))
                .env("RUST_LOG", "error")
                .stdout(Stdio::piped()),
        );
        let mut lines = BufReader::new(process.child.stdout.take().unwrap()).lines();
        let line = in_time(lines.next_line())
            .await
            .unwrap()
            .expect("it starts");
        let address = line.split_once("http://").expect("the address").1;
        let address = address.trim().parse().unwrap();
        Self {
            process,
            address,
            _out: lines,
        }
    }
}

/// Returns the gateway's program. Tests of the workspace have built it; those of this
/// package alone have not.
fn gateway() -> PathBuf {
    let ours = Path::new(env!("CARGO_BIN_EXE_moonshot-ext-proc"));
    let program = ours.with_file_name("moonshot-gateway");
    let target = ours.ancestors().nth(2).unwrap();
    let built = std::process::Command::new(env::var_os("CARGO").unwrap())
        .args([
            "build",
            "--quiet",
            "-p",
            "moonshot-gateway",
            "--bin",
            "moonshot-gateway",
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.unwrap().success());
    program
}

/// A command whose environment says nothing of Moonshot but the upstream's key.
fn clean(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in ["LITELLM_MASTER_KEY", "REASONING_STORE", "HOST", "PORT"] {
        command.env_remove(name);
    }
    command.env("MOONSHOT_API_KEY", KEY);
    command
}

/// A Redis, which keeps nothing on disk. `None` where it is not installed.
pub(crate) struct Redis {
    _process: Process,
    port: u16,
}

impl Redis {
    pub(crate) async fn start() -> Option<Self> {
        let found = std::process::Command::new("redis-server")
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        let found = found.is_ok_and(|status| status.success());
        let must_be = env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(found || !must_be, "redis-server is not installed");
        if !found {
            eprintln!("skipped: redis-server is not installed");
            return None;
        }
        // Another process may take the port before Redis does, so it is tried anew.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut process = Process::start(
                Command::new("redis-server")
                    .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                    .args(["--save", "", "--appendonly", "no", "--dir"])
                    .arg(directory())
                    .stdout(Stdio::null()),
            );
            let mut is_up = false;
            until(async || {
                let connected = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
                is_up = connected.is_ok();
                is_up || process.child.try_wait().unwrap().is_some()
            })
            .await;
            if is_up {
                return Some(Self {
                    _process: process,
                    port,
                });
            }
        }
        panic!("redis-server doesn't start");
    }

    /// Returns how many thoughts it holds.
    pub(crate) fn holds(&self) -> usize {
        let output = std::process::Command::new("redis-cli")
            .args(["-p", &self.port.to_string(), "DBSIZE"])
            .output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        text.trim().parse().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// Returns a new directory for the files of a process.
pub(crate) fn directory() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("ext-proc-{}-{number}", std::process::id());
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}
