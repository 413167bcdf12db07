//! Money that comes back: refunds that take their time, disputes, and the books over all of it.

use super::*;

/// A paid PaymentIntent.
fn paid(desk: &mut Desk, card: &str) -> String {
    let (status, intent) = desk.intent(card, "");
    assert_eq!((status, &intent["status"]), (200, &"succeeded".into()));
    intent["id"].as_str().unwrap().to_owned()
}

fn refund(desk: &mut Desk, intent: &str) -> Value {
    let (status, refund) = desk.post("/v1/refunds", &format!("payment_intent={intent}"));
    assert_eq!(status, 200, "{refund}");
    refund
}

fn charge(desk: &mut Desk) -> Value {
    desk.get("/v1/charges", "limit=1").1["data"][0].clone()
}

#[test]
fn a_pending_refund_succeeds_some_time_later() {
    let mut desk = Desk::new();
    let intent = paid(&mut desk, "pendingRefund");
    let made = refund(&mut desk, &intent);
    assert_eq!(
        (&made["status"], &made["pending_reason"]),
        (&"pending".into(), &"processing".into())
    );
    desk.pass_ms(10_000);
    let (_, later) = desk.get(&format!("/v1/refunds/{}", made["id"].as_str().unwrap()), "");
    assert_eq!(later["status"], "succeeded");
    assert_eq!(desk.kinds().last().unwrap(), "refund.updated");
}

#[test]
fn a_refund_that_succeeded_fails_some_time_later_and_the_money_is_back() {
    let mut desk = Desk::new();
    let intent = paid(&mut desk, "refundFail");
    let made = refund(&mut desk, &intent);
    assert_eq!(made["status"], "succeeded");
    assert_eq!(charge(&mut desk)["refunded"], true);
    assert_eq!(desk.core.next_wake_ms(), Some(START_MS + 5_000));
    desk.pass_ms(10_000);
    let (_, later) = desk.get(&format!("/v1/refunds/{}", made["id"].as_str().unwrap()), "");
    assert_eq!(later["status"], "failed");
    assert!(
        later["failure_reason"].is_string() && later["failure_balance_transaction"].is_string()
    );
    let charge = charge(&mut desk);
    assert_eq!((&charge["refunded"], &charge["amount_refunded"]), (&false.into(), &0.into()));
    let kinds = desk.kinds();
    assert_eq!(kinds[kinds.len() - 3..], ["refund.updated", "refund.failed", "charge.updated"]);
    refund(&mut desk, &intent);
}

#[test]
fn a_refund_to_a_card_cannot_be_canceled_but_noted() {
    let mut desk = Desk::new();
    let intent = paid(&mut desk, "visa");
    let made = refund(&mut desk, &intent);
    let path = format!("/v1/refunds/{}", made["id"].as_str().unwrap());
    assert_eq!(desk.post(&path, "metadata[why]=kind").1["metadata"]["why"], "kind");
    let (status, refused) = desk.post(&format!("{path}/cancel"), "");
    assert_eq!(status, 400);
    assert!(refused["error"]["message"].as_str().unwrap().contains("status of succeeded"));
}

#[test]
fn a_refund_that_waits_for_the_payer_can_be_canceled_once_and_the_money_is_back() {
    let mut desk = Desk::new();
    let intent = paid(&mut desk, "visa");
    let body = format!("payment_intent={intent}&instructions_email=sam%40example.com");
    let (_, made) = desk.post("/v1/refunds", &body);
    let shown = &made["next_action"]["display_details"];
    assert_eq!(
        (&made["status"], &shown["email_sent"]["email_sent_to"]),
        (&"requires_action".into(), &"sam@example.com".into())
    );
    assert_eq!(shown["expires_at"], START_MS / 1_000 + 45 * 86_400);
    assert_eq!(charge(&mut desk)["refunded"], true);
    let path = format!("/v1/refunds/{}/cancel", made["id"].as_str().unwrap());
    let (status, canceled) = desk.post(&path, "expand[]=failure_balance_transaction");
    assert_eq!(
        (status, &canceled["status"], &canceled["failure_reason"]),
        (200, &"canceled".into(), &"merchant_request".into())
    );
    assert_eq!(canceled["failure_balance_transaction"]["amount"], 1_000);
    assert!(canceled.get("next_action").is_none());
    assert_eq!(charge(&mut desk)["amount_refunded"], 0);
    let kinds = desk.kinds();
    assert_eq!(kinds[kinds.len() - 2..], ["refund.updated", "charge.updated"]);
    let (status, refused) = desk.post(&path, "");
    assert_eq!(status, 400);
    assert!(refused["error"]["message"].as_str().unwrap().contains("status of canceled"));
    refund(&mut desk, &intent);
}

#[test]
fn a_payer_who_never_says_where_the_refund_should_go_lets_it_lapse() {
    let mut desk = Desk::new();
    let intent = paid(&mut desk, "visa");
    let body = format!("payment_intent={intent}&instructions_email=sam%40example.com");
    let (_, made) = desk.post("/v1/refunds", &body);
    let path = format!("/v1/refunds/{}", made["id"].as_str().unwrap());
    desk.pass_ms(45 * 86_400_000 - 1);
    assert_eq!(desk.get(&path, "").1["status"], "requires_action");
    desk.pass_ms(1);
    assert_eq!(desk.get(&path, "").1["status"], "canceled");
    assert_eq!(charge(&mut desk)["amount_refunded"], 0);
}

#[test]
fn a_dispute_opens_by_itself_and_is_won_or_lost() {
    for (evidence, status, balance) in
        [("winning_evidence", "won", 941 - 1_500), ("losing_evidence", "lost", 941 - 1_000 - 1_500)]
    {
        let mut desk = Desk::new();
        let intent = paid(&mut desk, "createDispute");
        assert_eq!(desk.get("/v1/disputes", "").1["data"].as_array().unwrap().len(), 0);
        desk.pass_ms(10_000);
        let (_, list) = desk.get("/v1/disputes", &format!("payment_intent={intent}"));
        let dispute = &list["data"][0];
        assert_eq!(
            (&dispute["status"], &dispute["reason"]),
            (&"needs_response".into(), &"fraudulent".into())
        );
        assert_eq!(charge(&mut desk)["disputed"], true);
        let (code, refused) = desk.post("/v1/refunds", &format!("payment_intent={intent}"));
        assert_eq!((code, &refused["error"]["code"]), (400, &"charge_disputed".into()));
        let path = format!("/v1/disputes/{}", dispute["id"].as_str().unwrap());
        let (_, closed) = desk.post(&path, &format!("evidence[uncategorized_text]={evidence}"));
        assert_eq!(closed["status"], status);
        let (_, sums) = desk.get("/v1/balance", "");
        assert_eq!(sums["pending"][0]["amount"], balance, "{evidence}");
        assert_eq!(desk.post(&format!("{path}/close"), "").0, 400, "closed once");
        assert!(desk.kinds().contains(&"charge.dispute.created".to_owned()));
        assert!(desk.kinds().contains(&"charge.dispute.closed".to_owned()));
    }
}

#[test]
fn an_inquiry_takes_no_money_and_giving_in_loses_a_dispute() {
    let mut desk = Desk::new();
    paid(&mut desk, "createDisputeInquiry");
    paid(&mut desk, "createDisputeProductNotReceived");
    desk.pass_ms(10_000);
    let (_, list) = desk.get("/v1/disputes", "");
    let mut both = list["data"].as_array().unwrap().clone();
    both.sort_by_key(|dispute| dispute["reason"] == "fraudulent");
    let (lost, inquiry) = (&both[0], &both[1]);
    assert_eq!(inquiry["status"], "warning_needs_response");
    assert_eq!(inquiry["balance_transactions"].as_array().unwrap().len(), 0);
    let close = |value: &Value| format!("/v1/disputes/{}/close", value["id"].as_str().unwrap());
    assert_eq!(desk.post(&close(inquiry), "").1["status"], "warning_closed");
    assert_eq!(desk.post(&close(lost), "").1["status"], "lost");
}

#[test]
fn the_books_add_up_to_the_balance() {
    let mut desk = Desk::new();
    let first = paid(&mut desk, "visa");
    paid(&mut desk, "mastercard");
    refund(&mut desk, &first);
    let (_, entries) = desk.get("/v1/balance_transactions", "");
    let net = |entries: &Value| -> i64 {
        entries["data"].as_array().unwrap().iter().map(|entry| entry["net"].as_i64().unwrap()).sum()
    };
    assert_eq!(net(&entries), 941 + 941 - 1_000);
    let (_, balance) = desk.get("/v1/balance", "");
    let sums = |balance: &Value| {
        [&balance["pending"][0]["amount"], &balance["available"][0]["amount"]]
            .map(|it| it.as_i64().unwrap())
    };
    assert_eq!(sums(&balance), [882, 0]);
    let (_, refunds) = desk.get("/v1/balance_transactions", "type=refund");
    assert_eq!((refunds["data"].as_array().unwrap().len(), net(&refunds)), (1, -1_000));
    let source = refunds["data"][0]["source"].as_str().unwrap().to_owned();
    let (_, of_refund) = desk.get("/v1/balance_transactions", &format!("source={source}"));
    assert_eq!(of_refund["data"], refunds["data"]);
    desk.pass_ms(2 * 24 * 3_600_000);
    let (_, balance) = desk.get("/v1/balance", "");
    assert_eq!(sums(&balance), [0, 882]);
    let id = entries["data"][2]["id"].as_str().unwrap();
    let (_, entry) = desk.get(&format!("/v1/balance_transactions/{id}"), "expand[]=source");
    assert_eq!(
        (&entry["status"], &entry["source"]["object"]),
        (&"available".into(), &"charge".into())
    );
}

#[test]
fn a_line_may_name_a_price() {
    let mut desk = Desk::new();
    let (_, price) = desk.post("/v1/prices", "currency=usd&unit_amount=500&product_data[name]=Tea");
    let body = format!(
        "mode=payment&success_url=https%3A%2F%2Fa.example&line_items[0][price]={}&line_items[0][quantity]=3",
        price["id"].as_str().unwrap()
    );
    let (status, session) =
        desk.post("/v1/checkout/sessions", &format!("{body}&expand[]=line_items"));
    assert_eq!((status, &session["amount_total"]), (200, &1_500.into()), "{session}");
    assert_eq!(session["line_items"]["data"][0]["price"], price);
    let (_, list) = desk.get("/v1/products", "");
    assert_eq!(list["data"][0]["name"], "Tea");
    let (status, refused) = desk.post("/v1/checkout/sessions", &body.replace("price_1", "price_0"));
    assert_eq!((status, &refused["error"]["param"]), (400, &"line_items[0][price]".into()));
}
