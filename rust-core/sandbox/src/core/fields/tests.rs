use super::*;
use crate::core::form::parse;

fn message(error: ApiError) -> (String, Option<String>) {
    (error.object.message.unwrap_or_default(), error.object.param)
}

#[test]
fn what_nobody_asked_for_is_refused_by_its_full_name() {
    let tree = parse(b"a[0][b]=1&a[0][c]=2").unwrap();
    let mut fields = Fields::new(&tree);
    let mut inner = fields.objects("a").unwrap().remove(0);
    assert_eq!(inner.integer("b").unwrap(), Some(1));
    let (text, param) = message(inner.finish(&[]).unwrap_err());
    assert_eq!(text, "Received unknown parameter: a[0][c]");
    assert_eq!(param.as_deref(), Some("a[0][c]"));
    fields.finish(&[]).unwrap();
}

#[test]
fn types_are_checked() {
    let tree = parse(b"n=1.5&e=&s[x]=1&u=javascript:alert(1)&w=violet&b=yes&plus=%2B1").unwrap();
    let mut fields = Fields::new(&tree);
    assert_eq!(message(fields.integer("n").unwrap_err()).0, "Invalid integer: 1.5");
    assert!(fields.integer("plus").is_err());
    assert!(fields.text("e").is_err());
    assert!(fields.text("s").is_err());
    assert!(fields.url("u").is_err());
    assert!(fields.boolean("b").is_err());
    assert!(fields.word("w", &["red"]).is_err());
    assert!(fields.objects("w").is_err());
    assert!(fields.required_text("gone").is_err());
}

#[test]
fn an_address_is_http_with_a_plain_host() {
    for good in ["http://127.0.0.1:8080/x?y={CHECKOUT_SESSION_ID}", "https://a.example"] {
        assert!(is_web_address(good), "{good}");
    }
    for bad in [
        "",
        "a.example",
        "ftp://a",
        "http://",
        "http:///x",
        "http://a b",
        "http://a;b/",
        "http://a\n",
        "http://u:p@a/",
        "http://:80",
        "https://a/\u{7f}",
    ] {
        assert!(!is_web_address(bad), "{bad:?}");
    }
    assert_eq!(origin_of("https://a.example:8443/x"), Some("https://a.example:8443"));
}

#[test]
fn a_window_has_inclusive_bounds() {
    let window = |text: &[u8]| Fields::new(&parse(text).unwrap()).window("created").unwrap();
    assert_eq!(window(b"created=5"), (5, 5));
    assert_eq!(window(b"created[gte]=5&created[lt]=9"), (5, 8));
    assert_eq!(window(b"created[gt]=5&created[lte]=9"), (6, 9));
    assert_eq!(window(b""), (i64::MIN, i64::MAX));
}
