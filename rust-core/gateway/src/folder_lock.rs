//! Who has a data folder: a serving gateway, or a restore that takes its database away.
//!
//! The lock is the system's own on an open file, so it ends with the process, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Name of the file that is locked. It is empty, and stays.
const FILE_NAME: &str = "serve.lock";
/// Permissions of that file: only its owner may hold the folder.
const MODE: u32 = 0o600;

/// The folder is ours for as long as this lives.
#[derive(Debug)]
pub(crate) struct FolderLock(#[expect(dead_code, reason = "an open file is a held lock")] File);

impl FolderLock {
    /// Takes the folder; none if somebody has it.
    pub(crate) fn take(folder: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).mode(MODE);
        let file = file.open(folder.join(FILE_NAME))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path()).unwrap();
        assert!(first.is_some());
        assert!(FolderLock::take(folder.path()).unwrap().is_none());
        drop(first);
        assert!(FolderLock::take(folder.path()).unwrap().is_some());
    }
}
