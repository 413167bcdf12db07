# shellcheck shell=bash
# The ABIs of scripts/android/abis.txt and the tools that build for them. Sourced after common.sh.

android_abis() { awk '!/^#/ && NF {print $1}' scripts/android/abis.txt; }

# android_abi ABI: sets abi, rust_triple, ndk_triple and elf_machine.
android_abi() {
  abi=$1
  # shellcheck disable=SC2034 # read by the scripts that call this
  read -r _ rust_triple ndk_triple elf_machine < <(awk -v abi="$abi" '$1 == abi' scripts/android/abis.txt) ||
    die "no such ABI: $abi (there are: $(android_abis | paste -sd' '))"
}

# llvm TOOL ARGUMENT…: LLVM's binary tool, the NDK's where there is one.
llvm() {
  local tool=$1 ndk=${ANDROID_NDK_HOME:-}/toolchains/llvm/prebuilt/linux-x86_64/bin
  shift
  if [[ -n ${ANDROID_NDK_HOME:-} ]]; then "$ndk/llvm-$tool" "$@"; else "llvm-$tool-19" "$@"; fi
}

# android_cargo LIBRARY CARGO-ARGUMENT…: builds one cdylib for the ABI that android_abi chose.
android_cargo() {
  local library=$1 bin lower=${rust_triple//-/_} upper arguments=()
  shift
  upper=${lower^^}
  bin=$(scripts/android/toolchain "$abi")
  export "CC_$lower=$bin/$ndk_triple-clang" "CARGO_TARGET_${upper}_LINKER=$bin/$ndk_triple-clang"
  export "AR_$lower=$(command -v llvm-ar-19 || echo "$bin/llvm-ar")"
  # ring needs no libc headers, and the outlined atomics of clang need a runtime library that nothing links.
  export "CFLAGS_$lower=-DRING_CORE_NOSTDLIBINC=1 -mno-outline-atomics"
  # -z defs: a symbol that symbols/ does not vet fails here, not on a device. libunwind stays our own affair.
  for argument in -soname,"$library" -z,defs --error-limit=0 -z,max-page-size=16384 --build-id=sha1 --exclude-libs,libunwind.a; do
    arguments+=(-C "link-arg=-Wl,$argument")
  done
  cargo rustc --lib --crate-type cdylib --profile android --target "$rust_triple" "$@" -- "${arguments[@]}"
}
