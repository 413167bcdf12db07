//! Where things lie, and what can be started.

use std::collections::BTreeSet;

use crate::tree::{File, files};
use crate::{Offence, expect_none, expect_one};

/// Everything at the top of the tree. A new entry is a decision, so it is added here.
const TOP_LEVEL: [&str; 15] = [
    ".ci",
    ".gitattributes",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "android",
    "clippy.toml",
    "rust-core",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "scripts",
    "tests",
    "uniffi.toml",
];

fn strangers_at_the_top(files: &[File]) -> Vec<Offence> {
    let entries: BTreeSet<&str> = files.iter().filter_map(|it| it.path.split('/').next()).collect();
    let strange = entries.into_iter().filter(|it| !TOP_LEVEL.contains(it));
    strange
        .map(|it| {
            format!("{it}: not at the top: move it where its part lies, or list it in tests/tidy")
        })
        .collect()
}

fn scripts_nobody_can_start(files: &[File]) -> Vec<Offence> {
    let startable = |file: &&File| {
        let in_scripts = file.path.starts_with("scripts/") || file.path.starts_with(".ci/");
        let name = file.path.rsplit('/').next().unwrap_or_default();
        file.is_script() || (in_scripts && !name.contains('.'))
    };
    files
        .iter()
        .filter(startable)
        .filter(|it| !it.executable || !it.is_script())
        .map(|it| format!("{}: give it a #! line and chmod +x", it.path))
        .collect()
}

#[test]
fn the_top_holds_only_what_is_listed() {
    expect_none(strangers_at_the_top(&files()));
}

#[test]
fn every_script_can_be_started() {
    expect_none(scripts_nobody_can_start(&files()));
}

#[test]
fn a_stranger_at_the_top_is_named() {
    let files = [File::made_up("notes.txt", ""), File::made_up("tests/tidy/main.rs", "")];
    expect_one(strangers_at_the_top(&files), "notes.txt: not at the top");
}

#[test]
fn a_script_without_its_bit_is_named_and_so_is_one_without_its_first_line() {
    expect_one(scripts_nobody_can_start(&[File::made_up("tests/a", "#!/bin/bash")]), "tests/a");
    let mute = File { executable: true, ..File::made_up("scripts/run", "echo") };
    expect_one(scripts_nobody_can_start(&[mute]), "scripts/run");
}
