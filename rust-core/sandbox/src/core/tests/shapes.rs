//! Every field that the API description of the pinned version requires is there.

use super::*;

fn lacks(value: &Value, fields: &str) -> Vec<String> {
    let there = |field: &&str| value.get(*field).is_some();
    fields.split_whitespace().filter(|field| !there(field)).map(str::to_owned).collect()
}

fn check(value: &Value, fields: &str) {
    let missing = lacks(value, fields);
    assert!(missing.is_empty(), "{} lacks {missing:?}", value["object"]);
}

#[test]
fn objects_carry_what_the_description_requires() {
    let mut desk = Desk::with_endpoint();
    let id = desk.session();
    desk.pay(&id, "4000000000000002");
    desk.pay(&id, "4242424242424242");
    let intent = desk.core.intents().next().unwrap().id.clone();
    let (_, refund) = desk.post("/v1/refunds", &format!("payment_intent={intent}&amount=1"));
    check(&refund, "id object amount created currency");

    let query = "expand[]=payment_intent.latest_charge&expand[]=line_items";
    let (_, session) = desk.get(&format!("/v1/checkout/sessions/{id}"), query);
    check(
        &session,
        "id object automatic_tax created custom_fields custom_text expires_at livemode mode \
         payment_method_types payment_status shipping_options",
    );
    check(&session["automatic_tax"], "enabled");
    check(&session["total_details"], "amount_discount amount_tax");
    check(&session["payment_intent"], "id object created livemode status");
    check(
        &session["payment_intent"]["latest_charge"],
        "id object amount amount_captured amount_refunded billing_details captured created \
         currency disputed livemode metadata paid refunded status",
    );
    let item = &session["line_items"]["data"][0];
    check(item, "id object amount_discount amount_subtotal amount_tax amount_total currency");
    check(
        &item["price"],
        "id object active billing_scheme created currency livemode metadata product type",
    );
}

#[test]
fn lists_events_endpoints_and_the_account_do_as_well() {
    let mut desk = Desk::with_endpoint();
    let id = desk.session();
    desk.pay(&id, "4242424242424242");
    let (_, events) = desk.get("/v1/events", "");
    check(&events, "object data has_more url");
    let event = "id object created data livemode pending_webhooks type api_version request";
    check(&events["data"][0], event);
    let (_, endpoints) = desk.get("/v1/webhook_endpoints", "");
    check(&endpoints["data"][0], "id object created enabled_events livemode metadata status url");
    let (_, account) = desk.get("/v1/account", "");
    check(&account, "id object charges_enabled default_currency");
    check(&account["settings"], "branding card_payments dashboard payments");
    let (_, error) = desk.get("/v1/charges/ch_none", "");
    check(&error["error"], "type code message param doc_url request_log_url");
}
