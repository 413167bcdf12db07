//! Handhelds: the codes that enrol them, what is known of each, and who uses them.

use crate::core::{Core, FolderError};
use crate::store::{StoreError, rows};
use crate::tokens::{self, Kind};
use crate::vault::Place;
use crate::world::random;
use holdfast_domain::{DeviceId, OfficerId, Secret, ShortCode, TenantSlug};
use holdfast_ledger::DeviceStatus;
use holdfast_protocol::confirm::CONFIRM_SECRET_BYTES;
use holdfast_protocol::continuity::{CONTINUED_MAX, is_proof};
use holdfast_protocol::enrolment::{ENROLMENT_CODE_TTL_S, six_digits};
use holdfast_protocol::{CaPin, DevicePublicKey, EnrolmentLink};
use sqlx::query;
use sqlx::sqlite::SqliteRow;

/// Handhelds listed at the most, newest first.
const HANDHELDS_SHOWN_MAX: i64 = 500;

/// A member of staff.
#[derive(Debug, Clone)]
pub(crate) struct Officer {
    pub(crate) id: OfficerId,
    pub(crate) name: String,
}

/// An enrolled handheld.
#[derive(Debug, Clone)]
pub(crate) struct Handheld {
    pub(crate) device: DeviceId,
    pub(crate) name: String,
    pub(crate) public_key: DevicePublicKey,
    pub(crate) six_digits: String,
    pub(crate) status: DeviceStatus,
    pub(crate) officer: Officer,
    pub(crate) enrolled_at_ms: i64,
}

/// A code that was just made. It is shown once; only its hash is kept.
pub(crate) struct NewCode {
    pub(crate) link: EnrolmentLink,
    pub(crate) expires_in_s: u64,
}

/// A handheld that asks to be enrolled, its proof already checked.
pub(crate) struct Applicant {
    pub(crate) code: ShortCode,
    pub(crate) name: String,
    pub(crate) public_key: DevicePublicKey,
    /// Which handhelds it says it was, with its proofs.
    pub(crate) continues: Vec<(DeviceId, Vec<u8>)>,
}

/// What enrolment gives a handheld.
pub(crate) struct Enrolled {
    pub(crate) handheld: Handheld,
    pub(crate) confirm_secret: Secret<[u8; CONFIRM_SECRET_BYTES]>,
}

pub(crate) async fn officers(core: &Core, tenant: &TenantSlug) -> Result<Vec<Officer>, StoreError> {
    let sql = query(
        "SELECT officer, name AS officer_name FROM officers WHERE tenant = ? ORDER BY officer",
    );
    let found = sql.bind(tenant.as_str()).fetch_all(&core.store.reads).await?;
    found.iter().map(officer_of).collect()
}

pub(crate) async fn new_code(
    core: &Core,
    tenant: &TenantSlug,
    officer: OfficerId,
    approved: bool,
    base_url: &str,
) -> Result<NewCode, FolderError> {
    let code = ShortCode::from_bits(random(core.world.as_ref()).map_err(StoreError::Entropy)?);
    let hash = code_hash(core, tenant, code).await?;
    let now_ms = core.now_ms();
    let ttl_ms = i64::try_from(ENROLMENT_CODE_TTL_S).unwrap_or(0).saturating_mul(1000);
    let slug = tenant.clone();
    let insert = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let old = query("DELETE FROM enrolment_codes WHERE expires_at_ms <= ?").bind(now_ms);
            old.execute(&mut tx.connection).await?;
            let sql = query(
                "INSERT INTO enrolment_codes (code_hash, tenant, officer, approved, \
                 expires_at_ms, device) VALUES (?, ?, ?, ?, ?, '')",
            );
            let sql = sql.bind(hash).bind(slug.as_str()).bind(i64::from(officer.0));
            let sql = sql.bind(i64::from(approved)).bind(now_ms.saturating_add(ttl_ms));
            sql.execute(&mut tx.connection).await?;
            Ok::<_, StoreError>(())
        })
    });
    insert.await?;
    let gateway_url = base_url.to_owned();
    let ca = core.installation().await?.ca_certificate;
    let ca = ca.filter(|_| gateway_url.starts_with("https://")).map(|ca| CaPin::of(&ca));
    let link = EnrolmentLink { gateway_url, tenant: tenant.clone(), code, ca };
    Ok(NewCode { link, expires_in_s: ENROLMENT_CODE_TTL_S })
}

/// What is kept of a code. It has only 40 bits, so a hash alone could be tried out by whoever has a
/// copy of the database; this one needs the gateway's secret as well.
async fn code_hash(
    core: &Core,
    tenant: &TenantSlug,
    code: ShortCode,
) -> Result<Vec<u8>, FolderError> {
    let secret = crate::admin::token_secret(core).await?;
    let plain = tokens::hash(Kind::EnrolmentCode, &format!("{tenant}/{}", code.compact()));
    Ok(tokens::mac(secret.expose(), &[b"enrolment-code", &plain]).to_vec())
}

/// Enrols an applicant, if its code is good. The same handheld with the same code gets the same
/// answer again: the first one may have been lost on the way.
pub(crate) async fn enrol(
    core: &Core,
    tenant: &TenantSlug,
    applicant: Applicant,
) -> Result<Option<Enrolled>, FolderError> {
    let world = core.world.as_ref();
    let device = DeviceId::from_bytes(random(world).map_err(StoreError::Entropy)?);
    let secret = random::<CONFIRM_SECRET_BYTES>(world).map_err(StoreError::Entropy)?;
    let secret = Secret::new(secret);
    let row = device.to_string();
    let sealed = core.seal(confirm_place(tenant, &row), secret.expose()).await?;
    let known_key = applicant.public_key.clone();
    let earlier = proved(core, tenant, &applicant).await?;
    let claim = Claim {
        tenant: tenant.clone(),
        code_hash: code_hash(core, tenant, applicant.code).await?,
        now_ms: core.now_ms(),
        device,
        applicant,
        earlier,
        sealed,
    };
    let claimed =
        core.store.writer.run(move |tx| Box::pin(claim.write(&mut tx.connection))).await?;
    let Some(device) = claimed else { return Ok(None) };
    let found = handheld(core, tenant, device).await?.filter(|it| it.public_key == known_key);
    let Some(handheld) = found else { return Ok(None) };
    let confirm_secret = confirm_secret(core, tenant, device).await?;
    Ok(confirm_secret.map(|confirm_secret| Enrolled { handheld, confirm_secret }))
}

/// The handhelds of this tenant that the applicant has proved to have been.
async fn proved(
    core: &Core,
    tenant: &TenantSlug,
    applicant: &Applicant,
) -> Result<Vec<DeviceId>, FolderError> {
    let mut proved = Vec::new();
    for (earlier, proof) in applicant.continues.iter().take(CONTINUED_MAX) {
        let secret = confirm_secret(core, tenant, *earlier).await?;
        let key = &applicant.public_key;
        if secret.is_some_and(|secret| is_proof(proof, &secret, tenant, *earlier, key)) {
            proved.push(*earlier);
        }
    }
    Ok(proved)
}

/// Which handheld was which before, for the list.
pub(crate) async fn continuity(
    core: &Core,
    tenant: &TenantSlug,
) -> Result<Vec<(DeviceId, DeviceId)>, StoreError> {
    let sql = query("SELECT device, earlier FROM device_continuity WHERE tenant = ?");
    let found = sql.bind(tenant.as_str()).fetch_all(&core.store.reads).await?;
    let pair = |row: &SqliteRow| Ok((rows::device_id(row)?, rows::parsed(row, "earlier")?));
    found.iter().map(pair).collect()
}

/// One try to use a code.
struct Claim {
    tenant: TenantSlug,
    code_hash: Vec<u8>,
    now_ms: i64,
    device: DeviceId,
    applicant: Applicant,
    earlier: Vec<DeviceId>,
    sealed: Vec<u8>,
}

impl Claim {
    /// The handheld that the code belongs to now; none if the code is not good.
    async fn write(
        self,
        connection: &mut sqlx::SqliteConnection,
    ) -> Result<Option<DeviceId>, StoreError> {
        let sql = query(
            "SELECT officer, approved, device FROM enrolment_codes WHERE code_hash = ? \
             AND tenant = ? AND expires_at_ms > ?",
        );
        let sql = sql.bind(&self.code_hash).bind(self.tenant.as_str()).bind(self.now_ms);
        let Some(code) = sql.fetch_optional(&mut *connection).await? else { return Ok(None) };
        if let Some(used_by) = rows::some(rows::text(&code, "device")?) {
            return Ok(Some(used_by.parse().map_err(|_| StoreError::Damaged("device"))?));
        }
        let approved = rows::number(&code, "approved")? == 1;
        let status = if approved { DeviceStatus::Approved } else { DeviceStatus::Pending };
        let insert = query(
            "INSERT INTO devices (tenant, device, name, public_key, status, officer, \
             confirm_secret_sealed, enrolled_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        );
        let insert = insert
            .bind(self.tenant.as_str())
            .bind(self.device.to_string())
            .bind(self.applicant.name)
            .bind(self.applicant.public_key.to_sec1().to_vec())
            .bind(rows::device_status_text(status))
            .bind(rows::number(&code, "officer")?)
            .bind(self.sealed)
            .bind(self.now_ms);
        insert.execute(&mut *connection).await?;
        for earlier in self.earlier {
            let insert = query(
                "INSERT INTO device_continuity (tenant, device, earlier) VALUES (?, ?, ?) \
                 ON CONFLICT (tenant, device, earlier) DO NOTHING",
            );
            let insert = insert.bind(self.tenant.as_str()).bind(self.device.to_string());
            insert.bind(earlier.to_string()).execute(&mut *connection).await?;
        }
        let used = query("UPDATE enrolment_codes SET device = ? WHERE code_hash = ?");
        let used = used.bind(self.device.to_string()).bind(self.code_hash);
        used.execute(connection).await?;
        Ok(Some(self.device))
    }
}

fn confirm_place<'a>(tenant: &'a TenantSlug, row: &'a str) -> Place<'a> {
    Place { scope: tenant.as_str(), table: "devices", row, column: "confirm_secret" }
}

/// The key of a handheld's confirm codes.
pub(crate) async fn confirm_secret(
    core: &Core,
    tenant: &TenantSlug,
    device: DeviceId,
) -> Result<Option<Secret<[u8; CONFIRM_SECRET_BYTES]>>, FolderError> {
    let row_name = device.to_string();
    let sql = query("SELECT confirm_secret_sealed FROM devices WHERE tenant = ? AND device = ?");
    let sql = sql.bind(tenant.as_str()).bind(&row_name);
    let row = sql.fetch_optional(&core.store.reads).await.map_err(StoreError::Sql)?;
    let Some(row) = row else { return Ok(None) };
    let sealed = rows::bytes(&row, "confirm_secret_sealed")?;
    let plain = core.open_sealed(confirm_place(tenant, &row_name), &sealed).await?;
    let secret = plain.expose().as_slice().try_into();
    let secret = secret.map_err(|_| StoreError::Damaged("confirm_secret_sealed"))?;
    Ok(Some(Secret::new(secret)))
}

const HANDHELD: &str = "SELECT d.device, d.name, d.public_key, d.status, d.officer, \
     d.enrolled_at_ms, o.name AS officer_name FROM devices d JOIN officers o \
     ON o.tenant = d.tenant AND o.officer = d.officer WHERE d.tenant = ? AND d.device = ?";

pub(crate) async fn handheld(
    core: &Core,
    tenant: &TenantSlug,
    device: DeviceId,
) -> Result<Option<Handheld>, StoreError> {
    let sql = query(HANDHELD).bind(tenant.as_str()).bind(device.to_string());
    let row = sql.fetch_optional(&core.store.reads).await?;
    row.as_ref().map(handheld_of).transpose()
}

pub(crate) async fn all(core: &Core, tenant: &TenantSlug) -> Result<Vec<Handheld>, StoreError> {
    let sql = query(
        "SELECT d.device, d.name, d.public_key, d.status, d.officer, d.enrolled_at_ms, \
         o.name AS officer_name FROM devices d JOIN officers o ON o.tenant = d.tenant AND \
         o.officer = d.officer WHERE d.tenant = ? ORDER BY d.enrolled_at_ms DESC LIMIT ?",
    );
    let sql = sql.bind(tenant.as_str()).bind(HANDHELDS_SHOWN_MAX);
    let found = sql.fetch_all(&core.store.reads).await?;
    found.iter().map(handheld_of).collect()
}

/// Approves a pending handheld, if its key is still the one whose digits were compared. True if
/// it is approved now.
pub(crate) async fn approve(
    core: &Core,
    tenant: &TenantSlug,
    device: DeviceId,
    digits: &str,
) -> Result<bool, StoreError> {
    let found = handheld(core, tenant, device).await?;
    let Some(found) = found.filter(|it| it.six_digits == digits) else { return Ok(false) };
    let tenant = tenant.clone();
    let update = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql = query(
                "UPDATE devices SET status = 'approved' WHERE tenant = ? AND device = ? \
                 AND public_key = ? AND status <> 'revoked'",
            );
            let sql = sql.bind(tenant.as_str()).bind(device.to_string());
            let sql = sql.bind(found.public_key.to_sec1().to_vec());
            Ok::<_, StoreError>(sql.execute(&mut tx.connection).await?.rows_affected() > 0)
        })
    });
    update.await
}

/// Revokes a handheld for good: its new orders are refused, what was accepted stays. True if there
/// is such a handheld.
pub(crate) async fn revoke(
    core: &Core,
    tenant: &TenantSlug,
    device: DeviceId,
) -> Result<bool, StoreError> {
    let tenant = tenant.clone();
    let update = core.store.writer.run(move |tx| {
        Box::pin(async move {
            let sql =
                query("UPDATE devices SET status = 'revoked' WHERE tenant = ? AND device = ?");
            let sql = sql.bind(tenant.as_str()).bind(device.to_string());
            Ok::<_, StoreError>(sql.execute(&mut tx.connection).await?.rows_affected() > 0)
        })
    });
    update.await
}

fn officer_of(row: &SqliteRow) -> Result<Officer, StoreError> {
    let id = OfficerId(rows::small(row, "officer")?);
    Ok(Officer { id, name: rows::text(row, "officer_name")? })
}

fn handheld_of(row: &SqliteRow) -> Result<Handheld, StoreError> {
    let public_key = DevicePublicKey::from_sec1(&rows::bytes(row, "public_key")?)
        .map_err(|_| StoreError::Damaged("public_key"))?;
    Ok(Handheld {
        device: rows::device_id(row)?,
        name: rows::text(row, "name")?,
        six_digits: six_digits(&public_key),
        public_key,
        status: rows::device_status(row)?,
        officer: officer_of(row)?,
        enrolled_at_ms: rows::number(row, "enrolled_at_ms")?,
    })
}
