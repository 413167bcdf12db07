//! What must never be committed: secrets, and what holds on one machine only.
//!
//! Offenders in this file's own tests are put together at run time, so that the file itself keeps the rules.

use crate::tree::{File, files};
use crate::{Offence, expect_none, expect_one};

/// Top folders that stand for one person's machine.
const MACHINE_FOLDERS: [&str; 4] = ["work", "root", "home", "Users"];

/// Hosts, in two parts, that serve packages: which of them is used is each machine's own setting.
const REGISTRY_HOSTS: [[&str; 2]; 12] = [
    ["crates", ".io"],
    ["registry.npmjs", ".org"],
    ["registry.yarnpkg", ".com"],
    ["repo.maven.apache", ".org"],
    ["repo1.maven", ".org"],
    ["maven.google", ".com"],
    ["dl.google", ".com"],
    ["plugins.gradle", ".org"],
    ["deb.debian", ".org"],
    ["static.rust-lang", ".org"],
    ["pypi", ".org"],
    ["proxy.golang", ".org"],
];

/// Letters and digits after a live prefix that make it look like a real key.
const KEY_TAIL_MIN: usize = 8;

/// Each line of each file, with its number from 1.
fn lines(files: &[File]) -> impl Iterator<Item = (&File, usize, &str)> {
    files
        .iter()
        .flat_map(|file| file.text.lines().enumerate().map(move |(at, line)| (file, at + 1, line)))
}

/// Every place of the needle in the line, as what stands before and what stands behind it.
fn around<'a>(line: &'a str, needle: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    line.match_indices(needle).map(move |(at, _)| (&line[..at], &line[at + needle.len()..]))
}

fn names_machine_path(line: &str) -> bool {
    MACHINE_FOLDERS.iter().any(|folder| {
        let path = format!("/{folder}/");
        around(line, &path).any(|(before, behind)| {
            let inside_longer =
                before.ends_with(|c: char| c.is_alphanumeric() || "._-}*$".contains(c));
            !inside_longer && behind.starts_with(|c: char| c.is_alphanumeric() || c == '.')
        })
    })
}

fn machine_paths(files: &[File]) -> Vec<Offence> {
    lines(files)
        .filter(|(_, _, line)| names_machine_path(line))
        .map(|(file, at, _)| {
            format!("{}:{at}: a path of one machine: make it relative, or a setting", file.path)
        })
        .collect()
}

/// Cargo's own lock file has no way to leave its registry out.
fn registry_hosts(files: &[File]) -> Vec<Offence> {
    let hosts = REGISTRY_HOSTS.map(|parts| parts.concat());
    lines(files)
        .filter(|(file, _, _)| file.path != "Cargo.lock")
        .filter_map(|(file, at, line)| {
            let host = hosts.iter().find(|host| line.contains(host.as_str()))?;
            Some(format!(
                "{}:{at}: names {host}: leave registries to each machine's settings",
                file.path
            ))
        })
        .collect()
}

fn live_keys(files: &[File]) -> Vec<Offence> {
    let looks_real = |line: &str| {
        ["sk_live_", "rk_live_"].iter().any(|prefix| {
            around(line, prefix).any(|(_, behind)| {
                behind.chars().take_while(char::is_ascii_alphanumeric).count() >= KEY_TAIL_MIN
            })
        })
    };
    lines(files)
        .filter(|(_, _, line)| looks_real(line))
        .map(|(file, at, _)| {
            format!(
                "{}:{at}: looks like a live key: take it out, and roll it if it is one",
                file.path
            )
        })
        .collect()
}

#[test]
fn no_path_of_one_machine_is_committed() {
    expect_none(machine_paths(&files()));
}

#[test]
fn no_registry_host_is_committed() {
    expect_none(registry_hosts(&files()));
}

#[test]
fn no_live_key_is_committed() {
    expect_none(live_keys(&files()));
}

#[test]
fn a_machine_path_is_named_but_not_an_address_like_it() {
    let path = format!("/{}/someone/a", "home");
    let file = File::made_up("a.md", &format!("see\n  \"{path}\" and https://example.org{path}"));
    expect_one(machine_paths(&[file]), "a.md:2");
    expect_none(machine_paths(&[File::made_up("b.md", &format!("https://example.org{path}"))]));
}

#[test]
fn a_registry_host_is_named_but_not_in_cargos_lock_file() {
    let line = format!("\"resolved\": \"https://{}/x\"", ["registry.npmjs", ".org"].concat());
    let npm = File::made_up("tests/browser/package-lock.json", &line);
    expect_one(registry_hosts(&[npm, File::made_up("Cargo.lock", &line)]), "package-lock.json:1");
}

#[test]
fn a_live_key_is_named_but_not_its_prefix() {
    let key = ["sk_live", "_4eC39HqLyjWD"].concat();
    let bare = File::made_up("b.rs", "starts_with(\"sk_live_\")");
    expect_one(live_keys(&[File::made_up("a.rs", &key), bare]), "a.rs:1");
}
