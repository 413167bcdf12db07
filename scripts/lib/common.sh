# shellcheck shell=bash
# Sourced first by every script: where things are, one way to speak, one way to stop.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
[[ $target == /* ]] || target=$PWD/$target
export CARGO_TARGET_DIR=$target
cd "$root"

# Progress goes to standard error: standard output is for what a caller may read.
say() { printf '%s\n' "$*" >&2; }

# One line that says what is wrong and what to do about it.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# newer_than FILE PATH…: whether any of the paths, or anything in them, changed after FILE was made.
newer_than() {
  local made=$1
  shift
  [[ ! -e $made ]] || [[ -n $(find "$@" -newer "$made" -print -quit) ]]
}
