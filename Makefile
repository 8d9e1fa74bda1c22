# The workshop on one page. Every target is a command of ops/ (see ops/README.md, docs/operations.md).
#
#   make demo   [PORT=8000] [RUN_DIR=.run] [DEMO_SCALE=small|city]   the platform on this machine
#   make stop   [RUN_DIR=.run]                                       end exactly what demo started
#   make test   [ARGS="tests/core -k name"]                          set-up and the whole suite
#   make bench  [ONLY=call.query] [BENCH_SECONDS=5] [BENCH_ROWS=200000] [CITY_SHARE=0.01]   one JSON line a figure
#   make load   [MINUTES=10] [RATE=120] [SEED=1]                     calls under kill -9, and whether the books agree

export PORT RUN_DIR DEMO_SCALE CITY_SHARE ARGS ONLY BENCH_SECONDS BENCH_ROWS BENCH_ROUNDS MINUTES RATE SEED KILLS PYTHON

.PHONY: demo stop test check fmt schema bench load lock test-stores
demo stop test check fmt schema bench load lock:
	@ops/run $@

test-stores:
	@ops/run stack stores --settings settings.test --dir "$${RUN_DIR:-.run}/test"
