//! HTTP from here to elsewhere: webhooks, and levers of a sandbox in another process.

use std::time::Duration;

use holdfast_stripe::tls;

/// A client that follows no redirect and asks no proxy; an error says why there is none.
pub(crate) fn client(answer_time_max: Duration) -> Result<reqwest::Client, String> {
    let tls = tls::client_config().map_err(|error| error.to_string())?;
    let built = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(answer_time_max)
        .no_proxy()
        .build();
    built.map_err(|error| error.to_string())
}
