//! The Kotlin surface, golden: names and types that the screens are compiled against. It changes
//! only on purpose.
//!
//! When it should change, bless it and look at the difference:
//! `HOLDFAST_BLESS=1 cargo test -p holdfast-ffi --test surface && git diff rust-core/ffi/tests`
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking, their helpers too")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use uniffi::{GenerateOptions, TargetLanguage};

const GOLDEN: &str = "tests/surface.txt";
const BLESS: &str = "HOLDFAST_BLESS";

/// The library that Cargo built beside this test.
fn library() -> PathBuf {
    let test = env::current_exe().unwrap();
    let name = format!("{}holdfast_ffi{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let built = test.ancestors().skip(1).take(2).map(|folder| folder.join(&name));
    let newest = built
        .filter(|path| path.exists())
        .max_by_key(|path| fs::metadata(path).and_then(|known| known.modified()).unwrap());
    newest.unwrap_or_else(|| panic!("{name} was not built; run cargo build -p holdfast-ffi"))
}

fn generated() -> String {
    let out = tempfile::tempdir().unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    uniffi::generate(GenerateOptions {
        languages: vec![TargetLanguage::Kotlin],
        source: path(&library()).into(),
        out_dir: path(out.path()).into(),
        config_override: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../../uniffi.toml").into()),
        format: false,
        crate_filter: None,
        metadata_no_deps: true,
    })
    .unwrap();
    fs::read_to_string(out.path().join("org/holdfast/bindings/holdfast_ffi.kt")).unwrap()
}

/// The declarations of the public types and functions, without bodies, comments and plumbing.
fn surface(kotlin: &str) -> String {
    let mut surface = String::new();
    let mut inside = false;
    let mut in_comment = false;
    for line in kotlin.lines() {
        let text = line.trim();
        if text.starts_with("/*") || in_comment {
            in_comment = !text.ends_with("*/");
            continue;
        }
        if !line.starts_with([' ', '}', ')']) && !text.is_empty() {
            inside = is_declaration(text);
            if inside {
                surface.push_str(&format!("\n{}\n", text.trim_end_matches(['(', '{', ' '])));
                continue;
            }
        }
        if text.contains("fun `qrCode`") {
            surface.push_str(&format!("\n{}\n", text.trim_end_matches(" {")));
        }
        if inside && let Some(member) = member(text) {
            surface.push_str(&format!("    {member}\n"));
        }
        inside = inside && line != "    companion object";
    }
    surface
}

fn is_declaration(text: &str) -> bool {
    let kinds = ["data class ", "enum class ", "sealed class ", "public interface "];
    let plumbing = ["Ffi", "Uniffi", "UniFFI"];
    kinds.iter().any(|kind| text.starts_with(kind)) && !plumbing.iter().any(|it| text.contains(it))
}

fn member(text: &str) -> Option<&str> {
    let text = text.trim_end_matches([',', '{', ' ']);
    let is_name = |text: &str| text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let entry = text.trim_end_matches(';');
    if !entry.is_empty() && is_name(entry) {
        return Some(entry);
    }
    let kinds = ["fun ", "suspend fun ", "var `", "val `", "class ", "object ", "data class "];
    kinds.iter().any(|kind| text.starts_with(kind)).then_some(text)
}

#[test]
fn the_kotlin_surface_changes_only_on_purpose() {
    let surface = surface(&generated());
    assert!(surface.contains("suspend fun `hold`(`paymentId`: kotlin.String): PaymentView"));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if env::var_os(BLESS).is_some() {
        fs::write(&golden, &surface).unwrap();
        return;
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    let differing = expected.lines().zip(surface.lines()).find(|(old, new)| old != new);
    assert!(
        expected == surface,
        "the Kotlin surface differs, first at {differing:?}. If that is wanted: {BLESS}=1 cargo \
         test -p holdfast-ffi --test surface, and look at the difference of rust-core/ffi/{GOLDEN}"
    );
}
