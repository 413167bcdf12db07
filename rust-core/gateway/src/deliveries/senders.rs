//! From which addresses deliveries are taken. Off unless an administrator lists some: Stripe's own
//! change with seven days' notice, so none are written down here.

use crate::audit::{self, Act};
use crate::cidr::Cidr;
use crate::core::Core;
use crate::store::{StoreError, rows};
use holdfast_domain::TenantSlug;
use sqlx::query;
use std::net::IpAddr;

/// Ranges of one tenant at the most: Stripe names about a dozen addresses.
const RANGES_MAX: usize = 100;

/// The ranges; none means that every address may deliver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Senders(Vec<Cidr>);

impl Senders {
    /// Reads what somebody typed: ranges with spaces, commas or new lines between. What is wrong is told
    /// for the field.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(|c: char| c.is_whitespace() || c == ',').filter(|it| !it.is_empty());
        let mut ranges = Vec::new();
        for part in parts {
            if ranges.len() >= RANGES_MAX {
                return Err(format!("Write at most {RANGES_MAX} ranges."));
            }
            ranges.push(part.parse().map_err(|why| format!("{why}."))?);
        }
        Ok(Self(ranges))
    }

    pub(crate) fn allow(&self, address: IpAddr) -> bool {
        self.0.is_empty() || self.0.iter().any(|range| range.contains(address))
    }

    /// One range a line.
    pub(crate) fn lines(&self) -> String {
        self.0.iter().map(Cidr::to_string).collect::<Vec<_>>().join("\n")
    }
}

/// The list of a tenant.
pub(crate) async fn of(core: &Core, tenant: &TenantSlug) -> Result<Senders, StoreError> {
    let sql = query("SELECT allowed_senders FROM webhook_settings WHERE tenant = ?");
    let row = sql.bind(tenant.as_str()).fetch_optional(&core.store.reads).await?;
    let text = row.map(|row| rows::text(&row, "allowed_senders")).transpose()?;
    Senders::parse(&text.unwrap_or_default()).map_err(|_| StoreError::Damaged("allowed_senders"))
}

/// Changes the list.
pub(crate) async fn set(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    senders: &Senders,
) -> Result<(), StoreError> {
    let (tenant, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let text = senders.lines().replace('\n', " ");
    let write = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "INSERT INTO webhook_settings (tenant, allowed_senders) VALUES (?, ?) ON CONFLICT \
                 (tenant) DO UPDATE SET allowed_senders = excluded.allowed_senders",
            );
            sql.bind(tenant.as_str()).bind(text.clone()).execute(&mut tx.connection).await?;
            let detail = if text.is_empty() { "from any address" } else { &text };
            let act = Act { at_ms, who: &who, what: "webhook_senders_changed", detail };
            audit::record(tx, tenant.as_str(), act).await
        })
    });
    write.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_typed_as_people_type_lists() {
        let senders = Senders::parse(" 3.18.12.63, 3.130.192.231/32\n\n2001:db8::/32 ").unwrap();
        assert!(senders.allow("3.18.12.63".parse().unwrap()));
        assert!(!senders.allow("3.18.12.64".parse().unwrap()) && !senders.0.is_empty());
        assert_eq!(Senders::parse(&senders.lines()).unwrap(), senders);
        let empty = Senders::parse(" \n").unwrap();
        assert!(empty.0.is_empty() && empty.allow("192.0.2.1".parse().unwrap()));
        assert!(Senders::parse("3.18.12.63 stripe.com").unwrap_err().contains("stripe.com"));
        assert!(Senders::parse(&"::1 ".repeat(101)).is_err());
    }
}
