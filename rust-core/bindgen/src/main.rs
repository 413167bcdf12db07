//! Generates the Kotlin bindings (`scripts/bindings`).
fn main() {
    uniffi::uniffi_bindgen_main()
}
