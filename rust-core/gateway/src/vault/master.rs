//! The master key: 32 random bytes in a file that only its owner may read.

use crate::world::{NoEntropy, World, random};
use data_encoding::HEXLOWER;
use holdfast_domain::Secret;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Bytes of an AES-256 key.
pub(crate) const KEY_BYTES: usize = 32;
/// Name of the file within the data folder.
const FILE_NAME: &str = "master.key";
/// The next key while keys are rotated. It takes the other's name once every data key is wrapped
/// with it.
const NEXT_NAME: &str = "master.key.next";
/// The key itself, in the form of the file, for machines that keep secrets in the environment. It
/// outranks the file.
const ENVIRONMENT: &str = "HOLDFAST_MASTER_KEY";
/// The key to rotate to, where the present one comes from the environment.
const ENVIRONMENT_NEXT: &str = "HOLDFAST_MASTER_KEY_NEXT";
/// First word of the file, so that another file put there by mistake is recognised.
const LABEL: &str = "holdfast-master-key-1 ";
/// Nobody but the owner may read or write the key.
const MODE: u32 = 0o600;
/// The permission bits that must not be set: any right of group or others.
const TOO_WIDE: u32 = 0o077;
/// A key file is shorter than this, in bytes; more is another file.
const FILE_BYTES_MAX: usize = 200;

/// The key that wraps every data key.
pub(crate) struct MasterKey(Secret<[u8; KEY_BYTES]>);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// Group or others may read the file.
    #[error(
        "{path}: others may read the master key (mode {mode:04o}); run `chmod 600 {path}`, and \
         change Stripe's keys if somebody else uses this machine"
    )]
    TooWide {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else.
    #[error("{path}: that is not a master key; restore the file from where you keep its copy")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("{path}: the master key cannot be read or written; check the folder and its owner")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A variable of the environment holds something else.
    #[error(
        "{name}: that is not a master key; write the line of a master.key file, beginning with \
         holdfast-master-key-1"
    )]
    Environment {
        /// The variable.
        name: &'static str,
    },
    /// The key comes from the environment, and so must the next one.
    #[error(
        "the master key comes from HOLDFAST_MASTER_KEY; give the new one in \
         HOLDFAST_MASTER_KEY_NEXT, and put it in the other's place afterwards"
    )]
    NextMissing,
    /// No randomness for a new key.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

impl MasterKey {
    /// Draws a key and writes its file, which must not exist yet, durably.
    pub(crate) fn create(folder: &Path, world: &dyn World) -> Result<Self, MasterKeyError> {
        if let Some(given) = from_environment(ENVIRONMENT)? {
            return Ok(given);
        }
        Self::write(folder, Self::path(folder), world)
    }

    /// The key to rotate to, in its waiting place.
    pub(crate) fn create_next(folder: &Path, world: &dyn World) -> Result<Self, MasterKeyError> {
        if from_environment(ENVIRONMENT)?.is_some() {
            return from_environment(ENVIRONMENT_NEXT)?.ok_or(MasterKeyError::NextMissing);
        }
        let path = folder.join(NEXT_NAME);
        // Left by a rotation that was cut short before it changed the database.
        if let Err(source) = std::fs::remove_file(&path)
            && source.kind() != io::ErrorKind::NotFound
        {
            return Err(MasterKeyError::Io { path, source });
        }
        Self::write(folder, path, world)
    }

    /// Gives the waiting key its name; the old one is gone then.
    pub(crate) fn promote_next(folder: &Path) -> Result<(), MasterKeyError> {
        if from_environment(ENVIRONMENT)?.is_some() {
            return Ok(());
        }
        let path = folder.join(NEXT_NAME);
        std::fs::rename(&path, Self::path(folder))
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(|source| MasterKeyError::Io { path, source })
    }

    /// The keys that may open a folder's database, likeliest first: between the two last steps of a
    /// rotation it is the waiting one.
    pub(crate) fn candidates(folder: &Path) -> Result<Vec<Self>, MasterKeyError> {
        let mut candidates = vec![Self::open(folder)?];
        let next = match from_environment(ENVIRONMENT)? {
            Some(_) => from_environment(ENVIRONMENT_NEXT)?,
            None if folder.join(NEXT_NAME).exists() => Some(Self::read(folder.join(NEXT_NAME))?),
            None => None,
        };
        candidates.extend(next);
        Ok(candidates)
    }

    fn write(folder: &Path, path: PathBuf, world: &dyn World) -> Result<Self, MasterKeyError> {
        let key = Secret::new(random::<KEY_BYTES>(world)?);
        let text = Secret::new(format!("{LABEL}{}\n", HEXLOWER.encode(key.expose())));
        write_new(&path, text.expose().as_bytes())
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(|source| MasterKeyError::Io { path, source })?;
        Ok(Self(key))
    }

    /// Reads the key; refuses a file that others may read.
    pub(crate) fn open(folder: &Path) -> Result<Self, MasterKeyError> {
        match from_environment(ENVIRONMENT)? {
            Some(given) => Ok(given),
            None => Self::read(Self::path(folder)),
        }
    }

    fn read(path: PathBuf) -> Result<Self, MasterKeyError> {
        let io_error = |source| MasterKeyError::Io { path: path.clone(), source };
        let file = File::open(&path).map_err(io_error)?;
        let mode = file.metadata().map_err(io_error)?.permissions().mode() & 0o7777;
        if mode & TOO_WIDE != 0 {
            return Err(MasterKeyError::TooWide { path, mode });
        }
        let mut bytes = Vec::with_capacity(FILE_BYTES_MAX);
        let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
        file.take(limit).read_to_end(&mut bytes).map_err(io_error)?;
        parse(&Secret::new(bytes)).ok_or(MasterKeyError::Malformed { path })
    }

    /// Where the key of a data folder lies.
    pub(crate) fn path(folder: &Path) -> PathBuf {
        folder.join(FILE_NAME)
    }

    pub(super) fn expose(&self) -> &[u8; KEY_BYTES] {
        self.0.expose()
    }
}

fn from_environment(name: &'static str) -> Result<Option<MasterKey>, MasterKeyError> {
    let Some(text) = std::env::var_os(name) else { return Ok(None) };
    let text = Secret::new(text.into_encoded_bytes());
    parse(&text).map(Some).ok_or(MasterKeyError::Environment { name })
}

fn parse(text: &Secret<Vec<u8>>) -> Option<MasterKey> {
    let text = std::str::from_utf8(text.expose()).ok()?;
    let digits = text.strip_prefix(LABEL)?.trim_end();
    let decoded = Secret::new(HEXLOWER.decode(digits.as_bytes()).ok()?);
    let key = decoded.expose().as_slice().try_into().ok()?;
    Some(MasterKey(Secret::new(key)))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SystemWorld;

    #[test]
    fn a_key_is_read_back_from_a_file_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let made = MasterKey::create(folder.path(), &SystemWorld).unwrap();
        let read = MasterKey::open(folder.path()).unwrap();
        assert!(made.0 == read.0);
        let mode = folder.path().join(FILE_NAME).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, MODE);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_command_that_helps() {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::create(folder.path(), &SystemWorld).unwrap();
        let path = folder.path().join(FILE_NAME);
        for mode in [0o640, 0o604, 0o660, 0o644] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = MasterKey::open(folder.path()).err().unwrap();
            assert!(error.to_string().contains("chmod 600"), "{mode:o}: {error}");
        }
    }

    #[test]
    fn a_key_is_never_overwritten_and_another_file_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::create(folder.path(), &SystemWorld).unwrap();
        assert!(matches!(
            MasterKey::create(folder.path(), &SystemWorld),
            Err(MasterKeyError::Io { .. })
        ));
        let path = folder.path().join(FILE_NAME);
        for text in ["", "hello", "holdfast-master-key-1 00ff", "holdfast-master-key-1 zz"] {
            std::fs::write(&path, text).unwrap();
            let error = MasterKey::open(folder.path()).err().unwrap();
            assert!(matches!(error, MasterKeyError::Malformed { .. }), "{text:?}");
        }
    }
}
