//! The binary itself: what it prints, where, and with which exit status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod program;

use std::path::Path;
use std::process::{Command, Output};

use program::{Running, failed, said, text};

fn holdfast(args: &[&str], data: &Path) -> Command {
    let mut command = program::holdfast(args);
    command.arg("--data").arg(data);
    command
}

fn run(args: &[&str], data: &Path) -> Output {
    holdfast(args, data).output().unwrap()
}

#[test]
fn an_operator_sets_up_a_gateway_and_serves_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let made = said(&run(&["init", "--tenant", "demo", "--name", "Demo"], &data));
    assert_eq!(made.lines().count(), 1);
    assert!(made.contains("http://127.0.0.1:8480/sign-in/"), "{made}");
    let added = said(&run(&["officer", "add", "Ada Okafor", "--tenant", "demo"], &data));
    assert_eq!(added, "officer 1 added\n");
    let list = folder.path().join("list.csv");
    std::fs::write(&list, "id,name,price\n1,Day permit,12.50\n").unwrap();
    let loaded = run(&["catalogue", "load", list.to_str().unwrap(), "--tenant", "demo"], &data);
    assert_eq!(said(&loaded), "1 items loaded as version 1\n");

    let (gateway, address) = Running::start(holdfast(&["serve", "--listen", "127.0.0.1:0"], &data));
    // Beside the running gateway.
    let set = ["stripe", "set", "--tenant", "demo", "--code", "STRIPE", "--mode", "test"];
    let mut set = holdfast(&set, &data);
    set.env("STRIPE_SECRET_KEY", "sk_test_51AbcdefghijkWXYZ");
    let set = said(&set.output().unwrap());
    assert!(set.contains("sk_test_…WXYZ") && !set.contains("Abcdef"), "{set}");
    let code = said(&run(&["handheld", "code", "--approved", "--tenant", "demo"], &data));
    assert_eq!(code.lines().count(), 1);
    assert!(code.starts_with(&format!("{address}/e/demo/")), "{code}");
    let link = said(&run(&["sign-in", "--tenant", "demo"], &data));
    assert!(link.contains(&format!("{address}/sign-in/")), "{link}");

    let port = address.strip_prefix("http://").unwrap();
    let in_use = failed(&run(&["serve", "--listen", port], &data));
    assert!(in_use.contains(port) && in_use.contains("choose another port"), "{in_use}");
    gateway.stop();
}

#[test]
fn failures_are_one_line_that_helps_and_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let nothing = failed(&run(&["serve", "--listen", "127.0.0.1:0"], &data));
    assert!(nothing.contains("holdfast init"), "{nothing}");
    said(&run(&["init", "--tenant", "demo"], &data));
    let again = failed(&run(&["init", "--tenant", "demo"], &data));
    assert!(again.contains("there is a gateway already"), "{again}");
    let nobody = failed(&run(&["handheld", "code", "--tenant", "demo"], &data));
    assert!(nobody.contains("holdfast officer add"), "{nobody}");
    let unknown = failed(&run(&["officer", "add", "Ada", "--tenant", "other"], &data));
    assert!(unknown.contains("there is no tenant other"), "{unknown}");
    let set = ["stripe", "set", "--tenant", "demo", "--code", "STRIPE", "--mode", "test"];
    let mut live = holdfast(&set, &data);
    let live = failed(&live.env("STRIPE_SECRET_KEY", "sk_live_51Abc").output().unwrap());
    assert!(live.contains("STRIPE_SECRET_KEY is a live key and --mode is test"), "{live}");
    assert!(!live.contains("51Abc"));
    let none = failed(&run(&set, &data));
    assert!(none.contains("STRIPE_SECRET_KEY: it is empty"), "{none}");
}

#[test]
fn a_currency_that_the_prices_are_not_in_is_pointed_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    said(&run(&["init", "--tenant", "demo"], &data));
    let list = folder.path().join("list.csv");
    std::fs::write(&list, "id,name,price\n1,Day permit,12.50\n").unwrap();
    let load = ["catalogue", "load", list.to_str().unwrap(), "--tenant", "demo"];
    said(&run(&load, &data));
    let set = ["stripe", "set", "--tenant", "demo", "--code", "STRIPE", "--mode", "test"];
    let mut set = holdfast(&[&set[..], &["--currency", "eur"]].concat(), &data);
    let set = set.env("STRIPE_SECRET_KEY", "sk_test_51Abc").output().unwrap();
    assert!(text(&set.stderr).contains("price list is in USD"), "{}", text(&set.stderr));
    // Loaded again, it takes the payment type's currency.
    assert_eq!(said(&run(&load, &data)), "1 items loaded as version 2\n");
}

#[test]
fn wrong_use_is_status_2_and_help_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = run(&["init", "--tenant", "Not A Slug"], folder.path());
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("lower-case letters"));
    let help = Command::new(env!("CARGO_BIN_EXE_holdfast")).arg("--help").output().unwrap();
    let help = said(&help);
    for command in
        ["init", "serve", "tenant", "officer", "handheld", "catalogue", "stripe", "sandbox"]
    {
        assert!(help.contains(command), "{command}");
    }
}

#[test]
fn the_sandbox_runs_from_the_same_binary() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["sandbox", "--listen", "127.0.0.1:0", "--seed", "7"];
    let (sandbox, _) = Running::start(holdfast(&args, folder.path()));
    sandbox.stop();
}

#[test]
fn the_master_key_may_come_from_the_environment_and_then_lies_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // Two good keys, as init draws them.
    let drawn = |name: &str| {
        let other = folder.path().join(name);
        said(&run(&["init", "--tenant", "demo"], &other));
        std::fs::read_to_string(other.join("master.key")).unwrap().trim().to_owned()
    };
    let (key, next) = (drawn("a"), drawn("b"));
    let with = |args: &[&str], key: &str| {
        let mut command = holdfast(args, &data);
        command.env("HOLDFAST_MASTER_KEY", key);
        command
    };
    said(&with(&["init", "--tenant", "demo"], &key).output().unwrap());
    assert!(!data.join("master.key").exists());
    for file in std::fs::read_dir(&data).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let digits = key.split(' ').next_back().unwrap().as_bytes();
        assert!(!bytes.windows(digits.len()).any(|it| it == digits), "the key lies on the disk");
    }
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    Running::start(with(&serve, &key)).0.stop();
    let none = failed(&run(&serve, &data));
    assert!(none.contains("master") && !none.contains(&key), "{none}");
    let wrong = failed(&with(&serve, &next).output().unwrap());
    assert!(wrong.contains("master key is not the one"), "{wrong}");
    let broken = failed(&with(&serve, "nonsense").output().unwrap());
    assert!(broken.contains("HOLDFAST_MASTER_KEY") && !broken.contains("nonsense"), "{broken}");
    let rotate = ["keys", "rotate"];
    let alone = failed(&with(&rotate, &key).output().unwrap());
    assert!(alone.contains("HOLDFAST_MASTER_KEY_NEXT"), "{alone}");
    let mut both = with(&rotate, &key);
    said(&both.env("HOLDFAST_MASTER_KEY_NEXT", &next).output().unwrap());
    Running::start(with(&serve, &next)).0.stop();
    failed(&with(&serve, &key).output().unwrap());
}
