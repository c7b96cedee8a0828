#!/bin/bash
# run.sh BUILD [SUITE...]: runs the test suites against a build folder; without
# a SUITE, all of them.  lint and unit are suites, and so is every folder below
# tests/ that has Python tests.  Ends with `N passed, N failed`.
set -eu
build=${1:?build folder}
shift
cd "$(dirname "$0")/.."
exec /usr/bin/python3 -B tests/runner.py "$build" "$@"
