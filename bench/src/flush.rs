//! Flushes to disk, as `strace` writes them down in a pass of its own.

use std::{fs, ops::Sub, path::Path};

use anyhow::Result;

/// Calls so far, or meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flushes {
    /// Of `fdatasync`.
    pub fdatasync: u32,
    /// Of `fsync`.
    pub fsync: u32,
}

impl Flushes {
    /// Of both.
    pub const fn all(self) -> u32 {
        self.fdatasync + self.fsync
    }
}

impl Sub for Flushes {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { fdatasync: self.fdatasync - before.fdatasync, fsync: self.fsync - before.fsync }
    }
}

/// Calls so far, from the log of a server started with [`crate::process::Product::start_counted`].
pub fn read(log: &Path) -> Result<Flushes> {
    let text = fs::read_to_string(log)?;
    // A call that is interrupted has a second line, which says `resumed` and has no parenthesis.
    let count = |call: &str| u32::try_from(text.lines().filter(|line| line.contains(call)).count());
    Ok(Flushes { fdatasync: count(" fdatasync(")?, fsync: count(" fsync(")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_once() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let text = "7 fsync(5 <unfinished ...>\n8 fdatasync(6) = 0\n7 <... fsync resumed>) = 0\n8 +++ exited +++\n";
        fs::write(log.path(), text).unwrap();
        let flushes = read(log.path()).unwrap();
        assert_eq!(flushes, Flushes { fdatasync: 1, fsync: 1 });
        assert_eq!((flushes - flushes).all(), 0);
    }
}
