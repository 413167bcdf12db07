//! Products and prices.

use serde_json::{Value, json};

use super::with_nulls;
use crate::core::Core;
use crate::core::model::{Price, Product};

impl Core {
    pub(in crate::core) fn product_json(&self, product: &Product) -> Value {
        let value = json!({
            "id": product.id,
            "object": "product",
            "active": product.active,
            "created": product.created,
            "description": product.description,
            "images": [],
            "livemode": self.config.live,
            "marketing_features": [],
            "metadata": *product.metadata,
            "name": product.name,
            "type": "service",
            "updated": product.created,
        });
        with_nulls(
            value,
            &[
                "default_price",
                "package_dimensions",
                "shippable",
                "statement_descriptor",
                "tax_code",
                "unit_label",
                "url",
            ],
        )
    }

    pub(in crate::core) fn price_json(&self, price: &Price) -> Value {
        let value = json!({
            "id": price.id,
            "object": "price",
            "active": price.active,
            "billing_scheme": "per_unit",
            "created": price.created,
            "currency": price.currency,
            "livemode": self.config.live,
            "metadata": *price.metadata,
            "product": price.product,
            "tax_behavior": "unspecified",
            "type": "one_time",
            "unit_amount": price.unit_amount,
            "unit_amount_decimal": price.unit_amount.to_string(),
        });
        with_nulls(
            value,
            &[
                "custom_unit_amount",
                "lookup_key",
                "nickname",
                "recurring",
                "tiers_mode",
                "transform_quantity",
            ],
        )
    }
}
