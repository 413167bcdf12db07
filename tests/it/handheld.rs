//! A handheld without screens.

use crate::radio::{Air, Radio};
use holdfast_domain::{PaymentState, Secret};
use holdfast_handheld::software::{SoftwareKey, SoftwareVault};
use holdfast_handheld::{CartLine, Core, CoreConfig, CoreListener, PaymentView, Ports};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Notify;

/// How long a state may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Handheld {
    pub(crate) core: Core,
    pub(crate) radio: Radio,
    changed: Arc<Notify>,
    folder: Arc<TempDir>,
}

struct Bell(Arc<Notify>);

impl CoreListener for Bell {
    fn on_change(&self, _revision: u64) {
        self.0.notify_one();
    }
}

impl Handheld {
    /// A new handheld, enrolled at the gateway of `link`.
    pub(crate) async fn enrolled(link: &str) -> Self {
        let handheld = Self::on(Arc::new(TempDir::new().expect("a folder")), Air::Clear);
        handheld.core.enrol(link.to_owned()).await.expect("enrolled");
        handheld.core.refresh().await.expect("configured");
        handheld
    }

    /// Pulls the plug and switches on again, in the given air.
    pub(crate) fn restarted(self, air: Air) -> Self {
        let folder = Arc::clone(&self.folder);
        drop(self);
        Self::on(folder, air)
    }

    fn on(folder: Arc<TempDir>, air: Air) -> Self {
        let changed = Arc::new(Notify::new());
        let ports = Ports {
            device_key: Arc::new(SoftwareKey::from_bytes(&Secret::new([7; 32])).expect("a key")),
            vault: Arc::new(SoftwareVault::new(&Secret::new([8; 32]))),
            listener: Arc::new(Bell(Arc::clone(&changed))),
        };
        let config = CoreConfig {
            data_dir: folder.path().to_string_lossy().into_owned(),
            locale: "en-US".to_owned(),
            app_version: "test".to_owned(),
        };
        let radio = Radio::new(air);
        let core = Core::open_with_network(config, ports, Arc::new(radio.clone())).expect("opened");
        Self { core, radio, changed, folder }
    }

    /// The network is back. What was on its way when it came back may still fail once.
    pub(crate) async fn reconnect(&self) {
        self.radio.set(Air::Clear);
        let refreshed = async { while self.core.refresh().await.is_err() {} };
        tokio::time::timeout(PATIENCE, refreshed).await.expect("refreshed");
    }

    /// Two of item 1: summary, method, hold.
    pub(crate) async fn hold(&self) -> PaymentView {
        let cart = vec![CartLine { item_id: 1, quantity: 2 }];
        let draft = self.core.open_summary(cart).await.expect("a draft");
        let id = draft.payment_id;
        self.core.choose_method(id.clone(), "STRIPE".to_owned()).await.expect("a method");
        self.core.hold(id).await.expect("held")
    }

    pub(crate) fn payment(&self, id: &str) -> PaymentView {
        self.core.payment(id).expect("the payment is known")
    }

    /// Waits until the payment is in a state, as its screen would.
    pub(crate) async fn until(&self, id: &str, state: PaymentState) -> PaymentView {
        let reached = async {
            loop {
                let payment = self.payment(id);
                if payment.state == state {
                    return payment;
                }
                self.changed.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| {
            panic!("{state:?} was not reached; it is {:?}", self.payment(id).state)
        })
    }
}
