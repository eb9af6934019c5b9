//! One owner per spool directory: two processes would send everything twice.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::disk::create_private_dir;

/// Takes the spool directory for this process, for as long as the file is held; or says why not.
pub(crate) fn lock_spool(path: &Path) -> (Option<File>, String) {
    let opened = create_private_dir(path)
        .and_then(|()| File::options().create(true).append(true).open(path.join("lock")));
    let problem = match opened {
        Ok(file) => match file.try_lock() {
            Ok(()) => return (Some(file), String::new()),
            Err(TryLockError::WouldBlock) => "it is used by another process".to_owned(),
            Err(TryLockError::Error(err)) => err.to_string(),
        },
        Err(err) => err.to_string(),
    };
    let error = format!("no disk queue: {} cannot be used ({problem})", path.display());
    log::error!("{error}; set forwarder_storage_path to a directory of this agent's own");
    (None, error)
}
