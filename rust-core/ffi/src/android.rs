//! What only Android needs: logging, set up when the system loads the library.
#![allow(
    unsafe_code,
    reason = "the name and signature of JNI_OnLoad are Java's, and an exported name is unsafe"
)]

use jni::sys::{JNI_VERSION_1_6, JavaVM, jint};
use std::ffi::c_void;

/// Called by `System.loadLibrary`, once. Sends the core's log to logcat under the tag `holdfast`.
///
/// What panics prints goes to standard error, which Android throws away, so it is logged as well.
#[unsafe(no_mangle)]
extern "system" fn JNI_OnLoad(_vm: *mut JavaVM, _reserved: *mut c_void) -> jint {
    let level =
        if cfg!(debug_assertions) { log::LevelFilter::Debug } else { log::LevelFilter::Info };
    android_logger::init_once(
        android_logger::Config::default().with_tag("holdfast").with_max_level(level),
    );
    std::panic::set_hook(Box::new(|panic| log::error!("{panic}")));
    JNI_VERSION_1_6
}
