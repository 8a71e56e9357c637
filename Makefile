# The two commands: `make demo` and `make test`. Both set up what is missing.
CARGO ?= cargo

.PHONY: demo test test-studio lint verify verify-exports wasm bench dist setup vulkan

## Trains with and without explanations on generated pictures and shows the difference (half a minute after the build).
demo: setup
	$(CARGO) run --release --quiet -- demo

## The test suite, on the CPU device and on a GPU adapter (a software one where there is no other).
test: setup vulkan
	$(CARGO) test --release

## The window's own tests: without a screen, on a GPU adapter.
test-studio: setup vulkan
	$(CARGO) test --release --package rationale --features studio-harness --lib studio::
	$(CARGO) test --release --package rationale --features studio-harness --test studio

## The same suite in its long form: more random shapes, a million damaged files, two hundred kills.
verify: setup vulkan
	RATIONALE_TEST_ROUNDS=200 RATIONALE_TEST_INPUTS=1000000 RATIONALE_TEST_KILLS=200 $(CARGO) test --release

## ONNX and PyTorch beside `rationale predict` on 1,000 pictures, every mapping (Python with venv; not part of the test suite).
verify-exports: setup
	$(CARGO) build --release
	sh tools/verify_exports.sh "$${CARGO_TARGET_DIR:-target}/release/rationale"

## The engine alone, checked for the web: it compiles, and calls nothing that panics there (where rustup has the target).
wasm: setup
	@sh tools/check_wasm.sh

## Formatting and lints, as the CI wants them.
lint: setup
	$(CARGO) fmt --check
	$(CARGO) clippy --release --all-targets -- -D warnings
	$(CARGO) clippy --release --all-targets --features rationale/studio-harness -- -D warnings
	$(CARGO) clippy --release --package rationale --no-default-features --lib -- -D warnings

## Training steps (criterion), then everything that `rationale bench` measures.
bench: setup vulkan
	$(CARGO) bench --bench step
	$(CARGO) run --release --quiet -- bench

## One archive with the program, its completions, manual pages and all licences, under dist/.
dist: setup
	$(CARGO) build --release
	sh tools/dist.sh "$${CARGO_TARGET_DIR:-target}/release/rationale"

setup:
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing: install it as https://rustup.rs says, then run this again."; exit 1; }

vulkan:
	@sh tools/ensure_vulkan.sh
