//! Calls to what the platform lends: away from the workers, and with a deadline.

use crate::port::{CoreListener, DeviceKey, DeviceKeyError, KeyVault, VaultError};
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// How long the device key may take, in seconds. A secure element needs up to a few; after that a
/// person is better told than left waiting.
pub(super) const KEY_S_MAX: u64 = 10;
/// How long the vault may take, in seconds: once for each start.
const VAULT_S_MAX: u64 = 20;

/// The device key, one call at a time: a key that hangs holds one thread, not all of them.
#[derive(Clone)]
pub(super) struct PatientKey {
    key: Arc<dyn DeviceKey>,
    place: Arc<Semaphore>,
    patience: Duration,
}

impl PatientKey {
    pub(super) fn new(key: Arc<dyn DeviceKey>, patience: Duration) -> Self {
        Self { key, place: Arc::new(Semaphore::new(1)), patience }
    }

    /// Makes one call, or gives up at the deadline. A late answer is not heard.
    pub(super) async fn call(
        self,
        call: impl FnOnce(&dyn DeviceKey) -> Result<Vec<u8>, DeviceKeyError> + Send + 'static,
    ) -> Result<Vec<u8>, DeviceKeyError> {
        let in_time = timeout(self.patience, async move {
            let place = self.place.acquire_owned().await.map_err(|_| unavailable("closed"))?;
            let answer = tokio::task::spawn_blocking(move || {
                let answer = call(self.key.as_ref());
                drop(place);
                answer
            });
            answer.await.unwrap_or_else(|_| Err(unavailable("it panicked")))
        });
        in_time.await.unwrap_or_else(|_| Err(unavailable("no answer in time")))
    }
}

fn unavailable(reason: &str) -> DeviceKeyError {
    DeviceKeyError::Unavailable { reason: reason.to_owned() }
}

/// The vault, called on a thread of its own. There is no runtime yet when it is needed.
pub(crate) struct PatientVault(pub(crate) Arc<dyn KeyVault>);

impl PatientVault {
    fn call(
        &self,
        input: &[u8],
        call: impl FnOnce(&dyn KeyVault, &[u8]) -> Result<Vec<u8>, VaultError> + Send + 'static,
    ) -> Result<Vec<u8>, VaultError> {
        let failed = |reason: &str| VaultError::Unavailable { reason: reason.to_owned() };
        let (vault, input) = (self.0.clone(), zeroize::Zeroizing::new(input.to_vec()));
        let (answer, answered) = std_mpsc::channel();
        std::thread::Builder::new()
            .name("holdfast-vault".to_owned())
            .spawn(move || answer.send(call(vault.as_ref(), &input)))
            .map_err(|_| failed("no thread"))?;
        answered
            .recv_timeout(Duration::from_secs(VAULT_S_MAX))
            .unwrap_or_else(|_| Err(failed("no answer in time")))
    }
}

impl KeyVault for PatientVault {
    fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.call(key, |vault, key| vault.wrap(key))
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.call(wrapped, |vault, wrapped| vault.unwrap(wrapped))
    }
}

/// Tells the listener of each change, or of the last of several. A listener that hangs hears no
/// more, and holds up nobody else.
pub(super) async fn notify(listener: Arc<dyn CoreListener>, mut heard: watch::Receiver<u64>) {
    while heard.changed().await.is_ok() {
        let revision = *heard.borrow_and_update();
        let listener = listener.clone();
        let told = tokio::task::spawn_blocking(move || listener.on_change(revision)).await;
        if told.is_err() {
            log::error!("the listener panicked at revision {revision}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A key that never answers while the test runs, and counts who waits for it.
    struct Hung {
        asked: AtomicU32,
        released: Mutex<std_mpsc::Receiver<()>>,
    }

    impl DeviceKey for Hung {
        fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError> {
            panic!("a bug in the key")
        }

        fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, DeviceKeyError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let _ = self.released.lock().unwrap().recv();
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn a_key_that_hangs_is_given_up_and_holds_one_thread_only() {
        let (release, released) = std_mpsc::channel();
        let hung = Arc::new(Hung { asked: AtomicU32::new(0), released: Mutex::new(released) });
        let key = PatientKey::new(hung.clone(), Duration::from_millis(20));
        for _ in 0..3 {
            let answer = key.clone().call(|key| key.sign(b"")).await;
            assert_eq!(answer, Err(unavailable("no answer in time")));
        }
        assert_eq!(hung.asked.load(Ordering::SeqCst), 1);
        drop(release);
    }

    #[tokio::test]
    async fn a_key_that_panics_is_not_available() {
        let (_release, released) = std_mpsc::channel();
        let hung = Arc::new(Hung { asked: AtomicU32::new(0), released: Mutex::new(released) });
        let key = PatientKey::new(hung, Duration::from_secs(10));
        let answer = key.call(|key| key.public_key()).await;
        assert_eq!(answer, Err(unavailable("it panicked")));
    }
}
