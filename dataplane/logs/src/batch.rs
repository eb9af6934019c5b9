//! Records of one payload. spec: logs §6.

/// How much a payload may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// `batch_max_size`: records, at least 1. 1000.
    pub count_max: usize,
    /// `batch_max_content_size`: bytes, before compression. 5,000,000.
    pub bytes_max: usize,
    /// Which bytes count.
    pub counted: Counted,
}

/// Which bytes of a payload count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counted {
    /// All of it, so that it is never longer than the intake takes.
    #[default]
    Body,
    /// Records without the brackets and commas around them: the Agent's counting, whose payloads
    /// may be longer than the limit by one byte per record and one more.
    Entries,
}

/// What became of a record.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// It is in the batch. [`Batch::is_full`] says whether another can follow.
    Added,
    /// It is not: there is no room left. Take the payload and push again.
    Full,
    /// It is not, and never fits: it is longer than a whole payload.
    TooLarge,
}

/// A payload under construction: a JSON array of encoded records.
#[derive(Clone, Debug)]
pub struct Batch {
    limits: BatchLimits,
    /// The array without its last bracket.
    body: Vec<u8>,
    entries_bytes: usize,
    count: usize,
    received_ms: i64,
}

/// The body of a request to the intake, and what goes into its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// A JSON array.
    pub body: Vec<u8>,
    /// Its records, at least one.
    pub count: usize,
    /// When the last of them was received, in milliseconds since the Unix epoch:
    /// `dd-message-timestamp`.
    pub received_ms: i64,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { count_max: 1000, bytes_max: 5_000_000, counted: Counted::Body }
    }
}

impl Batch {
    /// An empty batch. It takes one record at least, lest a pusher wait for room for ever.
    #[must_use]
    pub fn new(limits: BatchLimits) -> Self {
        let limits = BatchLimits { count_max: limits.count_max.max(1), ..limits };
        Self { limits, body: Vec::new(), entries_bytes: 0, count: 0, received_ms: 0 }
    }

    /// Adds a record that [`crate::encode_entry`] wrote, received at a time in milliseconds.
    pub fn push(&mut self, encoded: &[u8], received_ms: i64) -> Push {
        if self.counted(0, 0, encoded.len()) > self.limits.bytes_max {
            return Push::TooLarge;
        }
        let bytes = self.counted(self.count, self.entries_bytes, encoded.len());
        if self.count >= self.limits.count_max || bytes > self.limits.bytes_max {
            return Push::Full;
        }
        self.body.push(if self.count == 0 { b'[' } else { b',' });
        self.body.extend_from_slice(encoded);
        self.entries_bytes += encoded.len();
        self.count += 1;
        self.received_ms = received_ms;
        Push::Added
    }

    /// Whether no record can be added at all.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.count >= self.limits.count_max
            || (self.count > 0 && self.bytes() >= self.limits.bytes_max)
    }

    /// Records in it.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Bytes in it, as its limit counts them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match (self.limits.counted, self.count) {
            (_, 0) => 0,
            (Counted::Entries, _) => self.entries_bytes,
            // A comma between two, and two brackets.
            (Counted::Body, count) => self.entries_bytes + count + 1,
        }
    }

    /// Its payload, unless it is empty. The batch is empty then, and holds no memory.
    pub fn take(&mut self) -> Option<Payload> {
        if self.count == 0 {
            return None;
        }
        let taken = std::mem::replace(self, Self::new(self.limits));
        let mut body = taken.body;
        body.push(b']');
        Some(Payload { body, count: taken.count, received_ms: taken.received_ms })
    }

    /// Bytes that count when a record is added to others.
    const fn counted(&self, count: usize, entries_bytes: usize, added: usize) -> usize {
        let entries = entries_bytes.saturating_add(added);
        match self.limits.counted {
            Counted::Entries => entries,
            Counted::Body => entries.saturating_add(count + 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_body_counts() {
        let limits = BatchLimits { bytes_max: 9, ..BatchLimits::default() };
        let mut batch = Batch::new(limits);
        assert_eq!(batch.take(), None);
        assert_eq!(batch.push(b"12345678", 1), Push::TooLarge, "[12345678]");
        assert_eq!(batch.push(b"123", 2), Push::Added);
        assert_eq!((batch.count(), batch.bytes(), batch.is_full()), (1, 5, false));
        assert_eq!(batch.push(b"4567", 3), Push::Full, "[123,4567]");
        assert_eq!(batch.push(b"456", 4), Push::Added);
        assert_eq!((batch.count(), batch.bytes(), batch.is_full()), (2, 9, true));
        assert_eq!(batch.push(b"", 5), Push::Full);
        let payload = batch.take().unwrap();
        assert_eq!(payload, Payload { body: b"[123,456]".to_vec(), count: 2, received_ms: 4 });
        assert_eq!((batch.count(), batch.bytes(), batch.take()), (0, 0, None));
    }

    #[test]
    fn records_alone_count_if_asked() {
        let limits = BatchLimits { bytes_max: 6, counted: Counted::Entries, count_max: 1000 };
        let mut batch = Batch::new(limits);
        assert_eq!(batch.push(b"1234567", 0), Push::TooLarge);
        assert_eq!(batch.push(b"123", 0), Push::Added);
        assert_eq!(batch.push(b"456", 0), Push::Added);
        assert!(batch.is_full());
        assert_eq!(batch.take().unwrap().body, b"[123,456]");
    }

    #[test]
    fn a_batch_for_no_records_takes_one() {
        let mut batch = Batch::new(BatchLimits { count_max: 0, ..BatchLimits::default() });
        assert!(!batch.is_full());
        assert_eq!(batch.push(b"1", 0), Push::Added);
        assert_eq!(batch.push(b"2", 0), Push::Full);
        assert_eq!(batch.take().unwrap().body, b"[1]");
    }
}
