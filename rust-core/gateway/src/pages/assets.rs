//! The static files, inside the binary. Their addresses carry a digest of their content, so that
//! browsers may keep them for ever and never show an old one.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The one stylesheet.
pub(crate) const CSS: &str = include_str!("../../assets/holdfast.css");
/// The one script.
pub(crate) const JS: &str = include_str!("../../assets/holdfast.js");
/// The icon of the browser's tab.
pub(crate) const ICON: &str = include_str!("../../assets/icon.svg");

static CSS_PATH: LazyLock<String> = LazyLock::new(|| versioned("/assets/holdfast.css", CSS));
static JS_PATH: LazyLock<String> = LazyLock::new(|| versioned("/assets/holdfast.js", JS));

/// Address of the stylesheet.
pub(crate) fn css_path() -> &'static str {
    &CSS_PATH
}

/// Address of the script.
pub(crate) fn js_path() -> &'static str {
    &JS_PATH
}

fn versioned(path: &str, content: &str) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(content));
    let short: String = digest.chars().take(12).collect();
    format!("{path}?v={short}")
}
