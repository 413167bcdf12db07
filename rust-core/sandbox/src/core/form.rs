//! Form-encoded parameters as a tree: `a[b][0]=c` becomes a → b → 0 → "c".
//!
//! Strict where Stripe is: broken percent signs, bad UTF-8 and malformed brackets are refused.

use std::collections::BTreeMap;

use super::error::ApiError;

/// Stripe's deepest parameter has six levels.
const DEPTH_MAX: usize = 8;
/// The largest real request, a hundred lines with notes, stays under this many parameters.
const FIELDS_MAX: usize = 2_000;

/// A parameter: a text, or named parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Text(String),
    Parts(BTreeMap<String, Node>),
}

impl Node {
    pub(super) fn empty() -> Self {
        Self::Parts(BTreeMap::new())
    }
}

/// Parses a query or body.
pub(super) fn parse(encoded: &[u8]) -> Result<Node, ApiError> {
    let mut root = Node::empty();
    let pairs = encoded.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
    for (count, pair) in pairs.enumerate() {
        if count >= FIELDS_MAX {
            return Err(ApiError::invalid("The request has too many parameters."));
        }
        let mut halves = pair.splitn(2, |b| *b == b'=');
        let name = decode(halves.next().unwrap_or_default())?;
        let value = decode(halves.next().unwrap_or_default())?;
        let path = split_name(&name)?;
        insert(&mut root, &path, value).map_err(|()| {
            ApiError::invalid(format!("The parameter {name} is both a value and an object."))
                .with_param(&name)
        })?;
    }
    Ok(root)
}

fn decode(encoded: &[u8]) -> Result<String, ApiError> {
    let mut plain = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    loop {
        rest = match rest {
            [] => break,
            [b'+', after @ ..] => {
                plain.push(b' ');
                after
            }
            [b'%', high, low, after @ ..] => {
                let digits = hex(*high).zip(hex(*low));
                let (high, low) = digits.ok_or_else(broken_encoding)?;
                plain.push(high << 4 | low);
                after
            }
            [b'%', ..] => return Err(broken_encoding()),
            [byte, after @ ..] => {
                plain.push(*byte);
                after
            }
        };
    }
    let text = String::from_utf8(plain).map_err(|_| broken_encoding())?;
    if text.contains('\0') {
        return Err(broken_encoding());
    }
    Ok(text)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn broken_encoding() -> ApiError {
    ApiError::invalid("The request is not form-encoded UTF-8.")
}

/// `a[b][]` as `["a", "b", ""]`.
fn split_name(name: &str) -> Result<Vec<&str>, ApiError> {
    let malformed =
        || ApiError::invalid(format!("The parameter name {name} is malformed.")).with_param(name);
    let (first, mut rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    if first.is_empty() {
        return Err(malformed());
    }
    let mut path = vec![first];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').ok_or_else(malformed)?;
        let (part, after) = inner.split_once(']').ok_or_else(malformed)?;
        if part.contains('[') || path.len() >= DEPTH_MAX {
            return Err(malformed());
        }
        path.push(part);
        rest = after;
    }
    Ok(path)
}

/// Puts a value in its place; the last of several values for one name stays.
fn insert(node: &mut Node, path: &[&str], value: String) -> Result<(), ()> {
    let Some((first, rest)) = path.split_first() else {
        if matches!(node, Node::Parts(parts) if !parts.is_empty()) {
            return Err(());
        }
        *node = Node::Text(value);
        return Ok(());
    };
    let Node::Parts(parts) = node else { return Err(()) };
    let key = if first.is_empty() { next_index(parts, rest) } else { (*first).to_owned() };
    let child = parts.entry(key).or_insert_with(Node::empty);
    insert(child, rest, value)
}

/// `a[]=x` appends; `a[][b]=x` fills the last element until it has a `b`.
fn next_index(parts: &BTreeMap<String, Node>, rest: &[&str]) -> String {
    let last = parts.keys().filter_map(|key| key.parse::<usize>().ok()).max();
    let Some(last) = last else { return "0".to_owned() };
    let fills = match (rest.first(), parts.get(&last.to_string())) {
        (Some(field), Some(Node::Parts(filled))) => !filled.contains_key(*field),
        _ => false,
    };
    (if fills { last } else { last.saturating_add(1) }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(node: &'a Node, path: &[&str]) -> &'a str {
        match (node, path.split_first()) {
            (Node::Text(text), None) => text,
            (Node::Parts(parts), Some((first, rest))) => at(&parts[*first], rest),
            _ => panic!("nothing at {path:?}"),
        }
    }

    #[test]
    fn names_nest_and_arrays_grow() {
        let tree = parse(b"a[b][0]=x&a[b][1]=y&c[]=1&c[]=2&d[][e]=3&d[][f]=4&d[][e]=5&g=%C3%A4+b")
            .unwrap();
        assert_eq!(at(&tree, &["a", "b", "1"]), "y");
        assert_eq!(at(&tree, &["c", "1"]), "2");
        assert_eq!(at(&tree, &["d", "0", "f"]), "4");
        assert_eq!(at(&tree, &["d", "1", "e"]), "5");
        assert_eq!(at(&tree, &["g"]), "ä b");
    }

    #[test]
    fn of_two_values_for_one_name_the_last_stays() {
        assert_eq!(at(&parse(b"a=1&a=2").unwrap(), &["a"]), "2");
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for encoded in [
            &b"a=%"[..],
            b"a=%4",
            b"a=%zz",
            b"a=%ff",
            b"%C3=1",
            b"a=%00",
            b"[a]=1",
            b"a[b=1",
            b"a[b]c=1",
            b"a[b[c]]=1",
            b"a=1&a[b]=2",
            b"a[b]=1&a=2",
            b"=1",
            b"a[1][2][3][4][5][6][7][8]=1",
        ] {
            assert!(parse(encoded).is_err(), "{}", String::from_utf8_lossy(encoded));
        }
        assert!(parse("a=1&".repeat(FIELDS_MAX + 1).as_bytes()).is_err());
        assert_eq!(parse(b"").unwrap(), Node::empty());
        assert_eq!(parse(b"&&").unwrap(), Node::empty());
    }
}
