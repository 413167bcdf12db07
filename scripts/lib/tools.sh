# shellcheck shell=bash
# What must be on the machine, in which version, and how it gets there. Sourced after common.sh.
# need TOOL… checks them all, installs what is missing in one go where it can, and otherwise stops with one
# line that names every missing tool.

rust_channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)

# The version that is there; nothing when there is none.
version_of() {
  case $1 in
    rust) cargo --version 2>/dev/null | cut -d' ' -f2 ;;
    cc) cc -dumpversion 2>/dev/null ;;
    java) javac -version 2>&1 | sed -n 's/^javac \([0-9][0-9.]*\).*/\1/p' ;;
    maven) mvn --version 2>/dev/null | sed -n 's/.*Apache Maven \([0-9.]*\).*/\1/p' ;;
    node) node --version 2>/dev/null | tr -d v ;;
    npm) npm --version 2>/dev/null ;;
    python) python3 -c 'import ensurepip, platform; print(platform.python_version())' 2>/dev/null ;;
    chromium) chromium --version 2>/dev/null | sed -n 's/^Chromium \([0-9.]*\).*/\1/p' ;;
    shellcheck) shellcheck --version 2>/dev/null | sed -n "s/^version: //p" ;;
    clang-19) clang-19 -dumpversion 2>/dev/null ;;
    lld-19) ld.lld-19 --version 2>/dev/null | grep -o 'LLD [0-9.]*' | cut -d' ' -f2 ;;
    llvm-19) llvm-readelf-19 --version 2>/dev/null | sed -n 's/.*LLVM version \([0-9.]*\).*/\1/p' ;;
  esac || true
}

# The oldest version that is good enough, and the Debian packages that bring it.
requirement_of() {
  case $1 in
    rust) echo "$rust_channel" ;;
    cc) echo 10 gcc libc6-dev ;;
    java) echo 17 openjdk-17-jdk-headless ;;
    maven) echo 3.8 maven ;;
    node) echo 18 nodejs ;;
    npm) echo 9 npm ;;
    python) echo 3.9 python3 python3-venv ;;
    chromium) echo 120 chromium fonts-liberation ;;
    shellcheck) echo 0.9 shellcheck ;;
    clang-19) echo 19 clang-19 ;;
    lld-19) echo 19 lld-19 ;;
    llvm-19) echo 19 llvm-19 ;;
    *) die "no such tool in scripts/lib/tools.sh: $1" ;;
  esac
}

at_least() { [[ -n $2 && $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

# Prints those of the tools that are missing or too old.
missing_of() {
  local tool minimum
  for tool in "$@"; do
    read -r minimum _ <<<"$(requirement_of "$tool")"
    at_least "$minimum" "$(version_of "$tool")" || echo "$tool"
  done
}

# Why a tool is not good enough, in the words of the one closing line.
complaint_of() {
  local minimum packages there
  read -r minimum packages <<<"$(requirement_of "$1")"
  there=$(version_of "$1")
  printf '%s %s or newer (found: %s; Debian: %s)' "$1" "$minimum" "${there:-none}" "${packages:-by rustup}"
}

install_rust() {
  command -v rustup >/dev/null || return 0
  say "installing Rust $rust_channel (rustup)"
  rustup toolchain install "$rust_channel" --profile minimal --component clippy,rustfmt >&2 || true
}

install_packages() {
  [[ $# -gt 0 && $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 0
  say "installing $* (apt-get)"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
    </dev/null >/dev/null 2>&1 || true
}

need() {
  local missing tool packages wanted=() complaints=''
  missing=$(missing_of "$@")
  [[ -n $missing ]] || return 0
  for tool in $missing; do
    read -r _ packages <<<"$(requirement_of "$tool")"
    # shellcheck disable=SC2206 # one tool may need several packages
    wanted+=($packages)
  done
  [[ " ${missing//$'\n'/ } " != *" rust "* ]] || install_rust
  install_packages "${wanted[@]}"
  for tool in $(missing_of "$@"); do complaints+="${complaints:+, }$(complaint_of "$tool")"; done
  [[ -z $complaints ]] || die "please install: $complaints"
}

# need_rust_part FILE-IN-SYSROOT target|component NAME: what rustup adds to the pinned toolchain.
need_rust_part() {
  [[ -e $(rustc --print sysroot)/$1 ]] && return
  command -v rustup >/dev/null || die "Rust's $2 $3 is missing and rustup is not here: install rustup"
  say "adding Rust's $2 $3 (rustup)"
  rustup "$2" add "$3" >&2 || die "rustup $2 add $3 failed: run it by hand, then this script again"
}
