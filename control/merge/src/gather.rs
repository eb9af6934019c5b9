//! References to cells and timed samples, in the order in which they are merged.

use signal::{Cell, CellValue, Context, FlushedLane, TimedKind, TimedSample};

/// One cell with what it is sorted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CellRef<'a> {
    pub(crate) key: u128,
    pub(crate) cell: &'a Cell,
    /// Index into the sorted starts of all buckets.
    pub(crate) bucket: u32,
    /// Position among the lanes.
    pub(crate) lane: u32,
}

const _: () = assert!(size_of::<CellRef<'static>>() == 32, "as the crate doc says");

impl<'a> CellRef<'a> {
    /// The context of the cell, which only an empty cell lacks.
    pub(crate) fn context(&self) -> Option<&'a std::sync::Arc<Context>> {
        self.cell.context.as_ref()
    }
}

/// The keys whose top 32 bits, read as a fraction, fall on part `index` of `count` equal parts.
/// Ranges with a greater index hold greater keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyRange {
    pub(crate) index: u32,
    pub(crate) count: u32,
}

impl KeyRange {
    pub(crate) const fn contains(self, key: u128) -> bool {
        self.count == 1 || Self::index_of(key, self.count) == self.index as u64
    }

    /// Which of `count` ranges holds `key`.
    pub(crate) const fn index_of(key: u128, count: u32) -> u64 {
        (((key >> 96) as u64) * (count as u64)) >> 32
    }

    /// This range's part of a limit; the parts of all ranges add up to it.
    pub(crate) fn share_of(self, limit: usize) -> usize {
        let up_to = |index: u32| limit as u128 * u128::from(index) / u128::from(self.count);
        usize::try_from(up_to(self.index + 1) - up_to(self.index)).unwrap_or(usize::MAX)
    }
}

/// Fills `refs` with the cells of `range`, sorted by context, bucket and lane. `starts` are the
/// starts of all buckets, sorted.
pub(crate) fn gather_cells<'a>(
    lanes: &[&'a FlushedLane],
    starts: &[u64],
    range: KeyRange,
    refs: &mut Vec<CellRef<'a>>,
) {
    refs.clear();
    for (lane, flushed) in (0..).zip(lanes) {
        for bucket in &flushed.buckets {
            let rank = starts.partition_point(|&start| start < bucket.start_secs());
            let rank = u32::try_from(rank).unwrap_or(u32::MAX);
            refs.extend(bucket.cells().filter_map(|cell| {
                debug_assert!(cell.context.is_some(), "a cell with a value has a context");
                let key = cell.context.as_ref()?.key.0;
                range.contains(key).then_some(CellRef { key, cell, bucket: rank, lane })
            }));
        }
    }
    refs.sort_unstable_by(|a, b| {
        a.key.cmp(&b.key).then_with(|| (a.bucket, a.lane).cmp(&(b.bucket, b.lane)))
    });
}

/// Fills `refs` with the timed samples of `range`, sorted by context, type and time; samples of
/// equal time stay in order of arrival.
pub(crate) fn gather_timed<'a>(
    lanes: &[&'a FlushedLane],
    range: KeyRange,
    refs: &mut Vec<&'a TimedSample>,
) {
    refs.clear();
    let samples = lanes.iter().flat_map(|lane| &lane.timed);
    refs.extend(samples.filter(|sample| range.contains(sample.context.key.0)));
    refs.sort_by_key(|sample| {
        (sample.context.key, matches!(sample.kind, TimedKind::Count), sample.timestamp_secs)
    });
}

/// What is in the shards, before anything is merged.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) cells: usize,
    pub(crate) samples: u64,
}

/// Counts cells and samples.
pub(crate) fn count(lanes: &[&FlushedLane]) -> Contents {
    let mut contents = Contents::default();
    for lane in lanes {
        contents.samples += lane.timed.len() as u64;
        for cell in lane.buckets.iter().flat_map(signal::Bucket::cells) {
            debug_assert!(!matches!(cell.value, CellValue::Empty));
            contents.cells += 1;
            contents.samples += u64::from(cell.samples);
        }
    }
    contents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_partition_the_keys_in_order_and_share_a_limit() {
        for count in [1, 2, 3, 8] {
            let keys = [0, 1 << 95, 1 << 126, u128::MAX / 3, 1 << 127, u128::MAX];
            for key in keys {
                let holders =
                    (0..count).filter(|&index| KeyRange { index, count }.contains(key)).count();
                assert_eq!(holders, 1, "{key} of {count}");
            }
            assert!(keys.is_sorted_by_key(|&key| KeyRange::index_of(key, count)));
            for limit in [0, 1, 10, usize::MAX] {
                let shares = (0..count).map(|index| KeyRange { index, count }.share_of(limit));
                assert_eq!(shares.sum::<usize>(), limit);
            }
        }
    }
}
