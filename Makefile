# The two commands of the README, and the long check.
.PHONY: up test nightly setup

CARGO_TARGET_DIR ?= $(HOME)/.cache/smack/target
export CARGO_TARGET_DIR

ROCKSDB := $(shell scripts/rocksdb where)
ifneq ($(wildcard $(ROCKSDB)/librocksdb.a),)
export ROCKSDB_LIB_DIR := $(ROCKSDB)
export ROCKSDB_STATIC := 1
endif

up: setup
	cargo build --release --quiet --package smack --package libmesos
	@scripts/rocksdb keep
	$(CARGO_TARGET_DIR)/release/smack up $(ARGS)

test: setup
	scripts/setup clients
	cargo xtask ci
	@scripts/rocksdb keep

nightly: setup
	scripts/setup clients
	cargo xtask nightly

setup:
	@scripts/setup
