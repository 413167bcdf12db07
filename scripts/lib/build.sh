# shellcheck shell=bash disable=SC2154 # common.sh sets target
# What tests and the running system both need built. Sourced after common.sh and tools.sh.

maven() { mvn -B -ntp -f android/pom.xml "-Dholdfast.native.dir=$target/debug" "$@"; }

# The screens and the live window, as classes; scripts/bindings must have run.
build_screens() {
  newer_than android/target/test.classpath android/app android/pom.xml android/target/bindings || return 0
  maven -q process-test-classes && touch android/target/test.classpath
}

# What the browser tests import; npm asks no network when the lock file has not changed.
install_browser_tests() {
  newer_than tests/browser/node_modules/.package-lock.json tests/browser/package-lock.json || return 0
  (cd tests/browser && npm ci --loglevel=error && touch node_modules/.package-lock.json)
}

# Everything that the tests will ask a registry for, but cargo's: run beside the first cargo build.
download_all() {
  install_browser_tests
  maven -q dependency:go-offline dependency:unpack@aapt2-and-framework-table dependency:get@framework-to-run-on
}
