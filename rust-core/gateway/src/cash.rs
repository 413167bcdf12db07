//! Cash: what officers hold, shift by shift, and handing it in.
//!
//! A shift is open from its first cash payment until somebody in the office has counted what was
//! handed in. What is in a closed shift is not voided any more: the money is not the officer's.

use crate::audit::{self, Act};
use crate::core::Core;
use crate::store::{StoreError, refused_cash, rows};
use holdfast_domain::{Currency, DeviceId, Mode, Money, OfficerId, PaymentState, TenantSlug};
use holdfast_ledger::{Payment, RefusedCash};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, query};

/// Cash payments that are looked at in one go: more than officers take before somebody counts.
const OPEN_MAX: i64 = 5_000;
/// Refused orders that are shown: more than are ever left waiting.
const REFUSED_SHOWN_MAX: i64 = 200;
/// Closed shifts that are shown.
const CLOSED_SHOWN_MAX: i64 = 50;

/// A cash payment whose money was not handed in yet.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) payment: Payment,
    pub(crate) officer: String,
    pub(crate) handheld: String,
}

/// What makes a shift: cash of two officers, handhelds, modes or currencies is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShiftOf {
    pub(crate) officer: OfficerId,
    pub(crate) device: DeviceId,
    pub(crate) mode: Mode,
    pub(crate) currency: Currency,
}

impl ShiftOf {
    fn of(payment: &Payment) -> Self {
        Self {
            officer: payment.officer,
            device: payment.device,
            mode: payment.mode,
            currency: payment.total.currency(),
        }
    }
}

/// An open shift.
#[derive(Debug, Clone)]
pub(crate) struct Shift {
    pub(crate) of: ShiftOf,
    pub(crate) officer: String,
    pub(crate) handheld: String,
    /// The oldest first.
    pub(crate) taken: Vec<Payment>,
}

impl Shift {
    /// Those that count: cash that was given back does not.
    pub(crate) fn counted(&self) -> impl Iterator<Item = &Payment> {
        self.taken.iter().filter(|payment| !is_voided(payment))
    }

    pub(crate) fn voided(&self) -> usize {
        self.taken.iter().filter(|payment| is_voided(payment)).count()
    }

    pub(crate) fn total(&self) -> Money {
        let sum = self.counted().fold(0_i64, |sum, it| sum.saturating_add(it.total.minor()));
        Money::new(sum, self.of.currency)
    }
}

/// True if the cash was given back.
pub(crate) fn is_voided(payment: &Payment) -> bool {
    payment.state == PaymentState::Withdrawn
}

/// Where the cash of a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// The officer has it: it counts in their open shift.
    Officer,
    /// It was handed in with the shift of this number.
    HandedIn(i64),
    /// It was given back to the payer.
    GivenBack,
}

/// Where the cash of a payment is; none if the payment is not in cash.
pub(crate) async fn whereabouts(
    core: &Core,
    payment: &Payment,
) -> Result<Option<Whereabouts>, StoreError> {
    let sql = query(
        "SELECT COALESCE(h.number, 0) AS number FROM payment_types t LEFT JOIN cash_handed_in h \
         ON h.tenant = t.tenant AND h.payment = ? WHERE t.tenant = ? AND t.code = ? AND \
         t.provider = 'cash'",
    );
    let sql = sql.bind(payment.payment.to_string()).bind(payment.tenant.as_str());
    let sql = sql.bind(payment.payment_type.as_str());
    let Some(row) = sql.fetch_optional(&core.store.reads).await? else { return Ok(None) };
    Ok(Some(match rows::number(&row, "number")? {
        _ if is_voided(payment) => Whereabouts::GivenBack,
        0 => Whereabouts::Officer,
        shift => Whereabouts::HandedIn(shift),
    }))
}

/// Every open shift of a tenant, or those of one handheld.
pub(crate) async fn open_shifts(
    core: &Core,
    tenant: &TenantSlug,
    device: Option<DeviceId>,
) -> Result<Vec<Shift>, StoreError> {
    let mut connection = core.store.reads.acquire().await?;
    shifts_in(&mut connection, tenant, device).await
}

async fn shifts_in(
    connection: &mut SqliteConnection,
    tenant: &TenantSlug,
    device: Option<DeviceId>,
) -> Result<Vec<Shift>, StoreError> {
    let sql = query(
        "SELECT p.*, COALESCE(o.name, '') AS officer_name, COALESCE(d.name, '') AS device_name \
         FROM payments p \
         JOIN payment_types t ON t.tenant = p.tenant AND t.code = p.payment_type \
         AND t.provider = 'cash' \
         LEFT JOIN officers o ON o.tenant = p.tenant AND o.officer = p.officer \
         LEFT JOIN devices d ON d.tenant = p.tenant AND d.device = p.device \
         WHERE p.tenant = ? AND (? = '' OR p.device = ?) AND NOT EXISTS (SELECT 1 FROM \
         cash_handed_in h WHERE h.tenant = p.tenant AND h.payment = p.payment) \
         ORDER BY p.accepted_at_ms, p.payment LIMIT ?",
    );
    let device = device.map(|it| it.to_string()).unwrap_or_default();
    let sql = sql.bind(tenant.as_str()).bind(&device).bind(&device).bind(OPEN_MAX);
    let mut shifts: Vec<Shift> = Vec::new();
    for row in sql.fetch_all(connection).await? {
        let taken = taken(&row)?;
        let of = ShiftOf::of(&taken.payment);
        match shifts.iter_mut().find(|shift| shift.of == of) {
            Some(shift) => shift.taken.push(taken.payment),
            None => shifts.push(Shift {
                of,
                officer: taken.officer,
                handheld: taken.handheld,
                taken: vec![taken.payment],
            }),
        }
    }
    Ok(shifts)
}

fn taken(row: &SqliteRow) -> Result<Taken, StoreError> {
    Ok(Taken {
        payment: rows::payment(row)?,
        officer: rows::text(row, "officer_name")?,
        handheld: rows::text(row, "device_name")?,
    })
}

/// Why a shift was not closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CloseError {
    #[error("This shift has changed since you opened the page, or is closed; count again.")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) of: ShiftOf,
    /// What the page showed: so many payments, so much money.
    pub(crate) seen: (usize, i64),
    pub(crate) counted_minor: i64,
}

/// Closes a shift: its cash was handed in and counted. A difference is recorded, not refused.
pub(crate) async fn close(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    count: Count,
) -> Result<(), CloseError> {
    let (tenant, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let closed = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let shifts = shifts_in(&mut tx.connection, &tenant, Some(count.of.device)).await?;
            let shift = shifts.into_iter().find(|shift| shift.of == count.of);
            let shift = shift.ok_or(CloseError::Changed)?;
            let total = shift.total();
            if (shift.taken.len(), total.minor()) != count.seen {
                return Err(CloseError::Changed);
            }
            let number = insert(&mut tx.connection, &tenant, (&who, at_ms), &shift, &count);
            let number = number.await?;
            let counted = Money::new(count.counted_minor, count.of.currency);
            let detail = format!(
                "shift {number} of {} on {}: {} payments, {total} taken, {counted} counted",
                shift.officer,
                shift.handheld,
                shift.counted().count(),
            );
            let act = Act { at_ms, who: &who, what: "cash_handed_in", detail: &detail };
            Ok(audit::record(tx, tenant.as_str(), act).await?)
        })
    });
    closed.await
}

async fn insert(
    connection: &mut SqliteConnection,
    tenant: &TenantSlug,
    (who, at_ms): (&str, i64),
    shift: &Shift,
    count: &Count,
) -> Result<i64, StoreError> {
    let sql = query(
        "INSERT INTO cash_shifts SELECT ?, COALESCE(MAX(number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ? \
         FROM cash_shifts WHERE tenant = ? RETURNING number",
    );
    let payments = i64::try_from(shift.counted().count()).unwrap_or(i64::MAX);
    let sql = sql
        .bind(tenant.as_str())
        .bind(i64::from(shift.of.officer.0))
        .bind(shift.of.device.to_string())
        .bind(shift.of.mode.as_str())
        .bind(shift.of.currency.code().to_owned())
        .bind(shift.total().minor())
        .bind(count.counted_minor)
        .bind(payments)
        .bind(at_ms)
        .bind(who)
        .bind(tenant.as_str());
    let number = rows::number(&sql.fetch_one(&mut *connection).await?, "number")?;
    for payment in &shift.taken {
        let sql = query("INSERT INTO cash_handed_in (tenant, payment, number) VALUES (?, ?, ?)");
        let sql = sql.bind(tenant.as_str()).bind(payment.payment.to_string()).bind(number);
        sql.execute(&mut *connection).await?;
    }
    Ok(number)
}

/// A shift that was counted.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    pub(crate) number: i64,
    pub(crate) officer: String,
    pub(crate) handheld: String,
    pub(crate) mode: Mode,
    pub(crate) payments: i64,
    pub(crate) expected: Money,
    pub(crate) counted: Money,
    pub(crate) closed_at_ms: i64,
    pub(crate) closed_by: String,
}

/// The newest closed shifts.
pub(crate) async fn closed(core: &Core, tenant: &TenantSlug) -> Result<Vec<Closed>, StoreError> {
    let sql = query(
        "SELECT s.*, COALESCE(o.name, '') AS officer_name, COALESCE(d.name, '') AS device_name \
         FROM cash_shifts s \
         LEFT JOIN officers o ON o.tenant = s.tenant AND o.officer = s.officer \
         LEFT JOIN devices d ON d.tenant = s.tenant AND d.device = s.device \
         WHERE s.tenant = ? ORDER BY s.number DESC LIMIT ?",
    );
    let found =
        sql.bind(tenant.as_str()).bind(CLOSED_SHOWN_MAX).fetch_all(&core.store.reads).await?;
    let read = |row: &SqliteRow| {
        let currency = rows::currency(row)?;
        Ok(Closed {
            number: rows::number(row, "number")?,
            officer: rows::text(row, "officer_name")?,
            handheld: rows::text(row, "device_name")?,
            mode: rows::mode(row)?,
            payments: rows::number(row, "payments")?,
            expected: Money::new(rows::number(row, "expected_minor")?, currency),
            counted: Money::new(rows::number(row, "counted_minor")?, currency),
            closed_at_ms: rows::number(row, "closed_at_ms")?,
            closed_by: rows::text(row, "closed_by")?,
        })
    };
    found.iter().map(read).collect()
}

/// Cash that was taken and whose order was refused.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) cash: RefusedCash,
    pub(crate) officer: String,
    pub(crate) handheld: String,
}

/// What waits first, then what was handled last.
pub(crate) async fn refused(core: &Core, tenant: &TenantSlug) -> Result<Vec<Refused>, StoreError> {
    let sql = query(
        "SELECT r.*, COALESCE(o.name, '') AS officer_name, COALESCE(d.name, '') AS device_name \
         FROM refused_cash r \
         LEFT JOIN officers o ON o.tenant = r.tenant AND o.officer = r.officer \
         LEFT JOIN devices d ON d.tenant = r.tenant AND d.device = r.device \
         WHERE r.tenant = ? ORDER BY r.handled_by <> '', r.refused_at_ms DESC, r.payment LIMIT ?",
    );
    let found =
        sql.bind(tenant.as_str()).bind(REFUSED_SHOWN_MAX).fetch_all(&core.store.reads).await?;
    let read = |row: &SqliteRow| {
        Ok(Refused {
            cash: refused_cash::read(row)?,
            officer: rows::text(row, "officer_name")?,
            handheld: rows::text(row, "device_name")?,
        })
    };
    found.iter().map(read).collect()
}

/// How much refused cash nobody has dealt with, in entries.
pub(crate) async fn refused_waiting(core: &Core, tenant: &TenantSlug) -> Result<i64, StoreError> {
    let sql = query("SELECT COUNT(*) AS n FROM refused_cash WHERE tenant = ? AND handled_by = ''");
    rows::number(&sql.bind(tenant.as_str()).fetch_one(&core.store.reads).await?, "n")
}

/// Switches a cash payment type between training and real money. There is no key to prove: cash is
/// live once the administrator says so.
pub(crate) async fn set_mode(
    core: &Core,
    tenant: &TenantSlug,
    who: &str,
    code: &holdfast_domain::PaymentTypeCode,
    mode: Mode,
) -> Result<(), StoreError> {
    let (tenant, who, at_ms) = (tenant.clone(), who.to_owned(), core.now_ms());
    let code = code.to_string();
    let change = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "UPDATE payment_types SET mode = ? WHERE tenant = ? AND code = ? \
                 AND provider = 'cash' AND mode <> ?",
            );
            let sql = sql.bind(mode.as_str()).bind(tenant.as_str()).bind(&code).bind(mode.as_str());
            if sql.execute(&mut tx.connection).await?.rows_affected() > 0 {
                let detail = format!("{code}: {mode}");
                let act = Act { at_ms, who: &who, what: "cash_mode_changed", detail: &detail };
                audit::record(tx, tenant.as_str(), act).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    change.await
}
