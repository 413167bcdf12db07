//! The sandbox: whatever is asked, it answers in Stripe's shape, and it goes on.

use holdfast_sandbox::FaultRule;
use holdfast_sandbox::core::{ApiRequest, CardForm, Config, Core, PayOutcome};
use proptest::prelude::*;

const NOW_MS: i64 = 1_795_392_000_000;

const PLACES: [&str; 16] = [
    "account",
    "balance",
    "balance_transactions",
    "charges",
    "checkout/sessions",
    "customers",
    "disputes",
    "events",
    "payment_intents",
    "payment_methods",
    "pm_card_visa",
    "prices",
    "products",
    "refunds",
    "webhook_endpoints",
    "confirm",
];

/// Parameters that calls know, with values that are nearly right.
const NAMES: [&str; 20] = [
    "amount",
    "currency",
    "payment_method",
    "confirm",
    "metadata[a]",
    "metadata",
    "expand[]",
    "expand[0][1]",
    "line_items[0][quantity]",
    "line_items[][price_data][unit_amount]",
    "mode",
    "success_url",
    "limit",
    "created[gte]",
    "starting_after",
    "payment_method_types[]",
    "card[token]",
    "type",
    "enabled_events[]",
    "url",
];

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("1000".to_owned()),
        Just("usd".to_owned()),
        Just("true".to_owned()),
        Just("pm_card_visa".to_owned()),
        Just("payment".to_owned()),
        Just("https://a.example".to_owned()),
        Just("data.payment_intent.latest_charge".to_owned()),
        Just(i64::MAX.to_string()),
        "[ -~]{0,12}",
        "\\PC{0,8}",
    ]
}

fn form() -> impl Strategy<Value = Vec<u8>> {
    let pair = (proptest::sample::select(NAMES.to_vec()), value());
    let pairs = proptest::collection::vec(pair, 0..8).prop_map(|pairs| {
        let text: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        text.join("&").into_bytes()
    });
    prop_oneof![
        pairs,
        proptest::collection::vec(any::<u8>(), 0..64),
        "[a-c\\[\\]%=&+0-9]{0,40}".prop_map(String::into_bytes)
    ]
}

fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        proptest::sample::select(PLACES.to_vec()).prop_map(str::to_owned),
        "[a-z_0-9]{0,10}",
        "\\PC{0,6}"
    ];
    proptest::collection::vec(part, 0..4).prop_map(|parts| format!("/v1/{}", parts.join("/")))
}

prop_compose! {
    fn request()(
        method in proptest::sample::select(vec!["GET", "POST", "DELETE", "PUT", "", "get"]),
        path in path(),
        query in form(),
        body in form(),
        key in prop_oneof![Just("Bearer sk_test_fuzz".to_owned()), Just("Bearer pk_test_fuzz".to_owned()), "\\PC{0,20}"],
        content_type in proptest::option::of("application/x-www-form-urlencoded|text/plain|\\PC{0,10}"),
        idempotency_key in proptest::option::of("k[0-9]|\\PC{0,300}"),
        version in proptest::option::of("2026-08-26.dahlia|\\PC{0,12}"),
    ) -> ApiRequest {
        ApiRequest {
            method: method.to_owned(),
            path,
            query: String::from_utf8_lossy(&query).into_owned(),
            body,
            authorization: Some(key),
            content_type,
            idempotency_key,
            stripe_version: version,
        }
    }
}

proptest! {
    #[test]
    fn every_request_is_answered_in_stripes_shape(requests in proptest::collection::vec(request(), 1..12)) {
        let mut core = Core::new(Config::new(7, "http://127.0.0.1:4010"), NOW_MS);
        for request in &requests {
            let response = core.handle(request, NOW_MS);
            let value: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
            prop_assert!(response.header("Request-Id").unwrap().starts_with("req_"));
            if response.status == 200 {
                prop_assert!(value["object"].is_string() || value["deleted"] == true, "{value}");
            } else {
                prop_assert!((400..=413).contains(&response.status), "{}", response.status);
                prop_assert!(value["error"]["type"].is_string() && value["error"]["message"].is_string());
            }
        }
    }

    #[test]
    fn whatever_is_typed_into_the_card_page_no_stranger_pays(
        number in "\\PC{0,24}|[0-9 ]{12,19}", expiry in "\\PC{0,10}", cvc in "\\PC{0,6}", name in "\\PC{0,12}",
    ) {
        let mut core = Core::new(Config::new(7, "http://127.0.0.1:4010"), NOW_MS);
        let body = "mode=payment&success_url=https%3A%2F%2Fa.example&line_items[0][quantity]=1\
            &line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=500\
            &line_items[0][price_data][product_data][name]=Tea";
        core.handle(&ApiRequest::post("/v1/checkout/sessions", body, "sk_test_fuzz", "k"), NOW_MS);
        let id = core.sessions().next().unwrap().id.to_string();
        let form = CardForm { number, expiry, cvc, name, email: String::new() };
        let outcome = core.pay_session(&id, &form, NOW_MS);
        prop_assert!(matches!(outcome, PayOutcome::Invalid(_)), "{outcome:?}");
        prop_assert_eq!(core.charges().count(), 0);
    }

    #[test]
    fn a_fault_rule_is_read_or_refused(text in "\\PC{0,40}|(POST |GET )?(/v1/[a-z]{0,8} )?(409|drop|webhook-lose|delay=[0-9]{1,12})( [0-9]{1,4}%)?( x[0-9]{1,12})?") {
        if let Ok(rule) = text.parse::<FaultRule>() {
            prop_assert_eq!(rule.to_string().parse::<FaultRule>().unwrap(), rule);
        }
    }
}
