#!/bin/sh
# Checks that the engine alone compiles for the web. SKIP where the target is not installed.
set -u

target=wasm32-unknown-unknown
if ! rustup target list --installed 2>/dev/null | grep -qx "$target"; then
    echo "SKIP: rustup has no target $target here (rustup target add $target)"
    exit 0
fi
exec "${CARGO:-cargo}" check --release --no-default-features --lib --target "$target"
