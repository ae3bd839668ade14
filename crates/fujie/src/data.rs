//! The data folder: the database, the master key, the lock, the set-up link. Mode 0700, its files 0600.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use fujie_core::{
    random::{self, SystemRandom},
    token::seal::MasterKey,
};
use fujie_store::{Options, Store};
use zeroize::Zeroizing;

/// A data folder that exists.
#[derive(Clone, Debug)]
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// Opens the folder, making it if need be.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.exists() {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true).mode(0o700);
            builder.create(path).with_context(|| format!("the data folder {} cannot be made", path.display()))?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .with_context(|| format!("the data folder {} cannot be made private", path.display()))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Holds the folder for one serving process; released when the file is dropped or the process ends.
    pub fn lock(&self) -> Result<File> {
        let path = self.path.join("lock");
        let file = private().create(true).truncate(false).write(true).open(&path)?;
        if file.try_lock().is_err() {
            bail!("another fujie serves the data folder {}; stop it, or use another --data-dir", self.path.display());
        }
        Ok(file)
    }

    /// Opens the database.
    pub fn store(&self) -> Result<Store> {
        self.store_with(Options::default())
    }

    /// The same, to be served from.
    pub fn store_with(&self, options: Options) -> Result<Store> {
        Ok(Store::open(&self.path.join("fujie.db"), options)?)
    }

    /// Reads the master key; at the first start, when the database has no keys yet, makes it.
    pub async fn master_key(&self, store: &Store) -> Result<MasterKey> {
        let path = self.path.join("master.key");
        let mut bytes = Zeroizing::new([0; 32]);
        match File::open(&path) {
            Ok(mut file) => {
                let mode = file.metadata()?.permissions().mode();
                if mode & 0o077 != 0 {
                    bail!("{} can be read by others (mode {:o}); chmod 600 it", path.display(), mode & 0o777);
                }
                file.read_exact(bytes.as_mut_slice())
                    .with_context(|| format!("{} is not a master key (32 bytes)", path.display()))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if !store.keys().await?.is_empty() {
                    bail!(
                        "{} is missing, and the database has keys sealed under it; put the file back",
                        path.display()
                    );
                }
                *bytes = random::bytes::<32>(&mut SystemRandom);
                write_private(&path, bytes.as_slice())?;
            }
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
        Ok(MasterKey::new(&bytes)?)
    }

    /// Writes the set-up link to a file that only this user reads, and says where.
    pub fn write_setup_link(&self, link: &str) -> Result<PathBuf> {
        let path = self.path.join("setup-link");
        if path.exists() {
            fs::remove_file(&path)?;
        }
        write_private(&path, format!("{link}\n").as_bytes())?;
        Ok(path)
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Writes a new file, on disk before it is used.
fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    // Whole or not at all, also when the process is killed between.
    let half = path.with_extension("new");
    let make = || -> std::io::Result<()> {
        let mut file = private().create(true).truncate(true).write(true).open(&half)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&half, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    make().with_context(|| format!("{} cannot be written", path.display()))
}
