//! What keeps a sandbox over restarts: a file with one line for each input.
//!
//! The first line says with which seed and when the sandbox began. A line is written before the
//! answer that tells of it leaves; the last one may be torn by a crash and is then dropped, and
//! with it an effect that nobody was told of.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StartError;
use crate::core::{Input, ReplayError};

const FILE_NAME: &str = "sandbox.journal";

/// How a sandbox began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beginning {
    pub(super) seed: u64,
    pub(super) at_ms: i64,
}

pub(super) struct Journal {
    file: File,
    path: PathBuf,
}

/// What was in a journal.
pub(super) struct Opened {
    pub(super) journal: Journal,
    pub(super) beginning: Beginning,
    pub(super) inputs: Vec<Input>,
}

impl Journal {
    /// Opens the journal in a folder, or begins one.
    pub(super) fn open(folder: &Path, new: Beginning) -> Result<Opened, StartError> {
        let path = folder.join(FILE_NAME);
        let data = |source| StartError::Data { path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(data)?;
        let mut file = open_private(&path).map_err(data)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StartError::DataInUse { path }),
            Err(TryLockError::Error(source)) => return Err(data(source)),
        }
        let (lines, whole_length) = read_lines(&file).map_err(data)?;
        file.set_len(whole_length).map_err(data)?;
        file.seek(SeekFrom::End(0)).map_err(data)?;
        let damaged = |_| StartError::Replay { path: path.clone(), why: ReplayError::Damaged };
        let mut lines = lines.iter();
        let first = lines.next().map(|line| serde_json::from_str(line)).transpose();
        let first = first.map_err(damaged)?;
        let inputs = lines.map(|line| serde_json::from_str(line)).collect::<Result<_, _>>();
        let inputs = inputs.map_err(damaged)?;
        let mut journal = Self { file, path: path.clone() };
        if first.is_none() {
            journal.write(&new).map_err(data)?;
        }
        Ok(Opened { journal, beginning: first.unwrap_or(new), inputs })
    }

    /// Notes what changed something.
    pub(super) fn append(&mut self, inputs: &[Input]) -> std::io::Result<()> {
        inputs.iter().try_for_each(|input| self.write(input))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn write(&mut self, line: &impl Serialize) -> std::io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes)
    }
}

/// Made-up payments, but somebody's webhook secret: for the owner's eyes.
fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Every whole line, and the length in bytes up to which lines are whole.
fn read_lines(file: &File) -> std::io::Result<(Vec<String>, u64)> {
    let mut reader = BufReader::new(file);
    let (mut lines, mut whole_length) = (Vec::new(), 0_u64);
    loop {
        let mut line = Vec::new();
        let length = reader.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Ok((lines, whole_length));
        }
        let text = String::from_utf8(line).map_err(std::io::Error::other)?;
        lines.push(text);
        whole_length = whole_length.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    }
}
