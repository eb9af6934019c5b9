//! Resident memory against its budget, `corelane.memory_max_bytes`.
//!
//! Above the budget the lanes take no new contexts: contexts are what grows without a bound that
//! the packets set, and those that are known go on. Below nine tenths of it they take them again.

/// Compares what is resident with the budget.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryWatch {
    /// 0 watches nothing.
    budget_bytes: u64,
    is_over: bool,
}

/// What a look found changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemoryChange {
    /// The budget is exceeded.
    Exceeded,
    /// There is room again.
    Recovered,
}

impl MemoryWatch {
    /// Watches over this budget; 0 for none.
    pub(crate) const fn new(budget_bytes: u64) -> Self {
        Self { budget_bytes, is_over: false }
    }

    /// Whether there is something to watch.
    pub(crate) const fn is_on(&self) -> bool {
        self.budget_bytes > 0
    }

    /// Compares; tells what changed since the last time.
    pub(crate) const fn look(&mut self, resident_bytes: u64) -> Option<MemoryChange> {
        let recovered_bytes = self.budget_bytes / 10 * 9;
        if !self.is_over && resident_bytes > self.budget_bytes {
            self.is_over = true;
            return Some(MemoryChange::Exceeded);
        }
        if self.is_over && resident_bytes < recovered_bytes {
            self.is_over = false;
            return Some(MemoryChange::Recovered);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_changes_above_the_budget_and_below_nine_tenths() {
        let mut watch = MemoryWatch::new(1000);
        assert_eq!(watch.look(1000), None);
        assert_eq!(watch.look(1001), Some(MemoryChange::Exceeded));
        assert_eq!(watch.look(2000), None, "said once");
        assert_eq!(watch.look(900), None);
        assert_eq!(watch.look(899), Some(MemoryChange::Recovered));
        assert_eq!(watch.look(1001), Some(MemoryChange::Exceeded));
        assert!(!MemoryWatch::new(0).is_on());
    }
}
