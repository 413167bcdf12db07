//! Which of our crates may depend on which, and which stay free of the outside world.

use crate::tree::{File, files};
use crate::{Offence, expect_none, expect_one};

/// Who may see whom, from the bottom up. The arrows of the design: change them there first.
const MAY_SEE: [(&str, &[&str]); 11] = [
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("stripe", &["domain"]),
    ("handheld", &["domain", "protocol"]),
    ("ffi", &["domain", "handheld"]),
    ("ledger", &["domain", "protocol", "stripe"]),
    ("gateway", &["domain", "protocol", "stripe", "ledger"]),
    ("sandbox", &["stripe"]),
    ("cli", &["gateway", "sandbox"]),
    ("bindgen", &[]),
    (
        "tests",
        &["domain", "protocol", "stripe", "handheld", "ffi", "ledger", "gateway", "sandbox", "cli"],
    ),
];

/// Crates that decide and do nothing: time, network and disk are passed in to them or are not theirs at all.
const PURE: [&str; 3] = ["domain", "protocol", "ledger"];

/// What brings a clock, a network or a disk.
const IMPURE: [&str; 7] = ["tokio", "reqwest", "axum", "sqlx", "redb", "rustls", "getrandom"];

/// Whether a test inside a crate may see this part of ours: itself, with other features, and the
/// sandbox, which is a library for tests.
fn is_for_tests(dependency: &Dependency<'_>, part: &str, ours: &str) -> bool {
    dependency.section == "dev-dependencies" && (ours == part || ours == "sandbox")
}

/// One dependency that a manifest names: in which section, and whose.
struct Dependency<'a> {
    section: &'a str,
    name: &'a str,
}

fn manifests(files: &[File]) -> impl Iterator<Item = (&str, &File)> {
    files.iter().filter_map(|file| {
        let folder = file.path.strip_suffix("/Cargo.toml")?;
        Some((folder.rsplit('/').next().unwrap_or(folder), file))
    })
}

fn dependencies(manifest: &str) -> Vec<Dependency<'_>> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        } else if section.ends_with("dependencies") && !line.starts_with('#') {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            found.extend((!name.is_empty()).then_some(Dependency { section, name }));
        }
    }
    found
}

fn forbidden_arrows(files: &[File]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (part, file) in manifests(files) {
        let Some((_, allowed)) = MAY_SEE.iter().find(|(name, _)| *name == part) else {
            offences
                .push(format!("{}: say in tests/tidy/arrows.rs what {part} may see", file.path));
            continue;
        };
        for dependency in dependencies(&file.text) {
            let Some(ours) = dependency.name.strip_prefix("holdfast-") else { continue };
            if !allowed.contains(&ours) && !is_for_tests(&dependency, part, ours) {
                offences.push(format!(
                    "{}: {part} must not see {ours}: move what it needs to a part both may see",
                    file.path
                ));
            }
        }
    }
    offences
}

fn impure_crates(files: &[File]) -> Vec<Offence> {
    let pure = manifests(files).filter(|(part, _)| PURE.contains(part));
    pure.flat_map(|(part, file)| {
        let named = dependencies(&file.text).into_iter();
        let impure = named.filter(|it| it.section == "dependencies" && IMPURE.contains(&it.name));
        impure.map(move |it| {
            let name = it.name;
            format!("{}: {part} must stay pure, without {name}: pass the effect in", file.path)
        })
    })
    .collect()
}

#[test]
fn crates_see_only_what_the_design_allows() {
    expect_none(forbidden_arrows(&files()));
}

#[test]
fn pure_crates_bring_no_clock_network_or_disk() {
    expect_none(impure_crates(&files()));
}

#[test]
fn an_arrow_that_points_up_is_named() {
    let manifest =
        "[dependencies]\nholdfast-domain.workspace = true\nholdfast-ledger = { path = \"x\" }";
    let offences = forbidden_arrows(&[File::made_up("rust-core/handheld/Cargo.toml", manifest)]);
    expect_one(offences, "handheld must not see ledger");
}

#[test]
fn an_arrow_of_tests_counts_too() {
    let manifest = "[dev-dependencies]\nholdfast-stripe.workspace = true";
    let offences = forbidden_arrows(&[File::made_up("rust-core/handheld/Cargo.toml", manifest)]);
    expect_one(offences, "handheld must not see stripe");
}

#[test]
fn a_crates_own_tests_may_use_the_sandbox_and_the_crate_itself() {
    let manifest = "[dev-dependencies]\nholdfast-sandbox = \"1\"\nholdfast-ledger = \"1\"";
    expect_none(forbidden_arrows(&[File::made_up("rust-core/ledger/Cargo.toml", manifest)]));
}

#[test]
fn a_part_nobody_placed_is_named() {
    expect_one(
        forbidden_arrows(&[File::made_up("rust-core/news/Cargo.toml", "")]),
        "what news may see",
    );
}

#[test]
fn a_pure_crate_with_a_runtime_is_named() {
    let manifest = "[dependencies]\ntokio.workspace = true\n[dev-dependencies]\nreqwest = \"1\"";
    let offences = impure_crates(&[File::made_up("rust-core/ledger/Cargo.toml", manifest)]);
    expect_one(offences, "ledger must stay pure, without tokio");
}
