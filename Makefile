# The commands of a newcomer. Everything else is in README.md and CONTRIBUTING.md.

GRADER := target/release/grader
LESSON36 := exercises/lesson36-dev-vs-prod

.PHONY: help setup setup-tests build images demo test lint bench clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: ## Docker with Compose and buildx: look, and install and start what is missing
	@scripts/setup.sh

setup-tests: ## What the tests need besides: Chromium, and rules of accessibility
	@scripts/setup-tests.sh

build: ## Compile the grader
	@echo "Compiling the grader (the first time takes a few minutes) ..."
	@cargo build --release --locked

images: setup build ## Make the base images of the course that are missing
	@$(GRADER) images make

demo: images ## Grade a reference solution and the starter of lesson 36
	@scripts/demo.sh

test: images setup-tests ## The whole test suite
	@cargo test --release --locked --workspace --no-fail-fast

lint: ## Formatting, clippy, shell scripts
	cargo fmt --all --check
	rustfmt --edition 2024 --check grader/src/checks/*.rs  # found by a macro, which cargo fmt does not follow
	cargo clippy --release --workspace --all-targets --locked -- -D warnings
	if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh scripts/lib/*.sh bench/*.sh; fi

bench: images setup-tests ## Measure the grader beside a plain shell script, and the pages beside plain mdBook
	@bench/run.sh

clean: ## Remove what runs have left behind, and the compiled files
	-@$(GRADER) sweep
	cargo clean
