//! The audit log: who changed what, when. Each entry's hash covers the entry and the hash before it,
//! so an entry that is altered, moved or taken out breaks the chain. Its head stands in the ordinary
//! log after every entry; with that, cutting the end off shows as well.

use crate::core::Core;
use crate::store::{StoreError, WriteTx, rows};
use data_encoding::HEXLOWER;
use holdfast_domain::TenantSlug;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, query};

/// The chain of acts on the whole gateway, which are no tenant's.
pub(crate) const GATEWAY_CHAIN: &str = "";
/// Who acts from the command line: whoever may read the data folder.
pub(crate) const OPERATOR: &str = "operator (command line)";
/// Longest detail in characters; it is a sentence, not a document.
const DETAIL_CHARS_MAX: usize = 300;

/// One act.
pub(crate) struct Act<'a> {
    pub(crate) at_ms: i64,
    pub(crate) who: &'a str,
    /// Stable words with underscores, such as `handheld_approved`.
    pub(crate) what: &'static str,
    /// In words; never a secret.
    pub(crate) detail: &'a str,
}

/// An entry as it stands in the log.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) number: i64,
    pub(crate) at_ms: i64,
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) detail: String,
    previous_hash: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// The newest entry of a chain, told to the ordinary log once it is on disk.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) chain: String,
    pub(crate) number: i64,
    pub(crate) hash: String,
}

/// Adds an act, in the transaction of the change itself.
pub(crate) async fn record(tx: &mut WriteTx, chain: &str, act: Act<'_>) -> Result<(), StoreError> {
    append(&mut tx.connection, &mut tx.heads, chain, act).await
}

/// The same with the parts of a transaction.
pub(crate) async fn append(
    connection: &mut SqliteConnection,
    heads: &mut Vec<Head>,
    chain: &str,
    act: Act<'_>,
) -> Result<(), StoreError> {
    let newest = query("SELECT * FROM audit WHERE tenant = ? ORDER BY number DESC LIMIT 1");
    let newest = newest.bind(chain).fetch_optional(&mut *connection).await?;
    let newest = newest.as_ref().map(entry).transpose()?;
    let mut added = Entry {
        number: newest.as_ref().map_or(0, |it| it.number).saturating_add(1),
        at_ms: act.at_ms,
        who: act.who.to_owned(),
        what: act.what.to_owned(),
        detail: act.detail.chars().take(DETAIL_CHARS_MAX).collect(),
        previous_hash: newest.map(|it| it.hash).unwrap_or_default(),
        hash: Vec::new(),
    };
    added.hash = hash_of(chain, &added);
    let head = HEXLOWER.encode(&added.hash);
    heads.push(Head { chain: chain.to_owned(), number: added.number, hash: head });
    let sql = query(
        "INSERT INTO audit (tenant, number, at_ms, who, what, detail, previous_hash, hash) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let sql = sql.bind(chain.to_owned()).bind(added.number).bind(added.at_ms).bind(added.who);
    let sql = sql.bind(added.what).bind(added.detail).bind(added.previous_hash).bind(added.hash);
    sql.execute(connection).await?;
    Ok(())
}

/// The newest entries, newest first.
pub(crate) async fn newest(
    core: &Core,
    tenant: &TenantSlug,
    most: i64,
) -> Result<Vec<Entry>, StoreError> {
    let sql = query("SELECT * FROM audit WHERE tenant = ? ORDER BY number DESC LIMIT ?");
    let found = sql.bind(tenant.as_str()).bind(most).fetch_all(&core.store.reads).await?;
    found.iter().map(entry).collect()
}

/// What a look at a whole chain told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chain {
    /// Every entry fits the one before.
    Whole { entries: i64, head: String },
    /// The first entry that does not.
    Broken { number: i64 },
}

/// The chains that there are.
pub(crate) async fn chains(core: &Core) -> Result<Vec<String>, StoreError> {
    let sql = query("SELECT DISTINCT tenant FROM audit ORDER BY tenant");
    let found = sql.fetch_all(&core.store.reads).await?;
    found.iter().map(|row| rows::text(row, "tenant")).collect()
}

/// Follows a chain from its first entry to its head.
pub(crate) async fn verify(core: &Core, chain: &str) -> Result<Chain, StoreError> {
    use futures_util::TryStreamExt;
    let sql = query("SELECT * FROM audit WHERE tenant = ? ORDER BY number").bind(chain);
    let mut entries = sql.fetch(&core.store.reads);
    let (mut before, mut number) = (Vec::new(), 0_i64);
    while let Some(row) = entries.try_next().await? {
        let found = entry(&row)?;
        number = number.saturating_add(1);
        let fits = found.number == number
            && found.previous_hash == before
            && found.hash == hash_of(chain, &found);
        if !fits {
            return Ok(Chain::Broken { number });
        }
        before = found.hash;
    }
    Ok(Chain::Whole { entries: number, head: HEXLOWER.encode(&before) })
}

/// Each part with its length in front, so that no two entries give the same bytes.
fn hash_of(chain: &str, entry: &Entry) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(b"holdfast/audit/1\0");
    let (number, at_ms) = (entry.number.to_be_bytes(), entry.at_ms.to_be_bytes());
    let parts: [&[u8]; 7] = [
        chain.as_bytes(),
        &number,
        &at_ms,
        entry.who.as_bytes(),
        entry.what.as_bytes(),
        entry.detail.as_bytes(),
        &entry.previous_hash,
    ];
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}

fn entry(row: &SqliteRow) -> Result<Entry, StoreError> {
    Ok(Entry {
        number: rows::number(row, "number")?,
        at_ms: rows::number(row, "at_ms")?,
        who: rows::text(row, "who")?,
        what: rows::text(row, "what")?,
        detail: rows::text(row, "detail")?,
        previous_hash: rows::bytes(row, "previous_hash")?,
        hash: rows::bytes(row, "hash")?,
    })
}

/// Adds an act as a change of its own: for what was changed elsewhere.
pub(crate) async fn note(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    what: &'static str,
    detail: &str,
) -> Result<(), StoreError> {
    let (chain, who, detail) = (tenant.to_string(), who.to_owned(), detail.to_owned());
    let at_ms = core.now_ms();
    let note = core.store.writer.run(move |tx| {
        Box::pin(async move {
            record(tx, &chain, Act { at_ms, who: &who, what, detail: &detail }).await
        })
    });
    note.await
}
