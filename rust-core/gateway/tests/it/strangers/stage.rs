//! Two organisations on one gateway, each with something to lose.

use crate::charges::credential;
use crate::giving_up::notice;
use crate::handheld::{Handheld, new_key, new_link_of, path_of, sign};
use crate::office::Office;
use crate::world::{GOOD_CARD, SECRET_KEY, Setup, WEBHOOK_SECRET, World};
use data_encoding::BASE64URL_NOPAD;
use holdfast_gateway::{TenantSlug, admin};
use holdfast_protocol::enrolment::proof_message;
use holdfast_protocol::{DevicePublicKey, NoticeKind};
use holdfast_stripe::{WebhookSecret, webhook};
use std::collections::BTreeMap;

/// Words of the first organisation that nobody of the second may read.
pub(crate) const OURS: [&str; 5] =
    ["Demo Borough", "Ada Okafor", "N-7041", "HOME 1", "Quentin Home"];
/// The other way round.
pub(crate) const FOREIGN: [&str; 5] =
    ["Far Away Council", "Zora Foreign", "F-7042", "FAR 2", "Farah Foreign"];

/// A host name of the first organisation's own.
pub(crate) const OUR_HOST: &str = "pay.demo.example.org";

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) demo: House,
    pub(crate) other: House,
    names: BTreeMap<&'static str, String>,
    pub(crate) secrets: Vec<String>,
}

/// One organisation, as those who work for it reach it.
pub(crate) struct House {
    pub(crate) tenant: TenantSlug,
    pub(crate) handheld: Handheld,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
    /// The credential of a program.
    pub(crate) credential: String,
}

impl House {
    async fn furnished(world: &World, slug: &str, link: &str, words: [&str; 3]) -> Self {
        let tenant: TenantSlug = slug.parse().unwrap();
        let office = Office::by_link(world, link).await;
        world.change("UPDATE office_sessions SET expires_at_ms = 9999999999999").await;
        let csrf = office.csrf().await;
        let [reference, plate, payer] = words.map(|word| word.replace(' ', "+"));
        let charge = format!(
            "csrf={csrf}&reference={reference}&plate={plate}&payer={payer}&for=Parking&amount=65.00\
             &currency=USD&due_on=2026-12-31&user_types=officers"
        );
        assert_eq!(office.post("/admin/charges", &charge).await.location(), "/admin/charges");
        let credential = credential(&office).await;
        let link = new_link_of(world, &tenant, true).await;
        let handheld = Handheld::enrol_with(world, &link).await;
        let cookie = office.cookie().to_owned();
        Self { tenant, handheld, cookie, csrf, credential }
    }
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let setup = Setup { trusted_proxies: &["127.0.0.1"], ..Setup::default() };
        let world = World::with(setup).await;
        let [_, _, reference, plate, payer] = OURS;
        let own = "INSERT INTO hosts (host, tenant) VALUES ('pay.demo.example.org', 'demo')";
        world.change(own).await;
        let words = [reference, plate, payer];
        let demo = House::furnished(&world, "demo", &world.sign_in_link, words).await;
        let other: TenantSlug = "other".parse().unwrap();
        let [name, officer, reference, plate, payer] = FOREIGN;
        let add = admin::TenantAdd {
            tenant: other.clone(),
            name: Some(name.to_owned()),
            hosts: vec!["other.example.org".to_owned()],
        };
        let link = admin::tenant_add(&world.data(), add).await.unwrap();
        admin::officer_add(&world.data(), &other, officer).await.unwrap();
        let words = [reference, plate, payer];
        let other = House::furnished(&world, "other", &link.0, words).await;
        let mut stage = Self { world, demo, other, names: BTreeMap::new(), secrets: Vec::new() };
        stage.furnish().await;
        stage
    }

    /// One payment that is paid, one that is only held, and everything else that a request may name.
    async fn furnish(&mut self) {
        let (world, handheld) = (&self.world, &self.demo.handheld);
        let paid = handheld.order();
        let page = world.post(&format!("{}/pay", path_of(&paid)), &[], vec![]).await.location();
        world.type_card(&page, GOOD_CARD);
        world.until("SELECT COUNT(*) FROM orders", 1).await;
        let held = handheld.order();
        handheld.send(world, &held).await;
        let link = new_link_of(world, &self.demo.tenant, false).await;
        let spare = Handheld::enrol_with(world, &link).await;
        let form = format!("csrf={}&name=Grace+Hopper&role=officer", self.demo.csrf);
        let headers = [
            ("cookie", self.demo.cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        assert_eq!(world.post("/admin/users", &headers, form.into_bytes()).await.status, 200);
        let link = new_link_of(world, &self.demo.tenant, false).await;
        let key = new_key();
        let public = DevicePublicKey::from(*key.verifying_key());
        let proof = sign(&key, &proof_message(&link.tenant, link.code, &public));
        let (payment, order) = (paid.payload().payment.to_string(), path_of(&held));
        let session = page.rsplit('/').next().unwrap().to_owned();
        let event = world.text("SELECT event FROM events ORDER BY event LIMIT 1").await;
        let csv = "reference,plate,payer,for,amount,currency,due,users\nN-8,,,A,1.00,,,\n";
        self.names = BTreeMap::from([
            ("tenant", "demo".to_owned()),
            ("reference", OURS[2].to_owned()),
            ("payment", payment),
            ("held", held.payload().payment.to_string()),
            ("order", order.strip_prefix("/O/").unwrap().to_owned()),
            ("receipt", "AAAA".to_owned()),
            ("token", "made-up".to_owned()),
            ("code", "STRIPE".to_owned()),
            ("session", session),
            ("event", event),
            ("device", handheld.enrolled.device.to_string()),
            ("spare_device", spare.enrolled.device.to_string()),
            ("six_digits", spare.enrolled.six_digits.clone()),
            ("refund_key", "0123456789abcdef0123456789abcdef".to_owned()),
            ("code_typed", link.code.to_string()),
            ("public_key", BASE64URL_NOPAD.encode(&public.to_sec1())),
            ("proof", BASE64URL_NOPAD.encode(proof.as_bytes())),
            ("csv", csv.to_owned()),
        ]);
        let master = std::fs::read_to_string(world.data().join("master.key")).unwrap();
        self.secrets = vec![
            SECRET_KEY.to_owned(),
            WEBHOOK_SECRET.to_owned(),
            master.trim().to_owned(),
            self.demo.handheld.enrolled.confirm_secret.clone(),
            self.demo.credential.clone(),
            self.demo.cookie.split_once('=').unwrap().1.to_owned(),
            self.other.credential.clone(),
            self.other.cookie.split_once('=').unwrap().1.to_owned(),
        ];
    }

    /// What a name stands for.
    pub(crate) fn part(&self, name: &str) -> String {
        self.names.get(name).unwrap_or_else(|| panic!("the stage has no {name}")).clone()
    }

    /// A notice about the held payment.
    pub(crate) fn notice(&self) -> Vec<u8> {
        let payment = self.part("held").parse().unwrap();
        notice(&self.demo.handheld, payment, NoticeKind::Withdraw { reason: "Left".to_owned() })
    }

    /// Stripe's signature over a body.
    pub(crate) fn signed(&self, body: &[u8]) -> String {
        let secret = WebhookSecret::parse(WEBHOOK_SECRET).unwrap();
        webhook::sign(body, &[secret], self.world.now_ms() / 1000)
    }
}
