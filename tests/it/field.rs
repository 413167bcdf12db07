//! A handheld whose folder and keys a test can take away.

use crate::radio::{Air, Radio};
use crate::world::{World, tenant};
use holdfast_domain::{PaymentState, Secret};
use holdfast_gateway::admin;
use holdfast_handheld::software::{SoftwareKey, SoftwareVault};
use holdfast_handheld::{CartLine, Core, CoreConfig, CoreListener, PaymentView, Ports, Snapshot};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) struct Field {
    pub(crate) core: Core,
    pub(crate) radio: Radio,
    folder: Arc<TempDir>,
}

struct Deaf;

impl CoreListener for Deaf {
    fn on_change(&self, _revision: u64) {}
}

impl Field {
    /// Not enrolled anywhere.
    pub(crate) fn new() -> Self {
        Self::on(Arc::new(TempDir::new().expect("a folder")), 8)
    }

    /// Enrolled and configured.
    pub(crate) async fn enrolled(world: &World) -> Self {
        let field = Self::new();
        field.enrol(world).await;
        field
    }

    pub(crate) async fn enrol(&self, world: &World) {
        let code = admin::handheld_code(world.data(), &tenant(), None, true).await.expect("a code");
        self.core.enrol(code.link).await.expect("enrolled");
        self.core.refresh().await.expect("configured");
    }

    fn on(folder: Arc<TempDir>, vault: u8) -> Self {
        Self::with_keys(folder, vault, 7)
    }

    fn with_keys(folder: Arc<TempDir>, vault: u8, key: u8) -> Self {
        let ports = Ports {
            device_key: Arc::new(SoftwareKey::from_bytes(&Secret::new([key; 32])).expect("a key")),
            vault: Arc::new(SoftwareVault::new(&Secret::new([vault; 32]))),
            listener: Arc::new(Deaf),
        };
        let config = CoreConfig {
            data_dir: folder.path().to_string_lossy().into_owned(),
            locale: "en-US".to_owned(),
            app_version: "test".to_owned(),
        };
        let radio = Radio::new(Air::Clear);
        let core = Core::open_with_network(config, ports, Arc::new(radio.clone())).expect("opened");
        Self { core, radio, folder }
    }

    /// Switched off, its file changed, and switched on again with this vault.
    pub(crate) fn restarted(self, vault: u8, change: impl FnOnce(&Path)) -> Self {
        let Self { core, folder, .. } = self;
        core.close();
        drop(core);
        change(&folder.path().join("holdfast.redb"));
        Self::on(folder, vault)
    }

    /// Switched off and on again; the system has made another device key meanwhile.
    pub(crate) fn with_another_key(self) -> Self {
        let Self { core, folder, .. } = self;
        core.close();
        drop(core);
        Self::with_keys(folder, 8, 6)
    }

    /// A copy of the file as it is on disk, for later.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("holdfast.redb")
    }

    pub(crate) async fn hold(&self) -> PaymentView {
        let cart = vec![CartLine { item_id: 1, quantity: 2 }];
        let id = self.core.open_summary(cart).await.expect("a draft").payment_id;
        self.core.choose_method(id.clone(), "STRIPE".to_owned()).await.expect("a method");
        self.core.hold(id).await.expect("held")
    }

    pub(crate) fn payment(&self, id: &str) -> PaymentView {
        self.core.payment(id).expect("the payment is known")
    }

    pub(crate) async fn until(&self, id: &str, state: PaymentState) -> PaymentView {
        self.until_that(|_| self.core.payment(id).is_some_and(|it| it.state == state)).await;
        self.payment(id)
    }

    pub(crate) async fn until_that(&self, wished: impl Fn(&Snapshot) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            let snapshot = self.core.snapshot();
            if wished(&snapshot) {
                return;
            }
            assert!(Instant::now() < end, "{snapshot:#?}");
            tokio::time::sleep(LOOK).await;
        }
    }
}
