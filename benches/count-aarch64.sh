#!/usr/bin/env bash
# Counts the instructions of a rewrite on aarch64 and on x86-64 with SSE2, both under qemu,
# each with the portable back end and with its own. Prints a table of instructions a byte.
#
# Needs an x86-64 machine, `apt-get install gcc gcc-aarch64-linux-gnu qemu-user` (with plugins;
# the static qemu has none) and `rustup target add aarch64-unknown-linux-gnu`. The x86-64
# machine that qemu plays has SSE4.2 and no AVX2, so that the back end for SSE2 is chosen.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A plugin of qemu that adds up the instructions of the blocks that run. It declares what it
# uses of qemu-plugin.h, which Debian has no package for.
gcc -shared -fPIC -O1 -o "$work/count.so" -x c - <<'C'
#include <inttypes.h>
#include <stdio.h>
struct block;
extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t, void (*)(uint64_t, struct block *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct block *, int, void *, uint64_t);
extern void qemu_plugin_register_atexit_cb(uint64_t, void (*)(uint64_t, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const struct block *);

int qemu_plugin_version = 1;
static uint64_t count;

static void translated(uint64_t id, struct block *block) {
    qemu_plugin_register_vcpu_tb_exec_inline(block, 0, &count, qemu_plugin_tb_n_insns(block));
}

static void ended(uint64_t id, void *data) {
    fprintf(stderr, "Collected : %" PRIu64 "\n", count);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv) {
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
C

export CARGO_TARGET_DIR="$work/target"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static"

# Builds the gate for both machines.
build() {
    for triple in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu; do
        cargo build --locked -q --profile bench --target "$triple" -p rivals --bin gate
        cp "$work/target/$triple/release/gate" "$work/$1-${triple%%-*}"
    done
}

build own

# The portable back end takes the place of the others in a copy.
mkdir "$work/copy"
git ls-files -z | xargs -0 cp --parents -t "$work/copy"
sed -i -E '1i #![allow(dead_code)]
    s/^(pub\(crate\) type Base = ).*/\1portable::Portable;/' "$work/copy/src/json/backend/mod.rs"
(
    cd "$work/copy"
    build portable
)

count() {
    "$work/own-x86_64" --count "$@" | sort
}
count qemu-aarch64 -plugin "$work/count.so" "$work/portable-aarch64" > "$work/1"
count qemu-aarch64 -plugin "$work/count.so" "$work/own-aarch64" > "$work/2"
count qemu-x86_64 -cpu Nehalem -plugin "$work/count.so" "$work/portable-x86_64" > "$work/3"
count qemu-x86_64 -cpu Nehalem -plugin "$work/count.so" "$work/own-x86_64" > "$work/4"

echo '| body | | aarch64 portable | NEON | x86-64 portable | SSE2 | NEON / SSE2 |'
echo '| --- | --- | --- | --- | --- | --- | --- |'
paste -d , "$work"/[1234] | awk -F , '{
    printf "| %s | %s | %s | %s | %s | %s | %.2f |\n", $1, $2, $3, $6, $9, $12, $6 / $12
}'
