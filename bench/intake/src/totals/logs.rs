//! Sums over logs.

use std::collections::BTreeMap;

use super::of_name;
use crate::Log;

/// Sums over all logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTotals {
    /// Requests that carried logs.
    pub requests: u64,
    /// Entries.
    pub entries: u64,
    /// Bytes of the entries.
    pub entry_bytes: u64,
    /// Entries by service.
    pub by_service: BTreeMap<String, u64>,
}

impl LogTotals {
    pub(super) fn add(&mut self, logs: &[Log]) {
        self.requests += u64::from(!logs.is_empty());
        for log in logs {
            self.entries += 1;
            self.entry_bytes += log.encoded_bytes as u64;
            *of_name(&mut self.by_service, &log.service) += 1;
        }
    }
}
