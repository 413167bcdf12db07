//! What the device core costs: sealing, a hold, and a folder of 10,000 queued orders.
//!
//! Each figure stands beside its target; a ratio is taken within one run on one disk, so that it
//! means the same on every machine. The exit status is 1 if a target is missed.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use holdfast_domain::{
    Cart, Catalogue, CatalogueItem, Currency, DeviceId, GatewayId, Mode, Money, OfficerId,
    OrderLine, PaymentId, Secret, TenantSlug,
};
use holdfast_handheld::engine::{
    Counters, Delivery, Enrolment, Held, HeldMoment, Payment, Record, Request, Write,
};
use holdfast_handheld::net::{Exchange, Network};
use holdfast_handheld::software::{SoftwareKey, SoftwareVault};
use holdfast_handheld::store::seal::Sealer;
use holdfast_handheld::store::{RecordStore, SealedStore};
use holdfast_handheld::{Core, CoreConfig, CoreListener, DeviceKey, Ports};
use holdfast_protocol::wire::{PaymentTypeOffer, Provider};
use holdfast_protocol::{DevicePublicKey, DeviceSignature, OrderPayload, SignedOrder, sealed_copy};
use std::fs::File;
use std::io::{Seek, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ORDERS: u64 = 10_000;
const ROUNDS: u64 = 300;
const SEAL_US_MAX: u128 = 20;
const OPEN_MS_MAX: u128 = 200;
const RESIDENT_KIB_MAX: u64 = 20 * 1024;
/// Hold to durable, as a multiple of a raw write and sync; times ten, to stay with whole numbers.
const HOLD_TENTHS_MAX: u128 = 25;

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some("--open"), Some(folder)) => open_and_tell(Path::new(&folder)),
        _ => measure(),
    }
}

fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    let orders = Orders::new()?;
    let seal_us = seal_us(&orders)?;
    let (raw_us, hold_us) = hold_us(folder.path(), &orders)?;
    let full = folder.path().join("full");
    fill(&full, &orders)?;
    let (raw_full_us, hold_full_us) = hold_on_full_us(&full, folder.path(), &orders)?;
    let (open_ms, resident_kib) = opened_elsewhere(&full)?;
    let tenths = |hold: u128, raw: u128| hold * 10 / raw.max(1);
    let ratio = tenths(hold_us, raw_us);
    let ratio_full = tenths(hold_full_us, raw_full_us);
    let tell = |what: &str, figure: String, good: bool| {
        println!("{:<44} {figure:<34} {}", what, if good { "ok" } else { "MISSED" });
        good
    };
    let shown = |ratio: u128| format!("{}.{} x", ratio / 10, ratio % 10);
    let good = [
        tell("sealing a record (< 20 us)", format!("{seal_us} us"), seal_us < SEAL_US_MAX),
        tell(
            "hold to durable / raw fdatasync (<= 2.5 x)",
            format!("{hold_us} us / {raw_us} us = {}", shown(ratio)),
            ratio <= HOLD_TENTHS_MAX,
        ),
        tell(
            "the same beside 10,000 orders (<= 2.5 x)",
            format!("{hold_full_us} us / {raw_full_us} us = {}", shown(ratio_full)),
            ratio_full <= HOLD_TENTHS_MAX,
        ),
        tell("10,000 orders: open (< 200 ms)", format!("{open_ms} ms"), open_ms < OPEN_MS_MAX),
        tell(
            "10,000 orders: resident (< 20 MiB)",
            format!("{resident_kib} KiB"),
            resident_kib < RESIDENT_KIB_MAX,
        ),
    ];
    if good.contains(&false) { Err("a target is missed".into()) } else { Ok(()) }
}

/// Makes payments as a hold leaves them.
struct Orders {
    key: SoftwareKey,
    enrolment: Enrolment,
    cart: Cart,
}

impl Orders {
    fn new() -> Outcome<Self> {
        let key = SoftwareKey::from_bytes(&Secret::new([7; 32]))?;
        let public = DevicePublicKey::from_spki_der(&key.public_key()?)?;
        let copy_key = sealed_copy::public_half(&Secret::new([6; 32]))?;
        let item = |id, name: &str| CatalogueItem {
            id,
            name: name.to_owned(),
            price: Money::new(1_250, Currency::USD),
        };
        let items = vec![item(1, "Parking over time"), item(2, "Clamp release")];
        let catalogue = Catalogue { version: 1, currency: Currency::USD, items };
        let lines = (1..=2).map(|item| OrderLine::Item { item, quantity: 1 }).collect();
        let enrolment = Enrolment {
            gateway_url: "https://gateway.example".to_owned(),
            public_url: "https://pay.example".to_owned(),
            tenant: TenantSlug::parse("demo")?,
            gateway: GatewayId::from_bytes([1; 8]),
            gateway_public_key: public.to_sec1().to_vec(),
            device: DeviceId::from_bytes([2; 8]),
            public_key: public.to_sec1().to_vec(),
            officer: OfficerId(1),
            officer_name: "Officer".to_owned(),
            organisation: "City of Hill".to_owned(),
            approved: true,
            confirm_secret: Secret::new([5; 32]),
            copy_key: Some(*copy_key.as_bytes()),
            ca: None,
        };
        Ok(Self { key, enrolment, cart: Cart::price(&catalogue, lines)? })
    }

    fn payment(&self, sequence: u64) -> Outcome<Payment> {
        let bits = sequence.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
        let mut random = [0; 10];
        random.iter_mut().zip(bits).for_each(|(place, bits)| *place = bits);
        let payment = PaymentId::mint(1_790_000_000_000 + sequence, &random);
        let payload = OrderPayload {
            gateway: self.enrolment.gateway,
            tenant: self.enrolment.tenant.clone(),
            mode: Mode::Test,
            device: self.enrolment.device,
            sequence,
            payment,
            officer: self.enrolment.officer,
            payment_type: "STRIPE".parse()?,
            catalogue_version: 1,
            lines: self.cart.lines.clone(),
            total: self.cart.total,
            held_at_unix_s: 1_790_000_000,
            lifetime_s: 604_800,
        };
        let signature = DeviceSignature::from_der(&self.key.sign(&payload.to_be_signed())?)?;
        let held = Held {
            order: SignedOrder::assemble(payload, signature).to_bytes(),
            sequence,
            device: self.enrolment.device,
            held_at_ms: 1_790_000_000_000,
            route: self.enrolment.route().into(),
            delivery: Delivery::Queued,
            status: None,
            moment: HeldMoment::default(),
            told: true,
            imported: false,
            epoch: 0,
            acknowledged_at_unix_s: None,
            proof: None,
            wrong_codes: 0,
        };
        let method = PaymentTypeOffer {
            code: "STRIPE".parse()?,
            name: "Online Payment".to_owned(),
            provider: Provider::Stripe,
            mode: Mode::Test,
            currency: Currency::USD,
        };
        Ok(Payment {
            payment,
            revision: 2,
            drafted_at_ms: 1_790_000_000_000,
            cart: self.cart.clone(),
            method: Some(method.into()),
            held: Some(held),
        })
    }

    /// What one hold commits.
    fn hold(&self, sequence: u64) -> Outcome<[Write; 2]> {
        let counters = Counters::new(self.enrolment.device);
        let counters = Counters { next_sequence: sequence + 1, ..counters };
        Ok([Write::payment(self.payment(sequence)?), Write::Put(Record::Counters(counters))])
    }
}

fn vault() -> SoftwareVault {
    SoftwareVault::new(&Secret::new([8; 32]))
}

fn median(mut times: Vec<Duration>) -> u128 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0, Duration::as_micros)
}

/// A record's bytes, as long as a payment's are.
fn seal_us(orders: &Orders) -> Outcome<u128> {
    let sealer = Sealer::new(&Secret::new([3; 32]), [1; 16]);
    let plain = serde_json::to_vec(&orders.payment(1)?)?;
    let mut times = Vec::new();
    for version in 0..ROUNDS * 10 {
        let start = Instant::now();
        let sealed = sealer.seal(b"payment", version, &plain).map_err(|_| "not sealed")?;
        times.push(start.elapsed());
        std::hint::black_box(sealed);
    }
    Ok(median(times))
}

/// A raw write of 4 KiB with its sync, and a hold, in turns.
fn hold_us(folder: &Path, orders: &Orders) -> Outcome<(u128, u128)> {
    let mut store = SealedStore::open(&folder.join("empty"), &vault())?;
    store.load().map_err(|_| "not loaded")?;
    store.commit(&[Write::enrolment(orders.enrolment.clone())]).map_err(|_| "not stored")?;
    in_turns(&mut store, folder, orders, 1)
}

fn hold_on_full_us(full: &Path, folder: &Path, orders: &Orders) -> Outcome<(u128, u128)> {
    let mut store = SealedStore::open(full, &vault())?;
    store.load().map_err(|_| "not loaded")?;
    // The same orders once more, so that the number of them stays.
    in_turns(&mut store, folder, orders, 1)
}

fn in_turns(
    store: &mut SealedStore,
    folder: &Path,
    orders: &Orders,
    first: u64,
) -> Outcome<(u128, u128)> {
    let mut raw = File::create(folder.join("raw"))?;
    raw.write_all(&[0; 4096])?;
    raw.sync_all()?;
    let (mut raw_times, mut hold_times) = (Vec::new(), Vec::new());
    for sequence in first..first + ROUNDS {
        let writes = orders.hold(sequence)?;
        let start = Instant::now();
        raw.rewind()?;
        raw.write_all(&[u8::try_from(sequence % 251)?; 4096])?;
        raw.sync_data()?;
        raw_times.push(start.elapsed());
        let start = Instant::now();
        store.commit(&writes).map_err(|_| "not stored")?;
        hold_times.push(start.elapsed());
    }
    Ok((median(raw_times), median(hold_times)))
}

fn fill(folder: &Path, orders: &Orders) -> Outcome<()> {
    let mut store = SealedStore::open(folder, &vault())?;
    store.load().map_err(|_| "not loaded")?;
    let mut writes = vec![Write::enrolment(orders.enrolment.clone())];
    for sequence in 1..=ORDERS {
        writes.extend(orders.hold(sequence)?);
        if sequence % 500 == 0 {
            store.commit(&writes).map_err(|_| "not stored")?;
            writes.clear();
        }
    }
    Ok(())
}

/// Opened in a process of its own: what is resident there is the core's alone.
fn opened_elsewhere(folder: &Path) -> Outcome<(u128, u64)> {
    let output = Command::new(std::env::current_exe()?).arg("--open").arg(folder).output()?;
    let told = String::from_utf8(output.stdout)?;
    let mut figures = told.split_whitespace();
    let mut next = || figures.next().ok_or("the child said nothing");
    Ok((next()?.parse()?, next()?.parse()?))
}

fn open_and_tell(folder: &Path) -> Outcome<()> {
    let ports = Ports {
        device_key: Arc::new(SoftwareKey::from_bytes(&Secret::new([7; 32]))?),
        vault: Arc::new(vault()),
        listener: Arc::new(Deaf),
    };
    let config = CoreConfig {
        data_dir: folder.to_string_lossy().into_owned(),
        locale: "en-US".to_owned(),
        app_version: "bench".to_owned(),
    };
    let start = Instant::now();
    let core = Core::open_with_network(config, ports, Arc::new(Silent))?;
    let queued = core.snapshot().queued;
    let open_ms = start.elapsed().as_millis();
    if u64::from(queued) != ORDERS {
        return Err(format!("{queued} orders are queued").into());
    }
    println!("{open_ms} {}", resident_kib()?);
    core.close();
    Ok(())
}

fn resident_kib() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
    Ok(figure.parse()?)
}

struct Deaf;

impl CoreListener for Deaf {
    fn on_change(&self, _revision: u64) {}
}

/// A network that never answers.
struct Silent;

impl Network for Silent {
    fn exchange(&self, _request: Request) -> Exchange {
        Box::pin(std::future::pending())
    }
}
