//! Loading a price list from CSV: whole, or not at all.

use crate::audit::{self, OPERATOR};
use crate::charges::csv::with_plain_ends;
use crate::core::{Core, FolderError, UnknownTenant};
use crate::store::{StoreError, rows};
use crate::world::SystemWorld;
use holdfast_domain::cart::{ITEM_NAME_CHARS_MAX, TOTAL_MINOR_MAX};
use holdfast_domain::{CatalogueItem, Currency, Money, TenantSlug};
use sqlx::query;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The columns, in this order.
const COLUMNS: [&str; 3] = ["id", "name", "price"];
/// Items of a price list at the most: handhelds keep all of it in memory and show it as one list.
const ITEMS_MAX: usize = 2_000;
/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Errors listed at the most: whoever sees this many has the wrong file.
const ERRORS_SHOWN_MAX: usize = 20;

/// What was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// The version that orders will name.
    pub version: u32,
    /// How many items it has.
    pub items: usize,
}

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("{path}: the file cannot be read; check the path")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Lines are wrong; each is named.
    #[error("nothing was loaded; correct these lines and load the file again:\n{}", .0.join("\n"))]
    Lines(Vec<String>),
    /// There is no such tenant.
    #[error(transparent)]
    Unknown(#[from] UnknownTenant),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl From<StoreError> for CatalogueError {
    fn from(error: StoreError) -> Self {
        Self::Folder(error.into())
    }
}

/// Loads a file as the tenant's next price list. Prices are in the currency of the tenant's
/// payment type, or in US dollars while there is none.
pub async fn catalogue_load(
    data: &Path,
    tenant: &TenantSlug,
    file: &Path,
) -> Result<Loaded, CatalogueError> {
    let text = read(file)?;
    let core = Core::open(data, Arc::new(SystemWorld)).await?;
    let loaded = load(&core, tenant, &text).await;
    core.close().await;
    loaded
}

pub(crate) async fn load(
    core: &Core,
    tenant: &TenantSlug,
    text: &[u8],
) -> Result<Loaded, CatalogueError> {
    core.tenant(tenant).await?.ok_or_else(|| UnknownTenant(tenant.clone()))?;
    let currency = currency_of(core, tenant).await?;
    let items = parse(text, currency).map_err(CatalogueError::Lines)?;
    let count = items.len();
    let version = insert(core, tenant.clone(), currency, items).await?;
    let detail = format!("version {version}, {count} items in {currency}");
    audit::note(core, tenant, OPERATOR, "prices_loaded", &detail).await?;
    Ok(Loaded { version, items: count })
}

fn read(path: &Path) -> Result<Vec<u8>, CatalogueError> {
    let read = || {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() > usize::try_from(FILE_BYTES_MAX).unwrap_or(usize::MAX) {
            return Err(io::Error::other(format!("it has more than {FILE_BYTES_MAX} bytes")));
        }
        Ok(bytes)
    };
    read().map_err(|source| CatalogueError::Read { path: path.to_owned(), source })
}

async fn currency_of(core: &Core, tenant: &TenantSlug) -> Result<Currency, StoreError> {
    let sql = query("SELECT currency FROM payment_types WHERE tenant = ? ORDER BY code LIMIT 1");
    let row = sql.bind(tenant.as_str()).fetch_optional(&core.store.reads).await?;
    row.as_ref().map_or(Ok(Currency::USD), rows::currency)
}

/// The currency of the newest price list.
pub(super) async fn newest_currency(
    core: &Core,
    tenant: &TenantSlug,
) -> Result<Option<Currency>, StoreError> {
    let sql =
        query("SELECT currency FROM catalogues WHERE tenant = ? ORDER BY version DESC LIMIT 1");
    let row = sql.bind(tenant.as_str()).fetch_optional(&core.store.reads).await?;
    row.as_ref().map(rows::currency).transpose()
}

/// Every item, or every error with its line.
fn parse(text: &[u8], currency: Currency) -> Result<Vec<CatalogueItem>, Vec<String>> {
    // Spreadsheets begin UTF-8 files with a byte order mark.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let text = with_plain_ends(text);
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_slice());
    let headers = reader.headers().map_err(|error| vec![broken_line(&error)])?;
    if !headers.iter().map(str::to_ascii_lowercase).eq(COLUMNS) {
        return Err(vec![format!("line 1: the columns are {}, in this order", COLUMNS.join(","))]);
    }
    let (mut items, mut errors) = (BTreeMap::new(), Vec::new());
    let mut shown = Vec::new();
    for record in reader.records() {
        let parsed = match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                item(&record, currency).map_err(|why| format!("line {line}: {why}")).and_then(
                    |it| match items.insert(it.id, line) {
                        Some(first) => {
                            Err(format!("line {line}: id {} stands on line {first} already", it.id))
                        }
                        None => Ok(it),
                    },
                )
            }
            Err(error) => Err(broken_line(&error)),
        };
        match parsed {
            Ok(item) => shown.push(item),
            Err(error) => errors.push(error),
        }
        if errors.len() >= ERRORS_SHOWN_MAX {
            errors.push("and perhaps more".to_owned());
            return Err(errors);
        }
    }
    if errors.is_empty() && shown.is_empty() {
        errors.push("line 2: there are no items; add one line for each".to_owned());
    }
    if shown.len() > ITEMS_MAX {
        errors.push(format!("there are more than {ITEMS_MAX} items; load fewer"));
    }
    if errors.is_empty() { Ok(shown) } else { Err(errors) }
}

fn item(record: &csv::StringRecord, currency: Currency) -> Result<CatalogueItem, String> {
    let [id, name, price] = record.iter().collect::<Vec<_>>()[..] else {
        return Err(format!("there are {} columns in place of 3", record.len()));
    };
    let id = id.parse::<u32>().ok().filter(|id| *id > 0);
    let id = id.ok_or("the id is a whole number from 1")?;
    let length = name.chars().count();
    if !(1..=ITEM_NAME_CHARS_MAX).contains(&length) || name.chars().any(char::is_control) {
        return Err(format!("the name has 1 to {ITEM_NAME_CHARS_MAX} characters on one line"));
    }
    let price = Money::parse(price, currency).map_err(|error| format!("the price: {error}"))?;
    if !(0..=TOTAL_MINOR_MAX).contains(&price.minor()) {
        let most = Money::new(TOTAL_MINOR_MAX, currency);
        return Err(format!("the price is from 0 to {most}"));
    }
    holdfast_stripe::amount::units(price).map_err(|error| format!("the price: {error}"))?;
    Ok(CatalogueItem { id, name: name.to_owned(), price })
}

fn broken_line(error: &csv::Error) -> String {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => {
            format!("line {line}: this is not UTF-8; save the file as CSV UTF-8")
        }
        _ => format!("line {line}: this is not CSV; check its quotation marks"),
    }
}

async fn insert(
    core: &Core,
    tenant: TenantSlug,
    currency: Currency,
    items: Vec<CatalogueItem>,
) -> Result<u32, StoreError> {
    let now_ms = core.now_ms();
    let insert = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let connection = &mut tx.connection;
            let next = query(
                "INSERT INTO catalogues (tenant, version, currency, created_at_ms) SELECT ?, \
                 COALESCE(MAX(version), 0) + 1, ?, ? FROM catalogues WHERE tenant = ? \
                 RETURNING version",
            );
            let next = next.bind(tenant.as_str()).bind(currency.code().to_owned()).bind(now_ms);
            let row = next.bind(tenant.as_str()).fetch_one(&mut *connection).await?;
            let version = rows::small(&row, "version")?;
            for (position, item) in (0_i64..).zip(items) {
                let sql = query(
                    "INSERT INTO catalogue_items (tenant, version, position, item, name, \
                     price_minor) VALUES (?, ?, ?, ?, ?, ?)",
                );
                let sql = sql.bind(tenant.as_str()).bind(i64::from(version)).bind(position);
                let sql = sql.bind(i64::from(item.id)).bind(item.name).bind(item.price.minor());
                sql.execute(&mut *connection).await?;
            }
            Ok(version)
        })
    });
    insert.await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<String> {
        parse(text.as_bytes(), Currency::USD).unwrap_err()
    }

    #[test]
    fn a_list_is_read_as_spreadsheets_write_it() {
        let text =
            "\u{feff}ID,Name,Price\r\n1,Day permit,12.50\r\n7,\"Towing, \"\"heavy\"\"\",150\r\n";
        let items = parse(text.as_bytes(), Currency::USD).unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!((items[0].id, items[0].price.minor()), (1, 1250));
        assert_eq!(items[1].name, "Towing, \"heavy\"");
    }

    #[test]
    fn each_wrong_line_is_named() {
        let text = "id,name,price\n0,a,1\n1,,1\n2,b,1.234\n3,c\n4,d,1\n4,e,2\n5,f,-1\n6,g,x\n";
        let errors = errors(text);
        for (line, words) in [
            (2, "whole number"),
            (3, "name"),
            (4, "12.50"),
            (5, "columns"),
            (7, "line 6 already"),
            (8, "from 0"),
            (9, "12.50"),
        ] {
            let prefix = format!("line {line}:");
            let named = errors.iter().any(|e| e.starts_with(&prefix) && e.contains(words));
            assert!(named, "line {line} {words}: {errors:?}");
        }
        assert_eq!(errors.len(), 7);
        let as_windows_writes_it = text.replace('\n', "\r\n");
        assert_eq!(parse(as_windows_writes_it.as_bytes(), Currency::USD).unwrap_err(), errors);
    }

    #[test]
    fn what_is_no_price_list_is_refused_in_one_line() {
        assert!(errors("")[0].contains("id,name,price"));
        assert!(errors("name,id,price\n")[0].contains("in this order"));
        assert!(errors("id,name,price\n")[0].contains("no items"));
        let not_utf8 = parse(b"id,name,price\n1,\xff,1\n", Currency::USD).unwrap_err();
        assert!(not_utf8[0].contains("UTF-8"), "{not_utf8:?}");
        let many = format!("id,name,price\n{}", "x,y,z\n".repeat(500));
        assert_eq!(errors(&many).len(), ERRORS_SHOWN_MAX + 1);
    }
}
