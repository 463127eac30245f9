#!/usr/bin/env bash
# Measures everything anew and writes it down: the data, the charts, the tables of
# RESULTS.md and of the README. For an idle machine; nothing else should run
# meanwhile. Needs Python 3, without packages, and valgrind. compare-litellm.sh is apart.
set -euo pipefail
cd "$(dirname "$0")/.."
data="$PWD/benches/data"

# A core or more in use by something else, over the last minute.
load=$(cut -d ' ' -f 1 /proc/loadavg)
if [ "${load%.*}" -ge 1 ]; then
    echo "this machine is busy (load $load): the figures will be off" >&2
fi

# A thousand connections, and as many behind them.
ulimit -S -n "$(ulimit -H -n)"

bench() { cargo bench --locked -q "$@"; }
rivals() { bench -p rivals "$@"; }

{
    echo "date: $(date -u +%Y-%m-%d)"
    echo "machine: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(nproc) cores"
    echo "instructions: $(grep -m1 '^flags' /proc/cpuinfo | grep -owE 'sse2|avx2|avx512f' | sort -u | paste -sd ' ')"
    echo "load before: $load"
    echo "system: $(uname -sr)"
    echo "compiler: $(rustc --version)"
    cargo tree --locked -q -p rivals -e normal,dev --depth 1 --prefix none |
        sed -nE 's/^(jiter|memchr|serde_json|simd-json|simdutf8|sonic-rs|tower-moonshot) v([^ ]+).*/\1: \2/p' | sort -u
} > "$data/run.txt"

# Built before anything is measured.
bench --bench layer --bench reasoning --bench response --no-run
rivals --bench libraries --no-run
# All that stands in the way of requests is built as `cargo install` builds.
cargo build --locked -q --release --package moonshot-gateway
cargo build --locked -q --release --example emulator
rivals --profile release --bench gateway --no-run
rivals --bench libraries -- ratios --record "$data"
rivals --bench libraries -- sizes --record "$data"
bench --bench layer | tee "$data/layer.md"
bench --bench response | tee "$data/response.md"
{
    bench --bench reasoning
    echo
    bench --bench reasoning -- instructions
} | tee "$data/reasoning.md"
{
    rivals --profile release --bench gateway
    echo
    echo 'In front of the emulator:'
    echo
    rivals --profile release --bench gateway -- emulator
    echo
    rivals --profile release --bench gateway -- memory
} | tee "$data/gateway.md"
rivals --bench libraries --features ordered --no-run
rivals --bench libraries --features ordered -- ratios --record "$data"

python3 benches/charts.py
