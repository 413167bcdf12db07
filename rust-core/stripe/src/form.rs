//! Form encoding as Stripe reads it: `line_items[0][price_data][currency]=usd`.

/// Collects fields in the order given, so that equal parameters make equal bytes.
#[derive(Default)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    pub(crate) fn set(&mut self, name: &str, value: impl ToString) -> &mut Self {
        self.fields.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn set_some(&mut self, name: &str, value: Option<impl ToString>) -> &mut Self {
        if let Some(value) = value {
            self.set(name, value);
        }
        self
    }

    pub(crate) fn set_map<'a>(
        &mut self,
        name: &str,
        map: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> &mut Self {
        for (key, value) in map {
            self.set(&format!("{name}[{key}]"), value);
        }
        self
    }

    pub(crate) fn encode(&self) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(&self.fields);
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_are_escaped() {
        let mut form = Form::default();
        form.set("a[0][b]", "x & y").set_some("none", None::<i64>).set("c", 7);
        assert_eq!(form.encode(), "a%5B0%5D%5Bb%5D=x+%26+y&c=7");
    }
}
