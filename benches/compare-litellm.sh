#!/usr/bin/env bash
# Compares LiteLLM's proxy with the gateway: the same configuration (LiteLLM's own
# example for Moonshot), the same upstream and the same client, in turn. LiteLLM runs
# one worker process. The gateway runs twice: with one thread, which is
# one against one, and with its default of one thread per core. Prints the table, and
# writes it into RESULTS.md. Needs an idle machine, and about two minutes once LiteLLM
# is installed in an environment under target/.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.106.2

mkdir -p "${CARGO_TARGET_DIR:-target}"
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
environment=$target/litellm-$version
if [ ! -e "$environment/installed" ]; then
    echo "installing LiteLLM $version" >&2
    python3 -m venv --clear "$environment"
    timeout 600 "$environment/bin/pip" install --quiet --disable-pip-version-check "litellm[proxy]==$version"
    touch "$environment/installed"
fi

# Nothing of this leaves the machine, and nothing of its user's comes into it.
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
export LITELLM_LOCAL_MODEL_COST_MAP=True LANGSMITH_TRACING=false PYTHONDONTWRITEBYTECODE=1
unset DATABASE_URL

# Before what is built here adds to it.
load=$(cut -d ' ' -f 1 /proc/loadavg)
busy=
[ "${load%.*}" -lt 1 ] || busy=" The machine was busy: to be measured anew."

cargo build --locked --quiet --release --package moonshot-gateway
cargo bench --locked --quiet --profile release -p rivals --bench gateway --no-run
table=$(timeout 300 cargo bench --locked --quiet --profile release -p rivals --bench gateway -- \
    compare "$environment/bin/litellm")
{
    echo "Measured on $(date -u +%Y-%m-%d): LiteLLM $version, $("$environment/bin/python" --version), one worker process;"
    echo "moonshot-gateway $(sed -n 's/^version = "\(.*\)"/\1/p' gateway/Cargo.toml | head -1), $(rustc --version | cut -d ' ' -f 1,2);"
    echo "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(nproc) cores, load before $load.$busy"
    echo
    echo "$table"
} | tee benches/data/litellm.md
python3 benches/charts.py
