//! Products and prices, as far as the lines of a session need them: paid once, in one currency.

use std::sync::Arc;

use holdfast_stripe::objects::ErrorCode;

use super::super::Core;
use super::super::error::ApiError;
use super::super::expand;
use super::super::fields::Fields;
use super::super::model::{Price, Product};
use super::super::reply::Reply;
use super::super::shelf::Among;
use super::sessions::check_unit;

impl Core {
    pub(super) fn product_create(&mut self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let product = self.read_product(&mut fields)?;
        let paths = expand::read(&mut fields)?;
        fields.finish(&[
            "default_price_data",
            "id",
            "images",
            "marketing_features",
            "package_dimensions",
            "shippable",
            "statement_descriptor",
            "tax_code",
            "unit_label",
            "url",
        ])?;
        let product = self.add_product(product);
        let mut value = self.product_json(&product);
        self.expand(&mut value, &paths)?;
        Ok(value.into())
    }

    fn read_product(&self, fields: &mut Fields<'_>) -> Result<Product, ApiError> {
        Ok(Product {
            id: "".into(),
            created: self.now_s(),
            name: fields.required_text("name")?.into(),
            description: fields.text_up_to("description", 5_000)?.map(Into::into),
            metadata: fields.metadata("metadata")?,
            active: fields.boolean("active")?.unwrap_or(true),
        })
    }

    fn add_product(&mut self, product: Product) -> Arc<Product> {
        let id = self.ids.text("prod_", 14).into();
        self.products.insert(Product { id, ..product })
    }

    pub(super) fn product_get(&self, id: &str, fields: Fields<'_>) -> Result<Reply, ApiError> {
        fields.finish(&["expand"])?;
        let missing = || ApiError::no_such("product", id, "id");
        Ok(self.product_json(self.products.get(id).ok_or_else(missing)?).into())
    }

    pub(super) fn product_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let active = fields.boolean("active")?;
        let keep = |product: &Arc<Product>| active.is_none_or(|active| product.active == active);
        self.list_reply("/v1/products", &self.products, Among::All, fields, keep, |core, row| {
            core.product_json(row)
        })
    }

    pub(super) fn price_create(&mut self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let currency = fields.required_text("currency")?.to_ascii_lowercase();
        let unit_amount = fields.required_integer("unit_amount")?;
        check_unit(&fields, &currency, unit_amount)?;
        let metadata = fields.metadata("metadata")?;
        let active = fields.boolean("active")?.unwrap_or(true);
        let named = fields.text("product")?;
        let made = match fields.object("product_data")? {
            None => None,
            Some(mut data) => {
                let product = self.read_product(&mut data)?;
                data.finish(&["id", "statement_descriptor", "tax_code", "unit_label"])?;
                Some(product)
            }
        };
        fields.finish(&[
            "billing_scheme",
            "currency_options",
            "custom_unit_amount",
            "expand",
            "lookup_key",
            "nickname",
            "recurring",
            "tax_behavior",
            "tiers",
            "tiers_mode",
            "transfer_lookup_key",
            "transform_quantity",
            "unit_amount_decimal",
        ])?;
        let product = match (named, made) {
            (Some(_), Some(_)) => return Err(ApiError::exclusive("product, product_data")),
            (None, None) => return Err(ApiError::missing_param("product")),
            (Some(id), None) => {
                let missing = || ApiError::no_such_reference("product", id, "product");
                self.products.get(id).ok_or_else(missing)?.id.clone()
            }
            (None, Some(product)) => self.add_product(product).id.clone(),
        };
        let price = self.prices.insert(Price {
            id: self.ids.object("price_1"),
            created: self.now_s(),
            product,
            currency: currency.into(),
            unit_amount,
            metadata,
            active,
        });
        Ok(self.price_json(&price).into())
    }

    pub(super) fn price_get(&self, id: &str, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let paths = expand::read(&mut fields)?;
        fields.finish(&[])?;
        let missing = || ApiError::no_such("price", id, "price");
        let mut value = self.price_json(self.prices.get(id).ok_or_else(missing)?);
        self.expand(&mut value, &paths)?;
        Ok(value.into())
    }

    pub(super) fn price_list(&self, mut fields: Fields<'_>) -> Result<Reply, ApiError> {
        let active = fields.boolean("active")?;
        let product = fields.text("product")?;
        let keep = |price: &Arc<Price>| {
            active.is_none_or(|active| price.active == active)
                && product.is_none_or(|product| *price.product == *product)
        };
        self.list_reply("/v1/prices", &self.prices, Among::All, fields, keep, |core, row| {
            core.price_json(row)
        })
    }

    /// The price that a line names, and what it is of.
    pub(super) fn price_of_line(
        &self,
        id: &str,
        param: &str,
    ) -> Result<(Arc<Price>, Arc<Product>), ApiError> {
        let missing = || ApiError::no_such_reference("price", id, param);
        let price = self.prices.get(id).cloned().ok_or_else(missing)?;
        let product = self.products.get(&price.product).cloned().ok_or_else(missing)?;
        if !price.active || !product.active {
            let message = "The price specified is inactive. This field only accepts active prices.";
            let error = ApiError::invalid(message).with_param(param);
            return Err(error.with_code(ErrorCode::ResourceMissing));
        }
        Ok((price, product))
    }
}
