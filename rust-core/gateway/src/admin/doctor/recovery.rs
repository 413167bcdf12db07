//! What the doctor says of a ledger that was put back.

use super::Finding;
use crate::core::Core;
use crate::recoveries::{self, Stand};
use crate::store::StoreError;
use holdfast_domain::TenantSlug;

pub(super) async fn examine(core: &Core, tenant: &TenantSlug) -> Result<Vec<Finding>, StoreError> {
    let Some(stand) = recoveries::stand(core, tenant).await? else { return Ok(Vec::new()) };
    let what = format!("restore of {tenant}");
    let mut findings = vec![match &stand {
        Stand { is_done: true, .. } => Finding::good(what, stand.words()),
        Stand { trouble, .. } if !trouble.is_empty() => Finding::bad(what, stand.words()),
        Stand { .. } => Finding::advice(what, stand.words()),
    }];
    if let Some(words) = stand.waiting_words() {
        findings.push(Finding::advice(format!("card pages of {tenant}"), words));
    }
    Ok(findings)
}
