//! Buckets of all lanes, one per time.

use super::{Bucket, Counts};

/// Unites the buckets of all lanes of one flush: each group of a time and a key once.
#[derive(Clone, Debug)]
pub struct BucketSet<C> {
    /// By start and length.
    buckets: Vec<Bucket<C>>,
}

impl<C> Default for BucketSet<C> {
    fn default() -> Self {
        Self { buckets: Vec::new() }
    }
}

impl<C: Counts> BucketSet<C> {
    /// Adds a bucket. The first one of a time is moved, others are merged into it; the order does
    /// not matter for what is counted.
    pub fn add(&mut self, bucket: Bucket<C>) {
        let time = |bucket: &Bucket<C>| (bucket.start_ns(), bucket.duration_ns());
        match self.buckets.binary_search_by_key(&time(&bucket), time) {
            Ok(at) => {
                if let Some(held) = self.buckets.get_mut(at) {
                    held.merge(bucket);
                }
            }
            Err(at) => self.buckets.insert(at, bucket),
        }
    }

    /// The buckets, by start.
    #[must_use]
    pub fn buckets(&self) -> &[Bucket<C>] {
        &self.buckets
    }

    /// Takes the buckets out, by start.
    #[must_use]
    pub fn into_buckets(self) -> Vec<Bucket<C>> {
        self.buckets
    }
}
