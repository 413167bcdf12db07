//! What must never be found in plain: not in the data folder, not in the logs, not in a page.

use crate::handheld::{Handheld, new_link, path_of};
use crate::world::{GOOD_CARD, SECRET_KEY, WEBHOOK_SECRET, World, tenant};
use data_encoding::BASE64URL_NOPAD;
use holdfast_gateway::admin;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps every log line of this process.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn no_secret_reaches_the_disk_or_the_log_in_plain() {
    let kept = Kept::default();
    let lines = tracing_subscriber::fmt().with_env_filter("debug").with_writer(kept.clone());
    lines.try_init().unwrap();
    let mut world = World::start().await;
    let link = new_link(&world, true).await;
    let handheld = Handheld::enrol_with(&world, &link).await;
    let order = handheld.order();
    let token = handheld.authorization(&world).await.replace("Bearer ", "");
    let pay = format!("{}/pay", path_of(&order));
    let stripe_page = world.post(&pay, &[], vec![]).await.location();
    world.type_card(&stripe_page, GOOD_CARD);
    world.until("SELECT COUNT(*) FROM orders", 1).await;
    let wrong = [("stripe-signature", "t=1,v1=00")];
    world.post("/api/demo/qr/payment/webhook", &wrong, b"{}".to_vec()).await;
    world.get(world.sign_in_link.split_once("8480").unwrap().1).await;
    world.restart().await;
    let confirm_secret =
        BASE64URL_NOPAD.decode(handheld.enrolled.confirm_secret.as_bytes()).unwrap();
    let sign_in_token = world.sign_in_link.rsplit('/').next().unwrap().as_bytes().to_vec();
    let secrets = [
        ("secret key", SECRET_KEY.as_bytes().to_vec()),
        ("webhook secret", WEBHOOK_SECRET.as_bytes().to_vec()),
        ("confirm secret", confirm_secret),
        ("confirm secret as text", handheld.enrolled.confirm_secret.clone().into_bytes()),
        ("enrolment code", link.code.compact().as_bytes().to_vec()),
        ("token", token.into_bytes()),
        ("sign-in token", sign_in_token),
    ];
    let log = kept.0.lock().unwrap().clone();
    assert!(contains(&log, b"order accepted") || contains(&log, b"order brought"), "no log");
    let order_text = path_of(&order).split_off("/O/".len()).into_bytes();
    assert!(!contains(&log, &order_text), "a signed order stands in the log");
    let session = stripe_page.rsplit('/').next().unwrap().as_bytes().to_vec();
    for line in log.split(|byte| *byte == b'\n').filter(|line| contains(line, b"holdfast_gateway"))
    {
        let line_text = String::from_utf8_lossy(line);
        assert!(!contains(line, &session), "an address that can be paid is logged: {line_text}");
    }
    for (name, secret) in secrets {
        assert!(!contains(&log, &secret), "the {name} stands in the log");
        for file in std::fs::read_dir(world.data()).unwrap() {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!contains(&bytes, &secret), "the {name} stands in {}", path.display());
        }
    }
}

#[tokio::test]
async fn the_data_folder_is_its_owners_alone() {
    let world = World::start().await;
    for file in std::fs::read_dir(world.data()).unwrap() {
        let path = file.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    let mode = world.data().metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
}

#[tokio::test]
async fn a_foreign_master_key_is_noticed_at_once() {
    let mut world = World::start().await;
    world.gateway.take().unwrap().shutdown().await;
    let path = world.data().join("master.key");
    let key = std::fs::read_to_string(&path).unwrap();
    let last = key.trim_end().chars().last().unwrap();
    let other = if last == '0' { '1' } else { '0' };
    std::fs::write(&path, format!("{}{other}\n", &key.trim_end()[..key.trim_end().len() - 1]))
        .unwrap();
    let error = admin::sign_in_link(&world.data(), &tenant()).await.unwrap_err().to_string();
    assert!(error.contains("master key is not the one"), "{error}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = admin::sign_in_link(&world.data(), &tenant()).await.unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
}

#[tokio::test]
async fn a_folder_is_initialised_once() {
    let world = World::start().await;
    let again = admin::Init {
        data: world.data(),
        tenant: tenant(),
        name: None,
        public_url: None,
        hosts: Vec::new(),
    };
    let error = admin::init(again).await.unwrap_err().to_string();
    assert!(error.contains("there is a gateway already"), "{error}");
    let nowhere = world.folder.path().join("nothing");
    let error = admin::sign_in_link(&nowhere, &tenant()).await.unwrap_err().to_string();
    assert!(error.contains("holdfast init"), "{error}");
}
