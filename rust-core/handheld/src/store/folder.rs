//! One core for each data folder.
//!
//! Two guards, because either alone has a hole: a list in this process (on Android the standard
//! library has no file locks, and there an app is one process), and a lock on a file (for a second
//! process elsewhere).

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The file that is locked.
const LOCK_FILE: &str = "holdfast.lock";

static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A data folder that is ours until this is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Why a folder is not ours.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another core has it.
    #[error("the folder is in use")]
    InUse,
    /// It cannot be created or written to.
    #[error("the folder cannot be used")]
    Io(#[from] io::Error),
}

impl Folder {
    /// Takes the folder, making it if it is not there.
    pub fn take(path: &Path) -> Result<Self, FolderError> {
        make(path)?;
        let path = path.canonicalize()?;
        if !opened().insert(path.clone()) {
            return Err(FolderError::InUse);
        }
        lock(&path.join(LOCK_FILE))
            .map(|lock| Self { path: path.clone(), _lock: lock })
            .inspect_err(|_| {
                opened().remove(&path);
            })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the names of new files durable, and that of the folder itself where its parent can be
    /// opened.
    pub fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        match self.path.parent().map(File::open) {
            Some(Ok(parent)) => parent.sync_all(),
            Some(Err(_)) | None => Ok(()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The lock goes when its file is closed, right after this.
        opened().remove(&self.path);
    }
}

fn opened() -> std::sync::MutexGuard<'static, BTreeSet<PathBuf>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn lock(path: &Path) -> Result<File, FolderError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FolderError::InUse),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_and_again_after_it_is_let_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new").join("core");
        let folder = Folder::take(&path).unwrap();
        let by_another_way = path.join("..").join("core");
        assert!(matches!(Folder::take(&by_another_way), Err(FolderError::InUse)));
        drop(folder);
        assert!(Folder::take(&path).is_ok());
    }

    #[test]
    fn the_file_is_locked_against_other_processes() {
        let dir = tempfile::tempdir().unwrap();
        let _folder = Folder::take(dir.path()).unwrap();
        // A second handle to the file stands for a second process.
        assert!(matches!(lock(&dir.path().join(LOCK_FILE)), Err(FolderError::InUse)));
    }

    #[test]
    fn a_file_is_no_folder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "").unwrap();
        assert!(matches!(Folder::take(&path), Err(FolderError::Io(_))));
    }
}
