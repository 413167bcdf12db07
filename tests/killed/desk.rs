//! An administrator at a browser.

use crate::field::Field;

pub(crate) struct Desk {
    http: reqwest::Client,
    base: String,
    cookie: String,
    csrf: String,
}

impl Desk {
    pub(crate) async fn sign_in(field: &Field) -> Self {
        let path = format!("/sign-in/{}", field.sign_in_token());
        let answer = field.http().post(field.url(&path)).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let (http, base) = (field.http().clone(), field.url(""));
        let mut desk = Self { http, base, cookie, csrf: String::new() };
        desk.csrf = desk.field("/admin/account", "csrf").await;
        desk
    }

    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// What the cookie proves.
    pub(crate) fn session(&self) -> &str {
        self.cookie.split_once('=').unwrap().1
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.base)).header("cookie", &self.cookie);
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Sends a form of its own page; what comes back.
    pub(crate) async fn post(&self, path: &str, fields: &str) -> String {
        let request = self.http.post(format!("{}{path}", self.base)).header("cookie", &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let form = format!("csrf={}&{fields}", self.csrf);
        let answer = request.body(form).send().await.unwrap();
        assert!(!answer.status().is_server_error(), "{path}: {}", answer.status());
        answer.text().await.unwrap()
    }

    async fn field(&self, path: &str, name: &str) -> String {
        let page = self.get(path).await;
        let after = page.split_once(&format!("name=\"{name}\" value=\""));
        let after = after.unwrap_or_else(|| panic!("no {name} on {path}: {page}")).1;
        after.split('"').next().unwrap().to_owned()
    }

    /// Hidden fields of a page, as they are sent back.
    pub(crate) async fn fields(&self, path: &str, names: &[&str]) -> String {
        let mut all = Vec::new();
        for name in names {
            all.push(format!("{name}={}", self.field(path, name).await));
        }
        all.join("&")
    }
}
