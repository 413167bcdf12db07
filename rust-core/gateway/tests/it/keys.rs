//! Changing the master key, and looking an installation over.

use crate::handheld::{Handheld, new_link, path_of};
use crate::world::{GOOD_CARD, World};
use holdfast_gateway::admin::{self, Health};

#[tokio::test]
async fn the_master_key_is_changed_beside_a_running_gateway() {
    let mut world = World::start().await;
    let file = world.data().join("master.key");
    let before = std::fs::read(&file).unwrap();
    // The running gateway has opened no key of the tenant yet: it meets them first after the change.
    let rotated = admin::keys_rotate(&world.data()).await.unwrap();
    assert_eq!(rotated.data_keys, 2);
    assert_ne!(std::fs::read(&file).unwrap(), before);
    assert!(!world.data().join("master.key.next").exists());
    for _ in 0..2 {
        let handheld = Handheld::enrol_with(&world, &new_link(&world, true).await).await;
        let order = handheld.order();
        let page = world.post(&format!("{}/pay", path_of(&order)), &[], vec![]).await.location();
        world.type_card(&page, GOOD_CARD);
        world.page_says(&order.payload().payment.to_string(), "Paid").await;
        world.restart().await;
    }
    std::fs::write(&file, before).unwrap();
    assert!(admin::doctor(&world.data()).await.is_err(), "the old key still opens the database");
}

#[tokio::test]
async fn a_rotation_cut_short_before_its_last_step_leaves_a_folder_that_opens() {
    let mut world = World::start().await;
    let (file, next) = (world.data().join("master.key"), world.data().join("master.key.next"));
    let old = std::fs::read(&file).unwrap();
    admin::keys_rotate(&world.data()).await.unwrap();
    // As if the power had failed between the database's commit and the new name of the file.
    std::fs::rename(&file, &next).unwrap();
    std::fs::write(&file, old).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    world.restart().await;
    Handheld::enrol(&world).await;
    admin::keys_rotate(&world.data()).await.unwrap();
    assert!(!next.exists());
    world.restart().await;
    Handheld::enrol(&world).await;
}

#[tokio::test]
async fn the_doctor_finds_a_good_installation_good_and_names_what_is_not() {
    let world = World::start().await;
    let find = |found: &[admin::Finding], what: &str| {
        let found = found.iter().find(|it| it.what.contains(what));
        found.unwrap_or_else(|| panic!("nothing about {what}")).clone()
    };
    let found = admin::doctor(&world.data()).await.unwrap();
    for what in [
        "master key",
        "database",
        "secrets of demo",
        "STRIPE of demo",
        "webhook secret",
        "clock",
        "/api/demo/qr/payment/webhook",
    ] {
        let it = find(&found, what);
        assert_eq!(it.health, Health::Good, "{what}: {}", it.words);
    }
    assert_eq!(find(&found, "public URL").health, Health::Advice);
    // Its own look is no trouble on the list of deliveries; the same of a stranger is.
    let unsigned = "SELECT COUNT(*) FROM deliveries WHERE outcome = 'unsigned'";
    assert_eq!(world.count(unsigned).await, 0);
    let strangers = [("holdfast-look", "1700000000.AAAA")];
    let refused = world.post("/api/demo/qr/payment/webhook", &strangers, vec![]).await;
    assert_eq!(refused.status, 400);
    world.until(unsigned, 1).await;
    world.change("UPDATE processors SET secret_key_sealed = x'0100000001'").await;
    world.change("DELETE FROM webhook_secrets").await;
    let found = admin::doctor(&world.data()).await.unwrap();
    for (what, words) in
        [("secrets of demo", "does not open"), ("webhook secret", "register the webhook")]
    {
        let it = find(&found, what);
        assert!(it.health == Health::Bad && it.words.contains(words), "{what}: {}", it.words);
    }
}

#[tokio::test]
async fn databases_of_earlier_schemas_are_brought_up_to_date() {
    let databases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/databases");
    for schema in ["schema-1", "schema-61", "schema-91"] {
        let kept = databases.join(schema);
        let folder = tempfile::tempdir().unwrap();
        for name in ["holdfast.db", "master.key"] {
            std::fs::copy(kept.join(name), folder.path().join(name)).unwrap();
            use std::os::unix::fs::PermissionsExt;
            let owner_only = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(folder.path().join(name), owner_only).unwrap();
        }
        let tenant = "demo".parse().unwrap();
        let link = admin::sign_in_link(folder.path(), &tenant).await.unwrap();
        assert!(link.0.contains("/sign-in/"), "{schema}");
        let found = admin::doctor(folder.path()).await.unwrap();
        for what in ["secrets of demo", "database", "audit log of demo"] {
            let Some(it) = found.iter().find(|it| it.what == what) else {
                panic!("{schema}: nothing about {what}")
            };
            assert_eq!(it.health, Health::Good, "{schema}: {}", it.words);
        }
    }
}
