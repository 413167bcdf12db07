//! The files of the tree: what is committed or could be, without what .gitignore names.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One text file, by its path from the root of the tree.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) executable: bool,
}

impl File {
    /// A made-up file, for the tests of the rules themselves.
    pub(crate) fn made_up(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), executable: false }
    }

    /// The part of the file name after the last dot; empty when there is none.
    pub(crate) fn extension(&self) -> &str {
        Path::new(&self.path).extension().and_then(|it| it.to_str()).unwrap_or_default()
    }

    /// Whether a shell, or another interpreter, is meant to run it.
    pub(crate) fn is_script(&self) -> bool {
        self.text.starts_with("#!")
    }
}

/// Every text file that git knows or would add. Binary files are left out: no rule here reads them.
pub(crate) fn files() -> Vec<File> {
    let root = root();
    paths(&root).into_iter().filter_map(|path| read(&root, path)).collect()
}

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the package lies in the tree").to_owned()
}

fn paths(root: &Path) -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .expect("tidy asks git which files are ours: install git");
    assert!(listed.status.success(), "git ls-files failed: run the tests in a git work tree");
    let listed = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    listed.split_terminator('\0').map(str::to_owned).collect()
}

/// None for a binary file, and for one that is deleted but not yet committed so.
fn read(root: &Path, path: String) -> Option<File> {
    let whole = root.join(&path);
    let text = String::from_utf8(fs::read(&whole).ok()?).ok()?;
    let executable = fs::metadata(&whole).ok()?.permissions().mode() & 0o111 != 0;
    Some(File { path, text, executable })
}
