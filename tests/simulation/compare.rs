//! Two ledgers side by side, table by table and row by row.

use holdfast_gateway::testing::ActRow;
use holdfast_ledger::AuditAct;
use holdfast_ledger::memory::Tables;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// The first row in which the two differ, in words.
///
/// Every table is named here: one that is added to the memory does not compile until it is compared.
pub(super) fn difference(memory: &Tables, sql: &Tables, acts: &[ActRow]) -> Option<String> {
    macro_rules! same {
        ($compare:ident: $($table:ident),*) => {
            None$(.or_else(|| $compare(stringify!($table), $table, &sql.$table)))*
        };
    }
    let Tables {
        devices,
        continuity,
        payment_types,
        catalogues,
        payments,
        revisions,
        attempts,
        evidence,
        objects,
        notices,
        orders,
        events,
        charges,
        claims,
        handed_in,
        refused_cash,
        jobs,
        last_fence,
        refund_requests,
        alerts,
        acts: acts_in_memory,
        recoveries,
        found,
    } = memory;
    same!(rows: devices, payment_types, catalogues, payments, attempts, evidence, notices, orders)
        .or_else(|| same!(rows: revisions, objects, events, charges, claims, jobs, alerts))
        .or_else(|| same!(rows: refund_requests, recoveries, found, refused_cash))
        .or_else(|| same!(keys: continuity, handed_in))
        .or_else(|| {
            let fences = (*last_fence, sql.last_fence);
            (fences.0 != fences.1).then(|| format!("last_fence: {fences:?} in memory and in SQL"))
        })
        .or_else(|| same_acts(acts_in_memory, acts))
}

fn rows<K: Ord + Debug, V: PartialEq>(
    table: &str,
    memory: &BTreeMap<K, V>,
    sql: &BTreeMap<K, V>,
) -> Option<String> {
    for (key, row) in memory {
        match sql.get(key) {
            None => return Some(format!("{table}: SQL has no row {key:?}")),
            Some(other) if other != row => {
                return Some(format!("{table}: row {key:?} is another one in SQL"));
            }
            Some(_) => {}
        }
    }
    let more = sql.keys().find(|key| !memory.contains_key(key))?;
    Some(format!("{table}: only SQL has a row {more:?}"))
}

fn keys<K: Ord + Debug>(table: &str, memory: &BTreeSet<K>, sql: &BTreeSet<K>) -> Option<String> {
    let one = memory.symmetric_difference(sql).next()?;
    Some(format!("{table}: only one of the two has {one:?}"))
}

fn same_acts(memory: &[AuditAct], sql: &[ActRow]) -> Option<String> {
    let memory: Vec<ActRow> = memory
        .iter()
        .map(|act| (act.at_ms, act.who.clone(), act.what.to_owned(), act.detail.clone()))
        .collect();
    (memory != sql).then(|| format!("acts: {} in memory and {} in SQL", memory.len(), sql.len()))
}
