//! Samples by context since the start, for `dogstatsd-stats`. spec: dogstatsd §13.
//!
//! Counted from what the lanes hand over, so that it costs the lanes nothing; what they still hold
//! is added when somebody asks. Bounded like the contexts themselves.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use metrics::TopContext;
use signal::{Context, ContextKey, FlushedLane};

/// Samples of one context.
#[derive(Clone, Debug)]
pub(crate) struct ContextTotal {
    pub(crate) context: Arc<Context>,
    pub(crate) count: u64,
    /// Unix seconds, no more exact than a bucket.
    pub(crate) last_seen_secs: u64,
}

/// Samples of all contexts.
#[derive(Clone, Debug)]
pub(crate) struct ContextTotals {
    by_key: HashMap<ContextKey, ContextTotal>,
    contexts_max: usize,
    bucket_secs: u64,
}

impl ContextTotals {
    /// Counts up to `contexts_max` contexts; further ones are left out.
    pub(crate) fn new(contexts_max: usize, bucket_secs: u64) -> Self {
        Self { by_key: HashMap::new(), contexts_max, bucket_secs }
    }

    /// Counts what lanes handed over.
    pub(crate) fn add_flushed(&mut self, lanes: &[FlushedLane], now_secs: u64) {
        for lane in lanes {
            for bucket in &lane.buckets {
                let seen_secs = (bucket.start_secs() + self.bucket_secs - 1).min(now_secs);
                for cell in bucket.cells() {
                    if let Some(context) = &cell.context {
                        self.add(context, u64::from(cell.samples), seen_secs);
                    }
                }
            }
            for sample in &lane.timed {
                self.add(&sample.context, 1, now_secs);
            }
        }
    }

    /// All totals, with what the lanes still hold.
    pub(crate) fn with_held(&self, held: &[TopContext], now_secs: u64) -> Vec<ContextTotal> {
        let mut all = self.clone();
        for top in held.iter().filter(|top| top.samples > 0) {
            all.add(&top.context, top.samples, now_secs);
        }
        all.by_key.into_values().collect()
    }

    fn add(&mut self, context: &Arc<Context>, count: u64, seen_secs: u64) {
        let has_room = self.by_key.len() < self.contexts_max;
        let total = match self.by_key.entry(context.key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) if has_room => new.insert(ContextTotal {
                context: Arc::clone(context),
                count: 0,
                last_seen_secs: 0,
            }),
            Entry::Vacant(_) => return,
        };
        total.count = total.count.saturating_add(count);
        total.last_seen_secs = total.last_seen_secs.max(seen_secs);
    }
}
