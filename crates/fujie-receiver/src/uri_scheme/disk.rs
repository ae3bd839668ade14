//! Reading a file up to a limit, and making a folder: the little that is asked of the file system in more than one place.

use std::{
    fs::{DirBuilder, File},
    io::{self, Read},
    path::Path,
};

/// The first bytes of a file, at most `length_max` of them.
pub(super) fn read(mut file: File, length_max: usize) -> io::Result<Vec<u8>> {
    let (mut bytes, mut part) = (Vec::new(), [0; 1024]);
    while bytes.len() < length_max {
        match file.read(&mut part) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(part.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length_max);
    Ok(bytes)
}

/// Makes a folder and those above it, where they are missing, for this user alone (XDG Base Directory Specification). On
/// Windows a folder inside the user's profile inherits who may enter.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}
