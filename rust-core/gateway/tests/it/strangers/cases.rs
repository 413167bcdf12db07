//! Every route with a good request. `$name` stands for something of the [`super::stage::Stage`]; a form
//! of the office gets its session's token by itself.

/// Who may ask, and how they show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Anyone,
    /// A token that a handheld was given.
    Handheld,
    /// The credential of a program.
    Program,
    /// The cookie of an administrator.
    Office,
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    None,
    /// Fields of a form.
    Form(&'static str),
    Json(&'static str),
    /// A signed request for a token (RFC 9421).
    Token,
    /// A signed order.
    Order,
    /// A signed notice.
    Notice,
    /// An event with Stripe's signature.
    Event,
}

/// How much is asked of a case by the fuzzer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    Cheap,
    /// Asks Stripe, at once or by the worker, or hashes a password.
    Dear,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) who: Who,
    pub(crate) query: &'static str,
    pub(crate) body: Body,
    pub(crate) cost: Cost,
}

const fn case(method: &'static str, route: &'static str, who: Who, body: Body) -> Case {
    Case { method, route, who, query: "", body, cost: Cost::Cheap }
}

const fn open(route: &'static str) -> Case {
    case("GET", route, Who::Anyone, Body::None)
}

const fn desk(route: &'static str) -> Case {
    case("GET", route, Who::Office, Body::None)
}

const fn form(route: &'static str, fields: &'static str) -> Case {
    case("POST", route, Who::Office, Body::Form(fields))
}

impl Case {
    const fn asks(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    const fn dear(self) -> Self {
        Self { cost: Cost::Dear, ..self }
    }
}

const CHARGE: &str = r#"{"reference":"$reference","plate":"XY 987","payer":"Robin Doe",
    "lines":[{"text":"Clamp release","minor":12000}],"currency":"USD","due_on":"2026-12-31",
    "user_types":["officers"]}"#;
const NEW_CHARGE: &str = r#"{"reference":"N-2","plate":"XY 987","payer":"Robin Doe",
    "lines":[{"text":"Clamp release","minor":12000}],"currency":"USD","due_on":"2026-12-31",
    "user_types":["officers"]}"#;
const ENROL: &str = r#"{"version":1,"code":"$code_typed","name":"Rugged 8","public_key":"$public_key",
    "proof":"$proof","continues":[{"device":"$device","proof":"$proof"}]}"#;

/// In the order in which they are sent: what ends a session comes last.
pub(crate) const CASES: &[Case] = &[
    open("/"),
    open("/health"),
    open("/ready"),
    open("/assets/holdfast.css"),
    open("/assets/holdfast.js"),
    open("/assets/icon.svg"),
    // Handhelds.
    case("POST", "/api/{tenant}/handheld/enrol", Who::Anyone, Body::Json(ENROL)),
    case("POST", "/api/{tenant}/handheld/token", Who::Anyone, Body::Token),
    case("GET", "/api/{tenant}/handheld/config", Who::Handheld, Body::None),
    case("GET", "/api/{tenant}/handheld/payments", Who::Handheld, Body::None)
        .asks("after=0&wait_s=0"),
    case("GET", "/api/{tenant}/handheld/charges", Who::Handheld, Body::None).asks("find=HOME"),
    case("GET", "/api/{tenant}/handheld/cash", Who::Handheld, Body::None),
    case("POST", "/api/{tenant}/orders", Who::Anyone, Body::Order),
    case("POST", "/api/{tenant}/notices", Who::Anyone, Body::Notice),
    // Programs.
    case("GET", "/api/{tenant}/charges", Who::Program, Body::None).asks("find=N-&page=0"),
    case("POST", "/api/{tenant}/charges", Who::Program, Body::Json(NEW_CHARGE)),
    case("GET", "/api/{tenant}/charges/{reference}", Who::Program, Body::None),
    case("PUT", "/api/{tenant}/charges/{reference}", Who::Program, Body::Json(CHARGE)),
    case(
        "POST",
        "/api/{tenant}/charges/{reference}/withdraw",
        Who::Program,
        Body::Json(r#"{"reason":"Issued by mistake"}"#),
    ),
    // Stripe.
    case("POST", "/api/{tenant}/qr/payment/webhook", Who::Anyone, Body::Event),
    case("POST", "/api/system/payments/stripe/callback", Who::Anyone, Body::Event),
    // Payers.
    open("/e/{tenant}/{code}"),
    open("/O/{order}"),
    open("/o/{order}"),
    case("POST", "/O/{order}/pay", Who::Anyone, Body::None).dear(),
    case("POST", "/o/{order}/pay", Who::Anyone, Body::None).dear(),
    open("/R/{receipt}"),
    open("/r/{receipt}"),
    open("/pay/{payment}"),
    open("/pay/{payment}/receipt.svg"),
    case("POST", "/pay/{payment}/pay", Who::Anyone, Body::None).dear(),
    open("/pay/{payment}/return").asks("session_id=$session"),
    open("/pay/{payment}/live").asks("after=0"),
    // The way into the office.
    open("/sign-in"),
    case(
        "POST",
        "/sign-in",
        Who::Anyone,
        Body::Form("tenant=demo&name=administrator&password=three+red+lamps"),
    )
    .dear(),
    open("/sign-in/{token}"),
    case("POST", "/sign-in/{token}", Who::Anyone, Body::None),
    // The office.
    desk("/admin"),
    desk("/admin/payments"),
    desk("/admin/payments/live").asks("after=0"),
    desk("/admin/payments/{payment}").asks("refund=$refund_key"),
    desk("/admin/payments/{payment}/live").asks("after=0"),
    form("/admin/payments/{payment}/approve", "hold=genuine"),
    form("/admin/payments/{payment}/loss", "owed=1"),
    desk("/admin/payments/{payment}/refund"),
    form(
        "/admin/payments/{payment}/refund",
        "key=$refund_key&known=0&how=part&amount=0.50&reason=Overcharged",
    )
    .dear(),
    desk("/admin/refunds"),
    form("/admin/refunds/acknowledge", "object=re_1&status=refund_succeeded"),
    desk("/admin/handhelds"),
    form("/admin/handhelds/code", "officer=1"),
    form("/admin/handhelds/approve", "handheld=$spare_device&six_digits=$six_digits"),
    form("/admin/handhelds/revoke", "handheld=$spare_device"),
    desk("/admin/users"),
    form("/admin/users", "name=Grace+Ito&role=officer"),
    form("/admin/users/link", "person=2"),
    form("/admin/users/reset", "person=2"),
    form("/admin/users/change", "person=2&role=finance"),
    desk("/admin/types"),
    desk("/admin/types/new"),
    form(
        "/admin/types",
        "code=CARD&name=Online+Payment&provider=stripe&currency=USD&user_types=officers",
    ),
    desk("/admin/types/{code}"),
    form("/admin/types/{code}", "name=Online+Payment&currency=USD&user_types=officers"),
    form(
        "/admin/types/{code}/keys",
        "mode=test&secret_key=&publishable_key=pk_test_51Abc&webhook_id=we_1&webhook_secret=",
    ),
    desk("/admin/types/{code}/live"),
    form("/admin/types/{code}/live", "to=trial&officers=1"),
    form("/admin/types/{code}/check", "mode=test").dear(),
    form("/admin/types/{code}/verify", "mode=test").dear(),
    form("/admin/types/{code}/register", "mode=test").dear(),
    form("/admin/types/{code}/cash", "mode=test"),
    desk("/admin/charges").asks("find=N-&state=open&page=0"),
    desk("/admin/charges/new"),
    form(
        "/admin/charges",
        "reference=N-3&plate=AB+123&payer=Kim+Lee&for=Parking&amount=65.00&for=&amount=&\
         currency=USD&due_on=2026-12-31&user_types=officers&user_types=portal",
    ),
    desk("/admin/charges/example.csv"),
    desk("/admin/charges/export.csv").asks("find=&state="),
    desk("/admin/charges/import"),
    form("/admin/charges/import", "csv=$csv&replace=1"),
    desk("/admin/charges/api"),
    form("/admin/charges/api", "name=Notices"),
    form("/admin/charges/api/revoke", "credential=99"),
    desk("/admin/charges/{reference}"),
    form(
        "/admin/charges/{reference}",
        "seen=0&plate=AB+123&payer=Kim+Lee&for=Parking&amount=65.00&currency=USD&\
         due_on=2026-12-31&user_types=officers",
    ),
    form("/admin/charges/{reference}/withdraw", "reason=Issued+by+mistake"),
    desk("/admin/cash"),
    form(
        "/admin/cash/close",
        "officer=1&device=$device&mode=test&currency=USD&payments=0&total=0&counted=0.00",
    ),
    form("/admin/cash/void", "payment=$payment&reason=Given+back"),
    form("/admin/cash/refused", "payment=$payment&what=Given+back"),
    desk("/admin/deliveries"),
    desk("/admin/deliveries/live").asks("after=0"),
    form("/admin/deliveries/ask", "").dear(),
    form("/admin/deliveries/replay", "event=$event").dear(),
    form("/admin/deliveries/drop", "mode=test&number=99"),
    form("/admin/deliveries/cli-secret", "secret=whsec_temporary0123456789"),
    form("/admin/deliveries/senders", "senders=127.0.0.0%2F8%0A%3A%3A1"),
    desk("/admin/audit"),
    desk("/admin/account"),
    form("/admin/account", "old_password=&new_password=three+green+lamps&again=three+green+lamps")
        .dear(),
    form("/admin/sign-out", ""),
];
