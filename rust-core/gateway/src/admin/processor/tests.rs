//! Refusals of what was given.

use super::*;

fn set(mode: Mode, key: &str) -> SetProcessor {
    SetProcessor {
        tenant: "demo".parse().unwrap(),
        code: "STRIPE".parse().unwrap(),
        mode,
        name: None,
        currency: None,
        webhook_id: None,
        api_base: None,
        secret_key: Some(Secret::new(key.to_owned())),
        publishable_key: None,
        webhook_secret: None,
    }
}

fn refused(what: SetProcessor) -> String {
    Checked::of(what).err().unwrap().to_string()
}

fn secret(text: &str) -> Option<Secret<String>> {
    Some(Secret::new(text.to_owned()))
}

#[test]
fn a_key_of_the_other_mode_is_refused_with_its_field() {
    let words = refused(set(Mode::Test, "sk_live_51Abc"));
    assert!(words.contains("STRIPE_SECRET_KEY is a live key and --mode is test"), "{words}");
    let words = refused(SetProcessor {
        publishable_key: secret("pk_live_51Abc"),
        ..set(Mode::Test, "sk_test_51Abcdefghijk")
    });
    assert!(words.contains("STRIPE_PUBLISHABLE_KEY is a live key"), "{words}");
}

#[test]
fn keys_that_name_two_accounts_are_refused_with_the_field() {
    let key =
        |kind: &str, account: &str| format!("{kind}_test_5{account}QxRkTestsOfTheGatewayQxRk");
    let with = |account: &str| SetProcessor {
        publishable_key: secret(&key("pk", account)),
        ..set(Mode::Test, &key("sk", "1GQ9RbJAJfZb9HEB"))
    };
    let words = refused(with("1GQ9RbJAJfZb9HEC"));
    assert!(words.contains("STRIPE_PUBLISHABLE_KEY is of another Stripe account"), "{words}");
    assert!(Checked::of(with("1GQ9RbJAJfZb9HEB")).is_ok());
}

#[test]
fn keys_in_the_wrong_field_are_told_apart() {
    for (what, part) in [
        (set(Mode::Test, ""), "STRIPE_SECRET_KEY: it is empty"),
        (set(Mode::Test, "pk_test_51Abcdefghijk"), "STRIPE_SECRET_KEY holds a publishable key"),
        (set(Mode::Test, "whsec_abc"), "Webhook Secret"),
        (
            SetProcessor {
                publishable_key: secret("sk_test_51Abcdefghijk"),
                ..set(Mode::Test, "sk_test_51Abcdefghijk")
            },
            "STRIPE_PUBLISHABLE_KEY holds a secret key",
        ),
        (
            SetProcessor {
                webhook_secret: secret("we_123"),
                ..set(Mode::Test, "sk_test_51Abcdefghijk")
            },
            "STRIPE_WEBHOOK_SECRET: it is the ID of a webhook endpoint",
        ),
        (
            SetProcessor {
                webhook_id: Some("whsec_1".into()),
                ..set(Mode::Test, "sk_test_51Abcdefghijk")
            },
            "--webhook-id",
        ),
        (
            SetProcessor {
                currency: Some("zzz".into()),
                ..set(Mode::Test, "sk_test_51Abcdefghijk")
            },
            "--currency",
        ),
    ] {
        let words = refused(what);
        assert!(words.contains(part), "{words} does not say {part}");
    }
}

#[test]
fn another_api_address_is_for_test_keys_on_this_machine_or_by_https() {
    let at = |base: &str, mode, key| SetProcessor { api_base: Some(base.into()), ..set(mode, key) };
    assert!(Checked::of(at("http://127.0.0.1:9", Mode::Test, "sk_test_51Abcdef")).is_ok());
    for what in [
        at("http://example.com", Mode::Test, "sk_test_51Abcdef"),
        at("https://example.com", Mode::Live, "sk_live_51Abc"),
        at("not an address", Mode::Test, "sk_test_51Abcdef"),
    ] {
        let words = refused(what);
        assert!(words.starts_with("--api-base: "), "{words}");
    }
}

#[test]
fn no_refusal_repeats_a_key() {
    for what in [
        set(Mode::Test, "sk_live_51Abc"),
        set(Mode::Test, "pk_test_51AbcdefghijkWXYZ"),
        set(Mode::Test, "sk_bad 51AbcdefghijkWXYZ"),
    ] {
        assert!(!refused(what).contains("51Abc"));
    }
}
