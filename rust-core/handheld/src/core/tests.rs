//! The facade on real threads and real files, with a network that the test decides about.

use super::*;
use crate::engine::tests::fixture;
use crate::engine::tests::gateway::{Gateway, json};
use crate::engine::{Request, Response, TransportFault};
use crate::net::Exchange;
use crate::port::{CoreListener, DeviceKey, DeviceKeyError};
use crate::software::{SoftwareKey, SoftwareVault};
use crate::view::LinkState;
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::{PaymentState, Secret};
use holdfast_protocol::enrolment::six_digits;
use holdfast_protocol::wire::{EnrolResponse, Officer, WIRE_VERSION};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

const LINK: &str = "https://gateway.example/e/demo/AB12-CD34";
/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway behind a network that can be down, or panic.
struct World {
    gateway: Mutex<Gateway>,
    is_down: AtomicBool,
    panics: AtomicBool,
}

impl World {
    fn new() -> Arc<Self> {
        let (is_down, panics) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { gateway: Mutex::new(Gateway::new()), is_down, panics })
    }

    fn answer(&self, request: &Request) -> Result<Response, TransportFault> {
        assert!(!self.panics.load(Ordering::SeqCst), "a bug in the network");
        if self.is_down.load(Ordering::SeqCst) {
            return Err(TransportFault::Unreachable);
        }
        if request.url.ends_with("/enrol") {
            return Ok(json(200, &enrol_response()));
        }
        Ok(locked(&self.gateway).answer(request))
    }
}

impl Network for World {
    fn exchange(&self, request: Request) -> Exchange {
        let answer = self.answer(&request);
        Box::pin(async move { answer })
    }
}

fn enrol_response() -> EnrolResponse {
    let enrolment = fixture::enrolment();
    EnrolResponse {
        version: WIRE_VERSION,
        gateway: enrolment.gateway,
        gateway_public_key: BASE64URL_NOPAD.encode(&enrolment.gateway_public_key),
        public_url: enrolment.public_url,
        organisation: enrolment.organisation,
        tenant: enrolment.tenant,
        device: enrolment.device,
        officer: Officer { id: enrolment.officer, name: enrolment.officer_name },
        confirm_secret: BASE64URL_NOPAD.encode(&[5; 32]),
        copy_key: None,
        ca: None,
        six_digits: six_digits(&fixture::public_key()),
        approved: true,
    }
}

#[derive(Default)]
struct Listener {
    revision: AtomicU64,
    panics: bool,
}

impl CoreListener for Listener {
    fn on_change(&self, revision: u64) {
        self.revision.store(revision, Ordering::SeqCst);
        assert!(!self.panics, "a bug in a screen");
    }
}

fn ports() -> Ports {
    Ports {
        device_key: Arc::new(SoftwareKey::from_bytes(&Secret::new([7; 32])).unwrap()),
        vault: Arc::new(SoftwareVault::new(&Secret::new([3; 32]))),
        listener: Arc::new(Listener::default()),
    }
}

fn config(dir: &Path) -> CoreConfig {
    let data_dir = dir.to_str().unwrap().to_owned();
    CoreConfig { data_dir, locale: "en-US".to_owned(), app_version: "0.1.0".to_owned() }
}

fn open(dir: &Path, ports: Ports, world: &Arc<World>) -> Result<Core, OpenError> {
    Core::open_with_network(config(dir), ports, world.clone())
}

/// Waits until the snapshot is as wished, or fails with what it was.
fn wait(core: &Core, wished: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let end = Instant::now() + PATIENCE;
    loop {
        let snapshot = core.snapshot();
        if wished(&snapshot) {
            return snapshot;
        }
        assert!(Instant::now() < end, "{snapshot:#?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

async fn enrolled(core: &Core) {
    core.enrol(LINK.to_owned()).await.unwrap();
    wait(core, |snapshot| !snapshot.payment_types.is_empty());
}

async fn draft(core: &Core) -> String {
    let view = core.open_summary(vec![CartLine { item_id: 1, quantity: 2 }]).await.unwrap();
    core.choose_method(view.payment_id.clone(), "STRIPE".to_owned()).await.unwrap();
    view.payment_id
}

fn state(core: &Core, payment_id: &str) -> PaymentState {
    core.payment(payment_id).unwrap().state
}

#[tokio::test]
async fn from_the_link_to_the_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new();
    let listener = Arc::new(Listener::default());
    let core = open(dir.path(), Ports { listener: listener.clone(), ..ports() }, &world).unwrap();
    enrolled(&core).await;
    let payment_id = draft(&core).await;
    let held = core.hold(payment_id.clone()).await.unwrap();
    assert!(held.pay_address.is_some());
    wait(&core, |_| state(&core, &payment_id) == PaymentState::Sent);
    let id = PaymentId::parse(&payment_id).unwrap();
    locked(&world.gateway).move_on(id, PaymentState::Paid);
    let snapshot = wait(&core, |_| state(&core, &payment_id) == PaymentState::Paid);
    assert_eq!(snapshot.link, LinkState::Online);
    assert!(core.payment(&payment_id).unwrap().confirm_code.is_some());
    wait(&core, |snapshot| listener.revision.load(Ordering::SeqCst) == snapshot.revision);
}

#[tokio::test]
async fn offline_the_hold_works_and_after_a_restart_it_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new();
    let core = open(dir.path(), ports(), &world).unwrap();
    enrolled(&core).await;
    world.is_down.store(true, Ordering::SeqCst);
    let payment_id = draft(&core).await;
    let held = core.hold(payment_id.clone()).await.unwrap();
    assert_eq!(core.hold(payment_id.clone()).await.unwrap().pay_address, held.pay_address);
    wait(&core, |snapshot| snapshot.link == LinkState::Offline);
    core.close();
    assert_eq!(core.hold(payment_id.clone()).await, Err(HoldError::Closed));
    assert_eq!(state(&core, &payment_id), PaymentState::Queued, "a closed core can still be read");

    world.is_down.store(false, Ordering::SeqCst);
    let core = open(dir.path(), ports(), &world).unwrap();
    assert_eq!(core.payment(&payment_id).unwrap().pay_address, held.pay_address);
    wait(&core, |_| state(&core, &payment_id) == PaymentState::Sent);
    assert_eq!(locked(&world.gateway).accepted.len(), 1);
}

/// A key that signs orders only when the test lets it.
struct SlowKey {
    key: SoftwareKey,
    asked: mpsc::Sender<()>,
    go: Mutex<mpsc::Receiver<()>>,
}

impl DeviceKey for SlowKey {
    fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError> {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, DeviceKeyError> {
        if message.windows(14).any(|part| part == b"holdfast/order") {
            self.asked.send(()).unwrap();
            locked(&self.go).recv_timeout(PATIENCE).unwrap();
        }
        self.key.sign(message)
    }
}

#[tokio::test]
async fn a_hold_is_finished_although_nobody_waits_for_it_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new();
    let key = SoftwareKey::from_bytes(&Secret::new([7; 32])).unwrap();
    let ((asked, was_asked), (let_go, go)) = (mpsc::channel(), mpsc::channel());
    let device_key = Arc::new(SlowKey { key, asked, go: Mutex::new(go) });
    let core = open(dir.path(), Ports { device_key, ..ports() }, &world).unwrap();
    enrolled(&core).await;
    let payment_id = draft(&core).await;
    {
        // As UniFFI does when the Kotlin coroutine is cancelled: polled once, then dropped.
        let mut hold = pin!(core.hold(payment_id.clone()));
        assert!(hold.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        was_asked.recv_timeout(PATIENCE).unwrap();
    }
    assert_eq!(state(&core, &payment_id), PaymentState::Draft);
    let_go.send(()).unwrap();
    wait(&core, |_| state(&core, &payment_id) == PaymentState::Sent);
    assert!(core.hold(payment_id).await.is_ok(), "asking again gives the same answer");
}

#[tokio::test]
async fn a_folder_has_one_core_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new();
    let first = open(dir.path(), ports(), &world).unwrap();
    let second = open(dir.path(), ports(), &world).map(|_| ());
    assert_eq!(second, Err(OpenError::AlreadyOpen));
    first.close();
    first.close();
    let third = open(dir.path(), ports(), &world).unwrap();
    drop(third);
    assert!(open(dir.path(), ports(), &world).is_ok(), "dropping closes too");
}

#[tokio::test]
async fn bugs_around_the_core_stop_neither_the_hold_nor_its_delivery() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new();
    let listener = Arc::new(Listener { panics: true, ..Listener::default() });
    let core = open(dir.path(), Ports { listener, ..ports() }, &world).unwrap();
    enrolled(&core).await;
    world.panics.store(true, Ordering::SeqCst);
    let payment_id = draft(&core).await;
    core.hold(payment_id.clone()).await.unwrap();
    wait(&core, |snapshot| snapshot.link == LinkState::Offline);
    world.panics.store(false, Ordering::SeqCst);
    core.refresh().await.unwrap();
    assert_eq!(state(&core, &payment_id), PaymentState::Sent);
}

#[tokio::test]
async fn what_is_no_id_or_link_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let core = open(dir.path(), ports(), &World::new()).unwrap();
    assert_eq!(core.enrol("hello".to_owned()).await, Err(EnrolError::LinkInvalid));
    assert_eq!(core.refresh().await, Err(RefreshError::NotEnrolled));
    assert_eq!(core.hold("../..".to_owned()).await, Err(HoldError::NotFound));
    assert_eq!(core.payment("../.."), None);
    let id = fixture::payment_id(1).to_string();
    let refused = MethodError::UnknownMethod { code: "stripe".to_owned() };
    assert_eq!(core.choose_method(id.clone(), "stripe".to_owned()).await, Err(refused));
    assert_eq!(core.discard_draft(id).await, Err(SummaryError::NotFound));
}

/// Names the folder in which the child of the next test holds a payment.
const CHILD_DIR: &str = "HOLDFAST_TEST_CHILD_DIR";

/// Not a test by itself: the process that is killed. It holds, and dies the moment that is said.
#[tokio::test]
async fn child_that_holds_and_dies() {
    let Ok(dir) = std::env::var(CHILD_DIR) else {
        return;
    };
    let world = World::new();
    let core = open(Path::new(&dir), ports(), &world).unwrap();
    enrolled(&core).await;
    world.is_down.store(true, Ordering::SeqCst);
    let payment_id = draft(&core).await;
    core.hold(payment_id).await.unwrap();
    std::process::abort();
}

#[tokio::test]
async fn a_process_killed_right_after_the_hold_has_lost_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "core::tests::child_that_holds_and_dies"])
        .env(CHILD_DIR, dir.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!child.success(), "it was to die");
    let world = World::new();
    let core = open(dir.path(), ports(), &world).unwrap();
    let snapshot = core.snapshot();
    let [payment] = snapshot.payments.as_slice() else {
        panic!("{snapshot:#?}");
    };
    let payment_id = payment.payment_id.clone();
    wait(&core, |_| state(&core, &payment_id) == PaymentState::Sent);
    assert_eq!(locked(&world.gateway).submissions.len(), 1);
}
