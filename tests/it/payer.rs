//! A payer with a plain HTTP client: the same links, the same buttons.

use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};

pub(crate) const GOOD: &str = "4242424242424242";
pub(crate) const NO_FUNDS: &str = "4000000000009995";

#[derive(Clone)]
pub(crate) struct Payer(pub(crate) Client);

impl Payer {
    pub(crate) fn new() -> Self {
        let roots = rustls::RootCertStore { roots: Vec::new() };
        let tls = rustls::ClientConfig::builder_with_provider(
            rustls::crypto::ring::default_provider().into(),
        )
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .build()
            .expect("a client");
        Self(client)
    }

    pub(crate) async fn look(&self, address: &str) -> String {
        let answer = self.0.get(address).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{address}");
        answer.text().await.expect("a page")
    }

    /// Presses *Pay*: the address of Stripe's page.
    pub(crate) async fn press_pay(&self, pay_address: &str) -> String {
        let answer = self.post(&format!("{pay_address}/pay"), "").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", answer.status());
        location(&answer)
    }

    /// Fills in the card page. The page Stripe sends the payer to, or the card page again.
    pub(crate) async fn enter_card(&self, card_page: &str, number: &str) -> Result<String, String> {
        let form = format!(
            "cardNumber={number}&cardExpiry=12%20%2F%2034&cardCvc=123&billingName=Pat%20Payer&email="
        );
        let answer = self.post(card_page, &form).await;
        if answer.status() == StatusCode::SEE_OTHER {
            return Ok(location(&answer));
        }
        Err(answer.text().await.expect("a page"))
    }

    /// Comes back from Stripe's page and lands on the payment's own page.
    pub(crate) async fn come_back(&self, return_address: &str) -> String {
        let answer = self.0.get(return_address).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let page = reqwest::Url::parse(return_address)
            .and_then(|base| base.join(&location(&answer)))
            .expect("an address");
        self.look(page.as_str()).await
    }

    /// From the QR code to the card page's answer, with a good card: the return address.
    pub(crate) async fn pay(&self, pay_address: &str) -> String {
        let card_page = self.press_pay(pay_address).await;
        self.enter_card(&card_page, GOOD).await.expect("paid")
    }

    async fn post(&self, address: &str, form: &str) -> Response {
        self.0
            .post(address)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", origin(address))
            .body(form.to_owned())
            .send()
            .await
            .expect("an answer")
    }
}

fn origin(address: &str) -> String {
    reqwest::Url::parse(address).expect("an address").origin().ascii_serialization()
}

fn location(answer: &Response) -> String {
    let value = answer.headers().get("location").expect("a redirect");
    value.to_str().expect("text").to_owned()
}

/// The text of the element with an ID, on a page of ours.
pub(crate) fn text_of(page: &str, id: &str) -> String {
    let marker = format!("id=\"{id}\">");
    let rest = page.split(&marker).nth(1).unwrap_or_else(|| panic!("no {id} on the page: {page}"));
    rest.split('<').next().unwrap_or_default().trim().to_owned()
}
