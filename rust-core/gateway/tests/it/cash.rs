//! Cash: recorded by the hold, voided by rule, handed in at the end of the shift.

use crate::charges::for_charge;
use crate::handheld::{Handheld, sign, submit};
use crate::office::Office;
use crate::world::{Answer, World, tenant};
use holdfast_domain::{PaymentId, ProvisionalReceipt};
use holdfast_protocol::{NoticeKind, NoticePayload, OrderPayload, SignedNotice};
use reqwest::Method;

pub(crate) async fn with_cash(office: &Office<'_>) {
    let csrf = office.csrf_of("/admin/types/new").await;
    let form =
        |users: &str| format!("csrf={csrf}&code=CASH&name=Cash&provider=cash&currency=USD{users}");
    let refused = office.post("/admin/types", &form("&user_types=portal")).await;
    assert!(refused.status == 422 && refused.body.contains("Cash is taken by officers"));
    let added = office.post("/admin/types", &form("&user_types=officers")).await;
    assert_eq!(added.location(), "/admin/types/CASH");
    let page = office.get("/admin/types/CASH").await.body;
    assert!(page.contains("no keys") && !page.contains("Secret Key"), "{page}");
    assert!(office.get("/admin/types").await.body.contains("data-label=\"Provider\">Cash<"));
}

pub(crate) fn in_cash(payload: OrderPayload) -> OrderPayload {
    OrderPayload { payment_type: "CASH".parse().unwrap(), ..payload }
}

async fn take(world: &World, handheld: &Handheld, payload: OrderPayload) -> serde_json::Value {
    let answer = submit(world, handheld.signed(in_cash(payload)).to_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["payment"].clone()
}

async fn void(world: &World, handheld: &Handheld, payment: &str, late_s: u64) -> Answer {
    let payload = NoticePayload {
        gateway: handheld.enrolled.gateway,
        tenant: tenant(),
        device: handheld.enrolled.device,
        payment: PaymentId::parse(payment).unwrap(),
        kind: NoticeKind::Withdraw { reason: "The wrong drawer.".into() },
        made_at_unix_s: handheld.payload(1).held_at_unix_s + late_s,
    };
    let signature = sign(&handheld.key, &payload.to_be_signed());
    let notice = SignedNotice::assemble(payload, signature).to_bytes();
    world.post("/api/demo/notices", &[("content-type", "application/cose")], notice).await
}

#[tokio::test]
async fn cash_is_paid_by_the_hold_voided_by_rule_and_handed_in() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    with_cash(&office).await;
    let handheld = Handheld::enrol(&world).await;
    let bearer = handheld.authorization(&world).await;
    let get = async |path: &str| {
        world.send(Method::GET, path, &[("authorization", &bearer)], vec![]).await.json()
    };
    let config = get("/api/demo/handheld/config").await;
    assert_eq!(config["payment_types"][0]["provider"], "cash");
    let first = take(&world, &handheld, handheld.payload(2)).await;
    assert_eq!((&first["state"], first["receipt_order_id"].is_string()), (&"paid".into(), true));
    let id = first["payment"].as_str().unwrap();
    assert!(world.get(&format!("/pay/{id}")).await.body.contains("Receipt order ID"));
    assert_eq!(world.sessions(), 0);
    let second = take(&world, &handheld, handheld.payload(1)).await;
    let second = second["payment"].as_str().unwrap();
    let late = void(&world, &handheld, second, 1_000).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (409, "void_refused"));
    let voided = void(&world, &handheld, second, 60).await;
    assert_eq!(voided.json()["payment"]["state"], "withdrawn");
    let held = get("/api/demo/handheld/cash").await;
    assert_eq!(held["shifts"][0]["total"]["minor"], 2500);
    assert_eq!(
        (&held["shifts"][0]["payments"], &held["shifts"][0]["voided"]),
        (&1.into(), &1.into())
    );
    let page = office.get("/admin/cash").await.body;
    let provisional = ProvisionalReceipt::of(handheld.enrolled.device, 1).to_string();
    assert!(page.contains("USD 25.00") && page.contains(&provisional), "{page}");
    // A payment that comes between looking and counting is not lost in the count.
    let csrf = office.csrf_of("/admin/cash").await;
    let close = |payments: u32, total: u32, counted: &str| {
        format!(
            "csrf={csrf}&officer=1&device={}&mode=test&currency=USD&payments={payments}&\
             total={total}&counted={counted}",
            handheld.enrolled.device
        )
    };
    take(&world, &handheld, handheld.payload(1)).await;
    let stale = office.post("/admin/cash/close", &close(2, 2500, "25.00")).await;
    assert!(stale.status == 422 && stale.body.contains("has changed"), "{}", stale.body);
    let typo = office.post("/admin/cash/close", &close(3, 3750, "12,5")).await;
    assert!(typo.status == 422 && typo.body.contains("Write what you counted"));
    let closed = office.post("/admin/cash/close", &close(3, 3750, "37.00")).await;
    assert_eq!(closed.location(), "/admin/cash");
    let twice = office.post("/admin/cash/close", &close(3, 3750, "37.00")).await;
    assert_eq!(twice.status, 422, "a replayed form closes nothing");
    let page = office.get("/admin/cash").await.body;
    assert!(page.contains("Difference USD -0.50") && page.contains("No shift is open"), "{page}");
    let form = format!("csrf={csrf}&payment={id}&reason=Again");
    let refused = office.post("/admin/cash/void", &form).await;
    assert!(refused.status == 422 && refused.body.contains("its shift is closed"));
    let log = office.get("/admin/audit").await.body;
    for what in ["cash handed in", "cash voided", "The wrong drawer."] {
        assert!(log.contains(what), "{what}");
    }
    for foreign in ["00000000-0000-7000-8000-000000000000", "x"] {
        let form = format!("csrf={csrf}&payment={foreign}&reason=Again");
        assert!(
            (400..=404).contains(&office.post("/admin/cash/void", &form).await.status.as_u16())
        );
    }
}

#[tokio::test]
async fn cash_beside_a_card_closes_the_card_page() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    with_cash(&office).await;
    let csrf = office.csrf_of("/admin/charges/new").await;
    let charge = "reference=N-1&for=Parking&amount=65.00&currency=USD&user_types=officers";
    office.post("/admin/charges", &format!("csrf={csrf}&{charge}")).await;
    let (one, two) = (Handheld::enrol(&world).await, Handheld::enrol(&world).await);
    let by_card = one.send(&world, &one.signed(for_charge(&one, "N-1", 6500))).await;
    let stripe = world.post(&format!("/pay/{by_card}/pay"), &[], vec![]).await.location();
    let cash = take(&world, &two, for_charge(&two, "N-1", 6500)).await;
    assert_eq!(cash["state"], "paid");
    world.page_says(&by_card, "Already paid by another payment").await;
    let is_closed = "SELECT COUNT(*) FROM attempts WHERE state = 'disposed'";
    world.until(is_closed, 1).await;
    let refused = world.type_card(&stripe, crate::world::GOOD_CARD);
    assert!(!matches!(refused, holdfast_sandbox::core::PayOutcome::Paid { .. }), "{refused:?}");
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 1);
    // The office voids: the charge is owed again.
    let csrf = office.csrf_of("/admin/cash").await;
    let form =
        format!("csrf={csrf}&payment={}&reason=Given+back", cash["payment"].as_str().unwrap());
    assert_eq!(office.post("/admin/cash/void", &form).await.location(), "/admin/cash");
    assert!(office.get("/admin/charges?state=being_paid").await.body.contains("N-1"));
}

#[tokio::test]
async fn cash_whose_order_is_refused_stays_in_sight_until_somebody_acts() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    with_cash(&office).await;
    let csrf = office.csrf_of("/admin/charges/new").await;
    let charge = "reference=N-1&for=Parking&amount=65.00&currency=USD&user_types=officers";
    office.post("/admin/charges", &format!("csrf={csrf}&{charge}")).await;
    let handheld = Handheld::enrol(&world).await;
    // Offline, the officer took what was owed yesterday.
    let payload = in_cash(for_charge(&handheld, "N-1", 6000));
    let (id, number) = (payload.payment, payload.sequence);
    let order = handheld.signed(payload).to_bytes();
    for _ in 0..3 {
        assert_eq!(submit(&world, order.clone()).await.status, 422);
    }
    let by_card = handheld.signed(for_charge(&handheld, "N-1", 6000)).to_bytes();
    assert_eq!(submit(&world, by_card).await.status, 422);
    assert_eq!(world.count("SELECT COUNT(*) FROM payments").await, 0);
    let page = office.get("/admin/cash").await.body;
    let receipt = ProvisionalReceipt::of(handheld.enrolled.device, number).to_string();
    for part in
        ["Cash without a payment", "USD 60.00", "Ada Okafor", "is owed, not USD 60.00", &receipt]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let badge = "1<span class=\"hidden-words\"> without a payment";
    assert!(office.get("/admin/payments").await.body.contains(badge), "on every page");
    let csrf = office.csrf_of("/admin/cash").await;
    let done = |what: &str| format!("csrf={csrf}&payment={id}&what={what}");
    let olu = crate::people::add(&office, "Olu", "officer").await;
    let theirs = olu.csrf_of("/admin/account").await;
    let stolen = format!("csrf={theirs}&payment={id}&what=x");
    assert_eq!(olu.post("/admin/cash/refused", &stolen).await.status, 403);
    assert_eq!(office.post("/admin/cash/refused", &done("+")).await.status, 422);
    let done_so = done("Handed+in%2C+five+short");
    assert_eq!(office.post("/admin/cash/refused", &done_so).await.location(), "/admin/cash");
    let twice = office.post("/admin/cash/refused", &done("Again")).await;
    assert!(twice.status == 422 && twice.body.contains("Somebody was faster"));
    let page = office.get("/admin/cash").await.body;
    assert!(page.contains("Handed in, five short") && !page.contains(badge), "{page}");
    let log = office.get("/admin/audit").await.body;
    for what in ["cash refused", "refused cash handled", "Handed in, five short"] {
        assert!(log.contains(what), "{what}");
    }
}
