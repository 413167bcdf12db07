//! Payments by the thousand or million, written straight into the database, and a look around among
//! them.

use crate::Outcome;
use crate::http::{Connection, header};
use crate::server::{TENANT, runtime};
use holdfast_domain::{Currency, Evidence, Money, PricedLine, SessionStatus};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, query};
use std::path::Path;

/// A big town's payments over some years.
pub(crate) const MILLION: u32 = 1_000_000;
/// A day's payments, in milliseconds between two of them.
const APART_MS: i64 = 60_000;
const FIRST_MS: i64 = 1_735_689_600_000;
/// Payments that are looked at.
const LOOKED_AT: u32 = 50;

/// The ID of the payment at a place, in SQL and here.
const ID_IN_SQL: &str = "printf('0199c0de-7a2b-7000-8000-%012x', i)";

/// Its receipt order ID, in SQL: decimal digits are letters of such a code as well.
const RECEIPT_IN_SQL: &str = "printf('R-%04d-%04d', i / 10000, i % 10000)";

pub(crate) fn id(place: u32) -> String {
    format!("0199c0de-7a2b-7000-8000-{place:012x}")
}

/// Writes so many payments with their evidence, objects and orders.
pub(crate) fn fill(data: &Path, payments: u32) -> Outcome<()> {
    let files = std::fs::read_dir(data)?.collect::<Result<Vec<_>, _>>()?;
    let database = files.iter().map(std::fs::DirEntry::path);
    let database = database.into_iter().find(|path| path.extension().is_some_and(|it| it == "db"));
    let options = SqliteConnectOptions::new().filename(database.ok_or("no database")?);
    runtime()?.block_on(async {
        let mut connection = SqliteConnection::connect_with(&options).await?;
        // Made-up rows need no protection from a power cut.
        for sql in
            ["PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA foreign_keys = OFF"]
        {
            query(sql).execute(&mut connection).await?;
        }
        for sql in statements(payments)? {
            query(AssertSqlSafe(sql)).execute(&mut connection).await?;
        }
        connection.close().await?;
        Ok(())
    })
}

fn statements(payments: u32) -> Outcome<Vec<String>> {
    let total = Money::new(2_500, Currency::USD);
    let line = PricedLine { name: "Parking fine".to_owned(), quantity: 2, amount: total };
    let lines = serde_json::to_string(&[line])?;
    let session =
        Evidence::Session { session: "cs_test_%".to_owned(), status: SessionStatus::Open };
    let piece = serde_json::to_string(&session)?.replace('%', "' || i || '");
    let series = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {payments})"
    );
    let at = format!("{FIRST_MS} + i * {APART_MS}");
    Ok(vec![
        "BEGIN".to_owned(),
        format!(
            "{series} INSERT INTO payments (tenant, payment, device, sequence, officer, digest, \
             order_bytes, carrier, mode, payment_type, pin_account, pin_generation, lines, currency, \
             total_minor, held_at_unix_s, accepted_at_ms, lifetime_ends_at_ms, state, decline, \
             attention, revision, changed_at_ms, receipt_order_id, paid_at_ms) \
             SELECT '{TENANT}', {ID_IN_SQL}, '00010203040506ff', i, 1, randomblob(32), \
             randomblob(300), 'handheld', 'test', 'STRIPE', '', 1, '{lines}', 'USD', 2500, \
             ({at}) / 1000, {at}, {at} + 86400000, 'paid', '', '', i, {at}, {RECEIPT_IN_SQL}, {at} \
             FROM n"
        ),
        format!(
            "{series} INSERT INTO orders (tenant, payment, receipt_order_id, paid_at_ms, currency, \
             amount_minor) SELECT '{TENANT}', {ID_IN_SQL}, {RECEIPT_IN_SQL}, {at}, 'USD', 2500 FROM n"
        ),
        format!(
            "{series} INSERT INTO objects (tenant, object, payment) \
             SELECT '{TENANT}', 'cs_test_' || i, {ID_IN_SQL} FROM n"
        ),
        format!(
            "{series} INSERT INTO evidence (tenant, payment, piece, source, learned_at_ms) \
             SELECT '{TENANT}', {ID_IN_SQL}, '{piece}', 'webhook', {at} FROM n"
        ),
        format!("UPDATE tenants SET revision = {payments} WHERE tenant = '{TENANT}'"),
        "COMMIT".to_owned(),
    ])
}

/// What an administrator and payers look at.
pub(crate) fn look_around(address: &str, link: &str) -> Outcome<()> {
    let path = link.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let path = format!("/{}", path.ok_or("no link")?.1);
    let mut connection = Connection::open(address)?;
    let entered = connection.ask("POST", &path, "", b"")?.good()?;
    let cookie = header(&entered.head, "set-cookie").and_then(|it| it.split(';').next());
    let cookie = format!("Cookie: {}\r\n", cookie.ok_or("no cookie")?);
    let mut look = |page: &str| -> Outcome<()> {
        let answer = connection.ask("GET", page, &cookie, b"")?.good();
        answer.map(|_| ()).map_err(|error| format!("{page}: {error}").into())
    };
    ["/admin/payments", "/admin/handhelds", "/admin/types", "/admin/audit"]
        .into_iter()
        .try_for_each(&mut look)?;
    for n in 1..=LOOKED_AT {
        let payment = id(n * (MILLION / LOOKED_AT));
        look(&format!("/pay/{payment}"))?;
        look(&format!("/admin/payments/{payment}"))?;
    }
    Ok(())
}
