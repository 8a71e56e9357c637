#!/bin/sh
# Checks that the engine alone compiles for the web, and calls nothing of std that panics there. SKIP where the target is not installed.
set -u

target=wasm32-unknown-unknown
if ! rustup target list --installed 2>/dev/null | grep -qx "$target"; then
    echo "SKIP: rustup has no target $target here (rustup target add $target)"
    exit 0
fi
# What wgpu hands out belongs to one thread there; natively the same `Arc`s cross threads.
exec "${CARGO:-cargo}" clippy --release --package rationale --no-default-features --lib --target "$target" -- \
    -D warnings -D clippy::disallowed_methods -A clippy::arc_with_non_send_sync
