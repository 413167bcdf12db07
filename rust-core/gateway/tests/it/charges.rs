//! Charges: the form, files, programs, the handheld's search, and that each is settled once.

use crate::handheld::{Handheld, path_of, submit};
use crate::office::Office;
use crate::world::{Answer, GOOD_CARD, World};
use holdfast_domain::{ChargeReference, Currency, Money, OrderLine};
use holdfast_gateway::admin;
use holdfast_protocol::{OrderPayload, SignedOrder};
use reqwest::Method;
use serde_json::{Value, json};

const GOOD: &str = "reference=N-1&plate=AB+123&payer=Kim+Lee&for=Parking&amount=65.00&for=&amount=&\
                    currency=USD&due_on=2026-12-31&user_types=officers&user_types=portal";

pub(crate) async fn add(office: &Office<'_>, fields: &str) -> Answer {
    let csrf = office.csrf_of("/admin/charges/new").await;
    office.post("/admin/charges", &format!("csrf={csrf}&{fields}")).await
}

async fn import(office: &Office<'_>, text: &str, replace: &str) -> Answer {
    let csrf = office.csrf_of("/admin/charges/import").await;
    let text: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    office.post("/admin/charges/import", &format!("csrf={csrf}&csv={text}{replace}")).await
}

/// A credential for programs.
pub(crate) async fn credential(office: &Office<'_>) -> String {
    let csrf = office.csrf_of("/admin/charges/api").await;
    let made = office.post("/admin/charges/api", &format!("csrf={csrf}&name=Notices")).await;
    let after = made.body.split_once("id=\"credential\">").unwrap().1;
    after.split('<').next().unwrap().to_owned()
}

async fn call(world: &World, method: Method, path: &str, token: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    world.send(method, path, &headers, body).await
}

fn notice(minor: i64) -> Value {
    json!({"plate": "XY 987", "payer": "Robin Doe", "currency": "USD",
           "lines": [{"text": "Clamp release", "minor": minor}]})
}

pub(crate) fn for_charge(handheld: &Handheld, reference: &str, minor: i64) -> OrderPayload {
    let reference = ChargeReference::parse(reference).unwrap();
    OrderPayload {
        lines: vec![OrderLine::Charge { reference, minor }],
        total: Money::new(minor, Currency::USD),
        ..handheld.payload(1)
    }
}

fn signed(handheld: &Handheld, reference: &str, minor: i64) -> SignedOrder {
    handheld.signed(for_charge(handheld, reference, minor))
}

#[tokio::test]
async fn a_charge_is_added_changed_and_withdrawn_on_its_page() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    for (change, words) in [
        (("reference=N-1", "reference=N+1"), "A reference has"),
        (("amount=65.00", "amount=65%2C00"), "not an amount"),
        (("amount=65.00", "amount=0"), "more than zero"),
        (("for=Parking&", "for=&"), "what it is for"),
        (("due_on=2026-12-31", "due_on=soon"), "Write the date"),
        (("&user_types=officers&user_types=portal", ""), "Choose at least one"),
        (("plate=AB+123", "plate=AB%0A123"), "on one line"),
    ] {
        let refused = add(&office, &GOOD.replace(change.0, change.1)).await;
        assert_eq!(refused.status, 422, "{words}");
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
    }
    let hostile = GOOD.replace("Kim+Lee", "%3Cscript%3E%27%29%3B+DROP+TABLE+charges");
    assert_eq!(add(&office, &hostile).await.location(), "/admin/charges");
    // The same form again is the same charge; another of its reference is refused.
    assert_eq!(add(&office, &hostile).await.location(), "/admin/charges");
    let taken = add(&office, GOOD).await;
    assert!(taken.status == 422 && taken.body.contains("another charge of this reference"));
    let list = office.get("/admin/charges?find=ab123").await.body;
    assert!(list.contains("&#60;script&#62;") && !list.contains("<script>&#39;"), "{list}");
    for find in ["n-", "AB 12", "%3Cscript", "drop"] {
        assert!(office.get(&format!("/admin/charges?find={find}")).await.body.contains("N-1"));
    }
    for find in ["%25", "_", "zzz", "B123", "%27+OR+1%3D1"] {
        let found = office.get(&format!("/admin/charges?find={find}")).await.body;
        assert!(found.contains("Nothing found"), "{find}");
    }
    let page = office.get("/admin/charges/N-1").await.body;
    let field = |name: &str| {
        let after = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap().1;
        after.split('"').next().unwrap().to_owned()
    };
    let form = |seen: &str, amount: &str| {
        let fields = GOOD.replace("reference=N-1&", "").replace("65.00", amount);
        format!("csrf={}&seen={seen}&{fields}", field("csrf"))
    };
    let saved = office.post("/admin/charges/N-1", &form(&field("seen"), "70.00")).await;
    assert!(saved.body.contains("Saved.") && saved.body.contains("value=\"70.00\""));
    let stale = office.post("/admin/charges/N-1", &form(&field("seen"), "1.00")).await;
    assert!(stale.status == 422 && stale.body.contains("Somebody changed this charge"));
    let told = "what is owed: now Parking USD 70.00, you wrote Parking USD 1.00";
    assert!(stale.body.contains(told) && stale.body.contains("value=\"70.00\""), "{}", stale.body);
    let withdraw = |reason: &str| format!("csrf={}&reason={reason}", field("csrf"));
    let empty = office.post("/admin/charges/N-1/withdraw", &withdraw("+")).await;
    assert!(empty.status == 422 && empty.body.contains("Write why"));
    let gone = office.post("/admin/charges/N-1/withdraw", &withdraw("Issued+by+mistake")).await;
    assert_eq!(gone.location(), "/admin/charges");
    assert!(office.get("/admin/charges/N-1").await.body.contains("Withdrawn: Issued by mistake"));
    let log = office.get("/admin/audit").await.body;
    for what in ["charges written", "charge withdrawn", "N-1: Issued by mistake"] {
        assert!(log.contains(what), "{what}");
    }
    assert_eq!(office.post("/admin/charges", GOOD).await.status, 400, "without its token");
    assert_eq!(office.get("/admin/charges/N-9").await.status, 404);
}

#[tokio::test]
async fn two_clerks_and_a_handheld_never_overwrite_each_other() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    assert_eq!(add(&office, GOOD).await.location(), "/admin/charges");
    let page = office.get("/admin/charges/N-1").await.body;
    let field = |name: &str| {
        let after = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap().1;
        after.split('"').next().unwrap().to_owned()
    };
    let form = |amount: &str| {
        let fields = GOOD.replace("reference=N-1&", "").replace("65.00", amount);
        format!("csrf={}&seen={}&{fields}", field("csrf"), field("seen"))
    };
    // Eight clerks at once, with the same page before them: one is saved, seven are told.
    let forms: Vec<String> = (1..9).map(|n| form(&format!("{n}.00"))).collect();
    let answers = forms.iter().map(|form| office.post("/admin/charges/N-1", form));
    let answers = futures_util::future::join_all(answers).await;
    let saved = answers.iter().filter(|it| it.body.contains("Saved.")).count();
    let told = answers.iter().filter(|it| it.body.contains("yours was not saved")).count();
    assert_eq!((saved, told), (1, 7));
    // While a handheld holds it, and once that is paid in live mode, nothing about the sum changes.
    let minor = world.count("SELECT amount_minor FROM charges").await;
    let handheld = Handheld::enrol(&world).await;
    handheld.send(&world, &signed(&handheld, "N-1", minor)).await;
    let page = office.get("/admin/charges/N-1").await.body;
    let seen = page.split_once("name=\"seen\" value=\"").unwrap().1.split('"').next().unwrap();
    let fields = GOOD.replace("reference=N-1&", "").replace("65.00", "99.00");
    let edit = format!("csrf={}&seen={seen}&{fields}", field("csrf"));
    let held = office.post("/admin/charges/N-1", &edit).await;
    assert!(held.status == 422 && held.body.contains("It is being paid just now"), "{}", held.body);
    world.change("UPDATE claims SET state = 'settled', mode = 'live'").await;
    let paid = office.post("/admin/charges/N-1", &edit).await;
    assert!(paid.status == 422 && paid.body.contains("It has been paid"), "{}", paid.body);
}

#[tokio::test]
async fn a_file_of_ten_thousand_lines_is_imported_whole() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let head = "reference,plate,payer,for,amount,currency,due,users\r\n";
    let row = |n: u32| format!("N-{n},AB {n},\"Lee, Kim\",Parking,65.00,,,\r\n");
    let text = format!("\u{feff}{head}{}", (0..10_000).map(row).collect::<String>());
    // The last line is wrong: nothing of the others is written.
    let broken = text.replace("N-9999,AB 9999,\"Lee, Kim\",Parking,65.00", "N-9999,,,Parking,x");
    let refused = import(&office, &broken, "").await;
    assert!(refused.body.contains("Line 10001, amount"), "{}", refused.status);
    assert_eq!(world.count("SELECT COUNT(*) FROM charges").await, 0);
    let done = import(&office, &text, "").await;
    assert!(done.body.contains("Imported: 10000 new, 0 changed"), "{}", done.status);
    assert_eq!(world.count("SELECT COUNT(*) FROM charges").await, 10_000);
}

#[tokio::test]
async fn a_file_is_imported_whole_or_not_at_all() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let example = office.get("/admin/charges/example.csv").await;
    assert!(example.headers["content-disposition"].to_str().unwrap().contains("attachment"));
    let broken = example.body.replace("120.00", "much");
    let refused = import(&office, &broken, "").await;
    assert!(refused.status == 422 && refused.body.contains("Line 3, amount"), "{}", refused.body);
    assert!(refused.body.contains("N-2041,AB 123 CD"), "the text is there to be corrected");
    assert_eq!(world.count("SELECT COUNT(*) FROM charges").await, 0);
    let done = import(&office, &example.body, "").await;
    assert!(done.body.contains("Imported: 2 new, 0 changed"), "{}", done.body);
    let again = import(&office, &example.body, "").await;
    assert!(again.body.contains("Imported: 0 new, 0 changed"), "{}", again.body);
    let dearer = example.body.replace("65.00", "70.00") + "N-2043,,,A,1,,,\n";
    let refused = import(&office, &dearer, "").await;
    assert!(refused.status == 422 && refused.body.contains("N-2041: there is another charge"));
    assert_eq!(world.count("SELECT COUNT(*) FROM charges").await, 2, "nothing half-imported");
    let changed = import(&office, &dearer, "&replace=1").await;
    assert!(changed.body.contains("Imported: 1 new, 1 changed"), "{}", changed.body);
    let formula =
        "reference,plate,payer,for,amount,currency,due,users\nN-3,,=HYPERLINK(1),@A,1,,,\n";
    import(&office, formula, "").await;
    let export = office.get("/admin/charges/export.csv?find=N-3").await;
    assert!(export.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert!(export.body.contains("N-3,,'=HYPERLINK(1),'@A,1.00,USD,,officers portal,open"));
}

#[tokio::test]
async fn a_program_writes_charges_with_a_credential_that_is_kept_as_a_hash() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let token = credential(&office).await;
    assert!(token.starts_with("hfc_") && token.len() > 40);
    assert!(!office.get("/admin/charges/api").await.body.contains(&token));
    let at = "/api/demo/charges/N-7";
    let made = call(&world, Method::PUT, at, &token, &notice(12_000)).await;
    assert_eq!(
        (made.status.as_u16(), made.json()["amount"]["minor"].clone()),
        (201, json!(12_000))
    );
    let again = call(&world, Method::PUT, at, &token, &notice(12_000)).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, made.json()));
    // Whoever says what they have seen overwrites nothing that they have not.
    let tag = again.headers["etag"].to_str().unwrap().to_owned();
    let conditional = async |tag: &str, minor: i64| {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("if-match", tag),
        ];
        world.send(Method::PUT, at, &headers, notice(minor).to_string().into_bytes()).await
    };
    let seen = conditional(&tag, 12_500).await;
    assert_eq!(seen.json()["amount"]["minor"], 12_500);
    assert_ne!(seen.headers["etag"].to_str().unwrap(), tag);
    let stale = conditional(&tag, 1).await;
    assert_eq!((stale.status.as_u16(), stale.code().as_str()), (412, "charge_changed"));
    assert_eq!(conditional("W/x", 1).await.status, 400);
    assert_eq!(conditional("*", 12_000).await.status, 200);
    let changed = call(&world, Method::PUT, at, &token, &notice(13_000)).await;
    assert_eq!(changed.json()["amount"]["minor"], 13_000);
    let mut new = notice(13_000);
    new["reference"] = json!("N-7");
    let same = call(&world, Method::POST, "/api/demo/charges", &token, &new).await;
    assert_eq!(same.status, 200);
    new["lines"][0]["minor"] = json!(1);
    let other = call(&world, Method::POST, "/api/demo/charges", &token, &new).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (409, "charge_conflict"));
    let list =
        call(&world, Method::GET, "/api/demo/charges?find=xy987", &token, &Value::Null).await;
    assert_eq!(list.json()["charges"][0]["test"], "open");
    for (body, field) in [
        (json!({"lines": []}), "for"),
        (json!({"lines": [{"text": "A", "minor": -5}]}), "amount"),
        (json!({"lines": [{"text": "A", "minor": 5}], "due_on": "x"}), "due_on"),
        (json!({"lines": [{"text": "A", "minor": 5}], "user_types": ["tables"]}), "user_types"),
    ] {
        let refused = call(&world, Method::PUT, "/api/demo/charges/N-8", &token, &body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "charge_refused"));
        assert!(refused.json()["fields"][field].is_string(), "{field}: {}", refused.body);
    }
    for body in [json!({"lines": [{"text": "A", "minor": 5.5}]}), json!({"amount": 5}), json!([])] {
        let refused = call(&world, Method::PUT, "/api/demo/charges/N-8", &token, &body).await;
        assert!((400..=422).contains(&refused.status.as_u16()), "{}", refused.body);
    }
    let why = json!({"reason": "Paid at the counter"});
    let gone = call(&world, Method::POST, &format!("{at}/withdraw"), &token, &why).await;
    assert_eq!(gone.json()["live"], "withdrawn");
    // Another organisation's credential is none here; and none without one.
    let other = admin::TenantAdd { tenant: "other".parse().unwrap(), name: None, hosts: vec![] };
    admin::tenant_add(&world.data(), other).await.unwrap();
    for (path, token) in [("/api/other/charges/N-7", token.as_str()), (at, ""), (at, "hfc_made-up")]
    {
        let refused = call(&world, Method::GET, path, token, &Value::Null).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (401, "unauthorized"));
    }
    let database = std::fs::read(world.data().join("holdfast.db")).unwrap();
    let log = std::fs::read(world.data().join("holdfast.db-wal")).unwrap_or_default();
    for bytes in [database, log] {
        assert!(!String::from_utf8_lossy(&bytes).contains(&token), "only a hash is kept");
    }
    let csrf = office.csrf_of("/admin/charges/api").await;
    office.post("/admin/charges/api/revoke", &format!("csrf={csrf}&credential=1")).await;
    let revoked = call(&world, Method::GET, at, &token, &Value::Null).await;
    assert_eq!(revoked.status, 401);
}

#[tokio::test]
async fn a_handheld_searches_within_limits_and_each_search_is_in_the_audit_log() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    let handheld = Handheld::enrol(&world).await;
    let rows: String =
        (0..30).map(|n| format!("N-{n},AB {n},Kim Lee,Parking,65.00,,,\n")).collect();
    let head = "reference,plate,payer,for,amount,currency,due,users\n";
    import(&office, &format!("{head}{rows}P-1,AB 99,Kim Lee,Fee,5.00,,,portal\n"), "").await;
    let bearer = handheld.authorization(&world).await;
    let search = async |find: &str| {
        let path = format!("/api/demo/handheld/charges?find={find}");
        world.send(Method::GET, &path, &[("authorization", &bearer)], vec![]).await
    };
    let by_plate = search("ab-12").await.json();
    assert_eq!(by_plate["charges"][0]["reference"], "N-12");
    assert_eq!(by_plate["charges"][0]["name"], "N-12 Parking");
    assert_eq!(by_plate["charges"][0]["amount"]["minor"], 6500);
    assert_eq!(
        (&by_plate["more"], by_plate["charges"].as_array().unwrap().len()),
        (&json!(false), 1)
    );
    let by_name = search("LEE").await.json();
    assert_eq!(
        (&by_name["more"], by_name["charges"].as_array().unwrap().len()),
        (&json!(true), 20)
    );
    assert_eq!(search("P-1").await.json()["charges"], json!([]), "for the portal only");
    for short in ["", "ab", "++a+b+", "+++"] {
        assert_eq!(search(short).await.status, 400, "{short}");
    }
    assert_eq!(search("%25%25%25").await.json()["charges"], json!([]), "no letter is a wildcard");
    let none = world.get("/api/demo/handheld/charges?find=abcd").await;
    assert_eq!(none.status, 401);
    let log = office.get("/admin/audit").await.body;
    assert!(log.contains("charges searched") && log.contains("&#34;LEE&#34;: 20 found"), "{log}");
    let mut limited = 0;
    for _ in 0..40 {
        limited += u32::from(search("N-1").await.status == 429);
    }
    assert!(limited > 0, "a handheld cannot page through everybody");
}

#[tokio::test]
async fn the_second_officer_is_told_before_the_payer_pays() {
    let world = World::start().await;
    let office = Office::sign_in(&world).await;
    assert_eq!(add(&office, GOOD).await.location(), "/admin/charges");
    let (one, two) = (Handheld::enrol(&world).await, Handheld::enrol(&world).await);
    let wrong = submit(&world, signed(&one, "N-1", 6400).to_bytes()).await;
    assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (422, "lines_refused"));
    assert!(wrong.body.contains("USD 65.00 is owed, not USD 64.00"), "{}", wrong.body);
    let (first, second) = (signed(&one, "N-1", 6500), signed(&two, "N-1", 6500));
    let first_id = one.send(&world, &first).await;
    let answer = submit(&world, second.to_bytes()).await.json();
    assert_eq!(answer["payment"]["held_up"], "N-1");
    let second_id = answer["payment"]["payment"].as_str().unwrap().to_owned();
    assert!(office.get("/admin/charges").await.body.contains("Being paid"));
    // The payer of the second is told, and gets no card page.
    let page = world.get(&path_of(&second)).await.body;
    assert!(page.contains("Another payment for the same charge"), "{page}");
    assert!(!page.contains("<form"), "{page}");
    let pressed = world.post(&format!("/pay/{second_id}/pay"), &[], vec![]).await;
    assert_eq!(pressed.location(), format!("/pay/{second_id}"));
    assert_eq!(world.sessions(), 0);
    // The first is paid; the second is already paid, and so is a duplicate that comes later.
    let stripe = world.post(&format!("/pay/{first_id}/pay"), &[], vec![]).await.location();
    world.type_card(&stripe, GOOD_CARD);
    world.page_says(&first_id, "Receipt order ID").await;
    world.page_says(&second_id, "Already paid by another payment").await;
    let late = submit(&world, signed(&two, "N-1", 6500).to_bytes()).await.json();
    assert_eq!(late["payment"]["state"], "already_paid");
    assert_eq!(world.count("SELECT COUNT(*) FROM orders").await, 1);
    assert!(office.get("/admin/charges?state=settled").await.body.contains(&first_id));
    let dearer = import(
        &office,
        "reference,plate,payer,for,amount,currency,due,users\nN-1,,,A,1,,,\n",
        "&replace=1",
    );
    assert_eq!(dearer.await.status, 200, "a trial settles nothing: the charge may still change");
    let fresh = path_of(&signed(&one, "N-1", 100));
    assert!(world.get(&fresh).await.body.contains("already paid"));
}
