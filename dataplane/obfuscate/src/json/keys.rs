//! Sets of keys from settings.

/// A set that is mostly empty and seldom larger than ten.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    /// Sorted.
    keys: Box<[Box<str>]>,
}

impl Keys {
    pub(super) fn new<S: AsRef<str>>(keys: impl IntoIterator<Item = S>) -> Self {
        let mut keys: Vec<Box<str>> = keys.into_iter().map(|key| Box::from(key.as_ref())).collect();
        keys.sort_unstable();
        Self { keys: keys.into_boxed_slice() }
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.keys.binary_search_by(|candidate| (**candidate).cmp(key)).is_ok()
    }
}
