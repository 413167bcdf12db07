//! Finding charges.

use crate::core::Core;
use crate::store::{StoreError, charge, fold_name, fold_plate};
use holdfast_domain::{ChargeState, ClaimState, Mode, PaymentId, PaymentState, TenantSlug};
use holdfast_ledger::Charge;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

/// Charges on one page of the office.
pub(crate) const PAGE_MAX: i64 = 50;
/// Charges of one export at the most, so that it fits into memory.
pub(crate) const EXPORT_MAX: i64 = 50_000;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// The beginning of a reference, a plate, or a word of a name; empty: all.
    pub(crate) find: String,
    /// As it stands for payments of the mode.
    pub(crate) state: Option<ChargeState>,
    /// Only those that such users may settle.
    pub(crate) users: Option<&'static str>,
}

/// A charge, and how it stands.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) charge: Charge,
    pub(crate) test: ChargeState,
    pub(crate) live: ChargeState,
    /// The payment that holds it or has settled it, in test mode and in live mode.
    pub(crate) test_payment: Option<PaymentId>,
    pub(crate) live_payment: Option<PaymentId>,
    /// The payment that had settled it and whose money was gone last.
    pub(crate) test_returned: Option<Returned>,
    pub(crate) live_returned: Option<Returned>,
    /// A bank took back the money that settled it, and nobody has said what becomes of it.
    pub(crate) test_lost: bool,
    pub(crate) live_lost: bool,
}

/// A payment whose money, which had settled a charge, is gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Returned {
    pub(crate) payment: PaymentId,
    pub(crate) at_ms: i64,
    /// A bank took it; otherwise it was refunded, or cash that was voided.
    pub(crate) by_bank: bool,
}

impl Found {
    pub(crate) fn state(&self, mode: Mode) -> ChargeState {
        match mode {
            Mode::Test => self.test,
            Mode::Live => self.live,
        }
    }

    pub(crate) fn payment(&self, mode: Mode) -> Option<PaymentId> {
        match mode {
            Mode::Test => self.test_payment,
            Mode::Live => self.live_payment,
        }
    }

    /// True if somebody has to say whether it is owed again, because a bank took the money back.
    pub(crate) fn is_lost(&self, mode: Mode) -> bool {
        let lost = match mode {
            Mode::Test => self.test_lost,
            Mode::Live => self.live_lost,
        };
        lost && self.state(mode) == ChargeState::Settled
    }

    /// Which payment's money is gone, and when, so that the charge is owed again; none if it is not.
    pub(crate) fn owed_again(&self, mode: Mode) -> Option<Returned> {
        let returned = match mode {
            Mode::Test => self.test_returned,
            Mode::Live => self.live_returned,
        };
        returned.filter(|_| matches!(self.state(mode), ChargeState::Open | ChargeState::BeingPaid))
    }
}

/// The charges that were changed last come first.
pub(crate) async fn find(
    core: &Core,
    tenant: &TenantSlug,
    mode: Mode,
    wanted: &Wanted,
    (limit, offset): (i64, i64),
) -> Result<Vec<Found>, StoreError> {
    let mut sql = select(tenant);
    let find = wanted.find.trim();
    if !find.is_empty() {
        matching(&mut sql, find);
    }
    if let Some(users) = wanted.users {
        sql.push(" AND ',' || c.user_types || ',' LIKE ").push_bind(format!("%,{users},%"));
    }
    if let Some(state) = wanted.state {
        standing(&mut sql, state, mode);
    }
    sql.push(" ORDER BY c.changed_at_ms DESC, c.reference LIMIT ").push_bind(limit);
    sql.push(" OFFSET ").push_bind(offset);
    let found = sql.build().fetch_all(&core.store.reads).await?;
    found.iter().map(read).collect()
}

/// The charge of that reference.
pub(crate) async fn one(
    core: &Core,
    tenant: &TenantSlug,
    reference: &str,
) -> Result<Option<Found>, StoreError> {
    let mut sql = select(tenant);
    sql.push(" AND c.reference = ").push_bind(reference.to_owned());
    sql.build().fetch_optional(&core.store.reads).await?.as_ref().map(read).transpose()
}

fn select(tenant: &TenantSlug) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(
        "SELECT c.*, t.state AS test_state, t.payment AS test_payment, l.state AS live_state, \
         l.payment AS live_payment, ",
    );
    for mode in ["test", "live"] {
        for (name, column) in
            [("payment", "r.payment"), ("at_ms", "r.returned_at_ms"), ("state", "p.state")]
        {
            sql.push(format!(
                "(SELECT {column} FROM claims r JOIN payments p ON p.tenant = r.tenant \
                 AND p.payment = r.payment WHERE r.tenant = c.tenant AND r.mode = '{mode}' \
                 AND r.reference = c.reference AND r.returned_at_ms > 0 \
                 ORDER BY r.returned_at_ms DESC, r.payment LIMIT 1) AS {mode}_{name}_back, "
            ));
        }
    }
    for (mode, claim) in [("test", "t"), ("live", "l")] {
        sql.push(format!(
            "EXISTS (SELECT 1 FROM finance_alerts a WHERE a.tenant = c.tenant \
             AND a.payment = {claim}.payment AND a.status = 'dispute_lost' AND a.written_off = 0) \
             AS {mode}_lost, "
        ));
    }
    sql.push(
        "1 FROM charges c \
         LEFT JOIN claims t ON t.tenant = c.tenant AND t.mode = 'test' \
         AND t.reference = c.reference AND t.state IN ('holding', 'settled') \
         LEFT JOIN claims l ON l.tenant = c.tenant AND l.mode = 'live' \
         AND l.reference = c.reference AND l.state IN ('holding', 'settled') WHERE c.tenant = ",
    );
    sql.push_bind(tenant.as_str().to_owned());
    sql
}

/// By the beginning of reference or plate, or of a word in the name.
fn matching(sql: &mut QueryBuilder<Sqlite>, find: &str) {
    let name = escaped(&fold_name(find));
    sql.push(" AND (c.reference LIKE ")
        .push_bind(format!("{}%", escaped(&find.to_ascii_uppercase())))
        .push(" ESCAPE '\\' OR c.payer_folded LIKE ")
        .push_bind(format!("{name}%"))
        .push(" ESCAPE '\\' OR c.payer_folded LIKE ")
        .push_bind(format!("% {name}%"))
        .push(" ESCAPE '\\'");
    let plate = fold_plate(find);
    if !plate.is_empty() {
        sql.push(" OR c.plate_folded LIKE ").push_bind(format!("{}%", escaped(&plate)));
        sql.push(" ESCAPE '\\'");
    }
    sql.push(")");
}

fn standing(sql: &mut QueryBuilder<Sqlite>, state: ChargeState, mode: Mode) {
    let claim = match mode {
        Mode::Test => "t.state",
        Mode::Live => "l.state",
    };
    match state {
        ChargeState::Withdrawn => sql.push(" AND c.withdrawn <> ''"),
        ChargeState::Open => sql.push(" AND c.withdrawn = '' AND ").push(claim).push(" IS NULL"),
        ChargeState::BeingPaid => {
            sql.push(" AND c.withdrawn = '' AND ").push(claim).push(" = 'holding'")
        }
        ChargeState::Settled => {
            sql.push(" AND c.withdrawn = '' AND ").push(claim).push(" = 'settled'")
        }
    };
}

/// Text that `LIKE` takes letter by letter.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

fn read(row: &SqliteRow) -> Result<Found, StoreError> {
    use sqlx::Row;
    let charge = charge(row)?;
    let claim = |column: &'static str| -> Result<Option<ClaimState>, StoreError> {
        let text: Option<String> = row.try_get(column)?;
        text.map(|text| ClaimState::parse(&text).ok_or(StoreError::Damaged("claim state")))
            .transpose()
    };
    let payment = |column: &'static str| -> Result<Option<PaymentId>, StoreError> {
        let text: Option<String> = row.try_get(column)?;
        text.map(|text| text.parse().map_err(|_| StoreError::Damaged(column))).transpose()
    };
    let back = |mode: &str| -> Result<Option<Returned>, StoreError> {
        let at_ms: Option<i64> = row.try_get(format!("{mode}_at_ms_back").as_str())?;
        let state: Option<String> = row.try_get(format!("{mode}_state_back").as_str())?;
        let payment: Option<String> = row.try_get(format!("{mode}_payment_back").as_str())?;
        let Some((payment, at_ms)) = payment.zip(at_ms) else { return Ok(None) };
        let payment = payment.parse().map_err(|_| StoreError::Damaged("payment"))?;
        let by_bank = state.as_deref() == Some(PaymentState::Disputed.as_str());
        Ok(Some(Returned { payment, at_ms, by_bank }))
    };
    let withdrawn = !charge.withdrawn.is_empty();
    let state = |claim: Option<ClaimState>| match claim {
        _ if withdrawn => ChargeState::Withdrawn,
        Some(ClaimState::Settled) => ChargeState::Settled,
        Some(ClaimState::Holding) => ChargeState::BeingPaid,
        Some(ClaimState::Waiting | ClaimState::Released) | None => ChargeState::Open,
    };
    Ok(Found {
        test: state(claim("test_state")?),
        live: state(claim("live_state")?),
        test_payment: payment("test_payment")?,
        live_payment: payment("live_payment")?,
        test_returned: back("test")?,
        test_lost: row.try_get::<i64, _>("test_lost")? != 0,
        live_lost: row.try_get::<i64, _>("live_lost")? != 0,
        live_returned: back("live")?,
        charge,
    })
}
