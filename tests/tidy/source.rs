//! What hand-written source must not contain.

use crate::lexer::{code_of, lines_with};
use crate::tree::{File, files};
use crate::{Offence, expect_none, expect_one};

/// Lines of a hand-written file: beyond this, two names tell more than one.
const FILE_LINES_MAX: usize = 500;
/// Lines of a script that people start: one screen each; what is shared lies in scripts/lib.
const SCRIPT_LINES_MAX: usize = 65;

const HAND_WRITTEN: [&str; 8] = ["rs", "kt", "java", "js", "mjs", "sh", "html", "css"];

fn is_rust_outside(file: &File, folder: &str) -> bool {
    file.extension() == "rs" && !file.path.starts_with(folder)
}

fn floats_in_domain(files: &[File]) -> Vec<Offence> {
    let domain = files.iter().filter(|it| it.path.starts_with("rust-core/domain/"));
    domain
        .filter(|it| it.extension() == "rs")
        .flat_map(|file| {
            let at = lines_with(&code_of(&file.text), &["f32", "f64"]);
            at.into_iter().map(|line| {
                format!(
                    "{}:{line}: no floating point near money: use integers of minor units",
                    file.path
                )
            })
        })
        .collect()
}

fn unsafe_outside_ffi(files: &[File]) -> Vec<Offence> {
    let rust = files.iter().filter(|it| is_rust_outside(it, "rust-core/ffi/"));
    rust.flat_map(|file| {
        let at = lines_with(&code_of(&file.text), &["unsafe"]);
        at.into_iter().map(|line| {
            format!(
                "{}:{line}: unsafe belongs to rust-core/ffi alone: find the safe way",
                file.path
            )
        })
    })
    .collect()
}

fn manifests_without_our_lints(files: &[File]) -> Vec<Offence> {
    let manifests = files.iter().filter(|it| it.path.ends_with("/Cargo.toml"));
    manifests
        .filter(|it| !it.path.starts_with("rust-core/ffi/"))
        .filter(|it| !it.text.replace(' ', "").contains("[lints]\nworkspace=true"))
        .map(|it| format!("{}: add [lints] workspace = true: one lint table for all", it.path))
        .collect()
}

fn bindings_outside_core(files: &[File]) -> Vec<Offence> {
    let kotlin = files.iter().filter(|it| it.extension() == "kt" && !it.path.contains("/core/"));
    kotlin
        .flat_map(|file| {
            let lines = file.text.lines().enumerate();
            let imports = lines.filter(|(_, line)| line.contains("org.holdfast.bindings"));
            imports.map(|(at, _)| {
                let line = at + 1;
                format!(
                    "{}:{line}: only the package core sees the bindings: go through it",
                    file.path
                )
            })
        })
        .collect()
}

/// None when the length of such a file is nobody's business.
fn lines_max(file: &File) -> Option<usize> {
    let starts_here = |folder: &str| {
        file.path.strip_prefix(folder).is_some_and(|name| !name.contains('/') && file.is_script())
    };
    if starts_here("scripts/") || starts_here(".ci/") {
        Some(SCRIPT_LINES_MAX)
    } else if file.is_script() || HAND_WRITTEN.contains(&file.extension()) {
        Some(FILE_LINES_MAX)
    } else {
        None
    }
}

fn long_files(files: &[File]) -> Vec<Offence> {
    let measured =
        files.iter().filter_map(|it| Some((it, it.text.lines().count(), lines_max(it)?)));
    measured
        .filter(|(_, lines, max)| lines > max)
        .map(|(it, lines, max)| {
            format!("{}: {lines} lines, over {max}: split it by meaning", it.path)
        })
        .collect()
}

#[test]
fn domain_has_no_floating_point() {
    expect_none(floats_in_domain(&files()));
}

#[test]
fn only_ffi_is_unsafe() {
    expect_none(unsafe_outside_ffi(&files()));
}

#[test]
fn every_crate_takes_the_one_lint_table() {
    expect_none(manifests_without_our_lints(&files()));
}

#[test]
fn only_kotlins_core_sees_the_bindings() {
    expect_none(bindings_outside_core(&files()));
}

#[test]
fn no_file_is_too_long() {
    expect_none(long_files(&files()));
}

#[test]
fn a_float_in_domain_is_named_with_its_line() {
    let file =
        File::made_up("rust-core/domain/src/money.rs", "// f64 is no money\nlet a = 1 as f64;");
    expect_one(floats_in_domain(&[file]), "money.rs:2");
}

#[test]
fn unsafe_code_is_named_but_not_its_lint() {
    let text = "#![forbid(unsafe_code)]\nunsafe { a() }";
    let elsewhere = File::made_up("rust-core/handheld/src/a.rs", text);
    let in_ffi = File::made_up("rust-core/ffi/src/a.rs", text);
    expect_one(unsafe_outside_ffi(&[elsewhere, in_ffi]), "handheld/src/a.rs:2");
}

#[test]
fn a_crate_with_lints_of_its_own_is_named() {
    let file =
        File::made_up("rust-core/stripe/Cargo.toml", "[lints.rust]\nunsafe_code = \"allow\"");
    expect_one(manifests_without_our_lints(&[file]), "one lint table");
}

#[test]
fn bindings_on_a_screen_are_named() {
    let text = "package org.holdfast.handheld.ui\nimport org.holdfast.bindings.Core";
    let screen = File::made_up("android/app/src/main/kotlin/org/holdfast/handheld/ui/A.kt", text);
    let core = File::made_up("android/app/src/main/kotlin/org/holdfast/handheld/core/A.kt", text);
    expect_one(bindings_outside_core(&[screen, core]), "ui/A.kt:2");
}

#[test]
fn a_long_file_is_named_and_so_is_a_long_script() {
    let long = |path, first: &str, lines| {
        File::made_up(path, &format!("{first}\n{}", "x\n".repeat(lines)))
    };
    expect_one(long_files(&[long("tests/a.rs", "", FILE_LINES_MAX)]), "over 500");
    expect_one(long_files(&[long("scripts/a", "#!/bin/bash", SCRIPT_LINES_MAX)]), "over 65");
    expect_none(long_files(&[long("tests/vectors/a.json", "", FILE_LINES_MAX)]));
}
