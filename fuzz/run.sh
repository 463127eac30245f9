#!/usr/bin/env bash
# Fuzzes every target, or one, for some seconds: `fuzz/run.sh SECONDS [TARGET]`.
#
# Starts from the corpus that is checked in, and keeps what is new in `fuzz/target/corpus`.
# With 0 seconds, only runs the corpora. An input that fails is kept in `fuzz/artifacts`; run
# it again with `fuzz/run.sh 0 TARGET FILE`. `fuzz/run.sh minimize [TARGET]` puts the smallest
# inputs of both corpora that cover the same in place of the checked-in one.
#
# With ASAN=1, builds with AddressSanitizer, at half the speed. It needs the flag `-Z`, which
# RUSTC_BOOTSTRAP lets the stable compiler take.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:?usage: fuzz/run.sh SECONDS|minimize [TARGET] [FILE]}
targets=${2:-config layer rewrite scan schema sse uri}
file=${3:-}

export RUSTC_WRAPPER=$PWD/instrument CARGO_TARGET_DIR=$PWD/target CARGO_INCREMENTAL=0
programs=$CARGO_TARGET_DIR/release
options=()
if [ "${ASAN:-0}" = 1 ]; then
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address"
    # A target that is named keeps the flag from build scripts.
    triple=$(rustc -vV | sed -n 's/^host: //p')
    # Less optimized, because AddressSanitizer doubles what the compiler has to do: some
    # minutes less to build, for runs of seconds.
    options=(--target "$triple" --config 'profile.release.opt-level=1')
    options+=(--config 'profile.release.package.jsonschema.opt-level=0')
    CARGO_TARGET_DIR=$CARGO_TARGET_DIR/asan
    programs=$CARGO_TARGET_DIR/$triple/release
    # Statics that live as long as the process are no leaks.
    export ASAN_OPTIONS=detect_leaks=0
fi
cargo build --locked --release "${options[@]}"

for target in $targets; do
    length=1024
    case $target in
    rewrite | sse) length=2048 ;;
    esac
    options=(-max_len=$length -timeout=20 -rss_limit_mb=2048 -print_final_stats=1)
    options+=("-artifact_prefix=artifacts/$target-")
    [ -f "dictionaries/$target.dict" ] && options+=("-dict=dictionaries/$target.dict")
    mkdir -p artifacts "target/corpus/$target"
    printf '\n--- %s\n' "$target"
    if [ -n "$file" ]; then
        "$programs/$target" "${options[@]}" "$file"
    elif [ "$seconds" = minimize ]; then
        rm -rf "target/minimized/$target"
        mkdir -p "target/minimized/$target"
        "$programs/$target" "${options[@]}" -merge=1 -use_counters=0 \
            "target/minimized/$target" "corpus/$target" "target/corpus/$target"
        rm -r "corpus/$target"
        cp -r "target/minimized/$target" "corpus/$target"
    elif [ "$seconds" = 0 ]; then
        "$programs/$target" "${options[@]}" -runs=0 "corpus/$target"
    else
        "$programs/$target" "${options[@]}" "-max_total_time=$seconds" \
            "target/corpus/$target" "corpus/$target"
    fi
done
