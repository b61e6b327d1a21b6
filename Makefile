# The two commands of the README, and the long check.
.PHONY: up test nightly setup

CARGO_TARGET_DIR ?= $(HOME)/.cache/smack/target
export CARGO_TARGET_DIR

up: setup
	scripts/rocksdb with cargo build --release --quiet --package smack --package libmesos
	$(CARGO_TARGET_DIR)/release/smack up $(ARGS)

test: setup
	scripts/setup clients
	scripts/rocksdb with cargo xtask ci

nightly: setup
	scripts/setup clients
	scripts/rocksdb with cargo xtask nightly

setup:
	@scripts/setup
