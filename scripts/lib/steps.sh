# shellcheck shell=bash disable=SC2154 # common.sh sets target
# Runs the steps of a test run one after the other, whatever fails, and adds up their tests. Sourced after common.sh.
# A step's output is shown and kept in target/steps/NAME.log; results.tsv there has a line for each.

steps=$target/steps

steps_begin() {
  rm -rf "$steps"
  mkdir -p "$steps"
}

# How each runner says its count. Each prints "PASSED FAILED"; nothing at all when it ran no test.
count_one() { :; }
count_cargo() {
  awk '/^test result:/ {passed += $4; failed += $6} END {if (passed + failed) print passed, failed}' "$1"
}
count_node() {
  awk '/^(ℹ|#) pass / {passed += $3} /^(ℹ|#) fail / {failed += $3} END {if (passed + failed) print passed, failed}' "$1"
}
count_unittest() {
  awk '/^Ran [0-9]+ tests?/ {run = $2}
    /^FAILED/ {gsub(/[^0-9=,]/, ""); n = split($0, part, /[=,]+/); for (i = 1; i <= n; i++) failed += part[i]}
    END {if (run) print run - failed, failed + 0}' "$1"
}
count_surefire() {
  awk '/Tests run:.*Time elapsed/ {next}
    match($0, /Tests run: [0-9]+, Failures: [0-9]+, Errors: [0-9]+, Skipped: [0-9]+/) {
      split(substr($0, RSTART, RLENGTH), n, /[^0-9]+/); run = n[2]; failed = n[3] + n[4]; skipped = n[5]
    } END {if (run) print run - failed - skipped, failed}' "$1"
}

# step NAME RUNNER COMMAND…: RUNNER is how to count: one (the step is one test), cargo, node, unittest or surefire.
step() {
  local name=$1 runner=$2 began=$SECONDS status=0 passed failed
  shift 2
  say "── $name"
  "$@" </dev/null 2>&1 | tee "$steps/$name.log" || status=$?
  read -r passed failed < <("count_$runner" "$steps/$name.log") || true
  # A step that failed without a failed test, or that should have run tests and ran none, is itself a failed test.
  if [[ -z ${passed:-} && $runner == one && $status == 0 ]]; then
    passed=1 failed=0
  elif [[ -z ${passed:-} ]]; then
    passed=0 failed=1
  elif ((status != 0 && failed == 0)); then
    failed=1
  fi
  printf '%s\t%s\t%s\t%s\n' "$name" "$passed" "$failed" "$((SECONDS - began))" >>"$steps/results.tsv"
}

steps_table() {
  awk -F '\t' 'BEGIN {printf "\n%-24s %8s %8s %8s\n", "", "passed", "failed", "seconds"}
    {printf "%-24s %8d %8d %8d%s\n", $1, $2, $3, $4, $3 ? "   see target/steps/" $1 ".log" : ""}' "$steps/results.tsv"
}

# Prints "N passed, N failed"; fails when anything did.
steps_total() {
  awk -F '\t' '{passed += $2; failed += $3} END {printf "%d passed, %d failed\n", passed, failed; exit failed > 0}' "$steps/results.tsv"
}
