//! Logs to payloads: read, worked on, collected, compressed.

use std::collections::BTreeMap;
use std::time::Instant;

use encode::encode_logs;
use logs::{Batch, Dropped, Entry, ParseError, Push, parse_entries, parse_lines, prepare};

use crate::counts::Counts;
use crate::inlet::Rejected;
use crate::{LogOutlet, LogSettings};

/// The batch under construction, and what logs go through on their way into it.
pub(crate) struct LogBatch {
    settings: LogSettings,
    out: LogOutlet,
    batch: Batch,
    /// When the first log of the batch came.
    since: Option<Instant>,
    encoded: Vec<u8>,
    received: u64,
    sent: u64,
    payloads: u64,
    bytes: u64,
    dropped: [u64; Dropped::ALL.len()],
    /// For want of memory while a payload was compressed.
    lost: u64,
}

/// Bytes of an encoded log that are kept for the next one.
const KEPT_BYTES_MAX: usize = 64 << 10;

impl LogBatch {
    pub(crate) fn new(settings: LogSettings, out: LogOutlet) -> Self {
        Self {
            batch: Batch::new(settings.batch),
            settings,
            out,
            since: None,
            encoded: Vec::new(),
            received: 0,
            sent: 0,
            payloads: 0,
            bytes: 0,
            dropped: [0; _],
            lost: 0,
        }
    }

    /// Takes a JSON list of entries.
    pub(crate) fn take_json(&mut self, body: &[u8], now_ms: u64) -> Result<Rejected, ParseError> {
        let entries = parse_entries(body)?;
        self.take(entries, now_ms);
        Ok(Rejected::default())
    }

    /// Takes lines of text.
    pub(crate) fn take_lines(&mut self, body: &[u8], now_ms: u64) -> Result<Rejected, ParseError> {
        let entries = parse_lines(body, now_ms.cast_signed())?;
        self.take(entries, now_ms);
        Ok(Rejected::default())
    }

    /// Takes an OTLP request in protobuf.
    #[cfg(feature = "otlp")]
    pub(crate) fn take_otlp(
        &mut self,
        body: &[u8],
        now_ms: u64,
    ) -> Result<Rejected, otlp::wire::WireError> {
        otlp::logs::read(body, now_ms.cast_signed(), &mut |entry| self.add(entry, now_ms))?;
        Ok(Rejected::default())
    }

    fn take(&mut self, entries: Vec<Entry>, now_ms: u64) {
        for entry in entries {
            self.add(entry, now_ms);
        }
    }

    fn add(&mut self, mut entry: Entry, now_ms: u64) {
        self.received += 1;
        if self.settings.folds_extra {
            entry.fold_extra();
        }
        self.encoded.clear();
        if let Err(reason) = prepare(&mut entry, &self.settings.prepare, &mut self.encoded) {
            self.dropped[reason as usize] += 1;
            return;
        }
        if self.push(now_ms) == Push::Full {
            self.flush();
            // An empty batch has room for whatever fits at all.
            let pushed = self.push(now_ms);
            debug_assert!(pushed != Push::Full, "an empty batch is not full");
        }
        self.encoded.shrink_to(KEPT_BYTES_MAX);
        if self.batch.is_full() {
            self.flush();
        }
    }

    fn push(&mut self, now_ms: u64) -> Push {
        let pushed = self.batch.push(&self.encoded, now_ms.cast_signed());
        match pushed {
            Push::Added => {
                self.since.get_or_insert_with(Instant::now);
            }
            Push::TooLarge => self.dropped[Dropped::TooLarge as usize] += 1,
            Push::Full => {}
        }
        pushed
    }

    /// When the batch has to leave, if there is one.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.settings.batch_wait)
    }

    /// Sends the batch, if there is anything in it.
    pub(crate) fn flush(&mut self) {
        self.since = None;
        let Some(payload) = self.batch.take() else { return };
        let count = payload.count as u64;
        let Some(encoded) = encode_logs(&payload.body, count, &self.settings.encode) else {
            self.lost += count;
            log::error!("{count} logs are lost: there is no memory to compress them");
            return;
        };
        self.sent += count;
        self.payloads += 1;
        self.bytes += encoded.uncompressed_bytes;
        (self.out)(&encoded, payload.received_ms.unsigned_abs());
    }

    /// Adds its counters.
    pub(crate) fn count(&self, counts: &mut Counts) {
        counts.logs_received = self.received;
        counts.logs_sent = self.sent;
        counts.logs_waiting = self.batch.count() as u64;
        counts.log_payloads = self.payloads;
        counts.log_bytes = self.bytes;
        let by_reason = Dropped::ALL.iter().zip(self.dropped);
        let mut dropped: BTreeMap<&'static str, u64> =
            by_reason.map(|(reason, count)| (reason.name(), count)).collect();
        dropped.insert("no_memory", self.lost);
        dropped.retain(|_, count| *count > 0);
        counts.logs_dropped = dropped;
    }
}

impl std::fmt::Debug for LogBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogBatch").field("waiting", &self.batch.count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;

    type Sent = Arc<Mutex<Vec<(String, u64)>>>;

    fn bed(batch: logs::BatchLimits) -> (LogBatch, Sent) {
        let settings = LogSettings {
            prepare: logs::Settings::default(),
            batch,
            batch_wait: Duration::from_secs(5),
            encode: encode::Settings {
                compression: encode::Encoding::Identity,
                ..encode::Settings::default()
            },
            folds_extra: false,
            body_bytes_max: 1 << 20,
        };
        let sent = Sent::default();
        let held = Arc::clone(&sent);
        let out: LogOutlet = Box::new(move |payload, last_ms| {
            let body = String::from_utf8(payload.body.to_vec()).unwrap();
            held.lock().unwrap().push((body, last_ms));
        });
        (LogBatch::new(settings, out), sent)
    }

    fn counts(batch: &LogBatch) -> Counts {
        let mut counts = Counts::default();
        batch.count(&mut counts);
        let dropped: u64 = counts.logs_dropped.values().sum();
        let placed = counts.logs_sent + counts.logs_waiting + dropped;
        assert_eq!(counts.logs_received, placed, "every log is in one place");
        counts
    }

    #[test]
    fn a_batch_waits_for_more_and_leaves_when_it_is_full() {
        let (mut batch, sent) = bed(logs::BatchLimits { count_max: 2, ..Default::default() });
        assert_eq!(batch.due(), None);
        batch.take_json(br#"[{"message":"a","timestamp":1}]"#, 7).unwrap();
        assert!(batch.due().is_some() && sent.lock().unwrap().is_empty());
        batch.take_lines(b"b\nc\n", 8).unwrap();
        assert_eq!(sent.lock().unwrap().len(), 1);
        assert_eq!(counts(&batch).logs_waiting, 1);
        batch.flush();
        batch.flush();
        let sent = sent.lock().unwrap();
        assert_eq!((sent.len(), sent[0].1, batch.due()), (2, 8, None));
        assert!(sent[0].0.starts_with(r#"[{"message":"a","status":"info","timestamp":1,"#));
        assert!(sent[1].0.contains(r#""message":"c","status":"info","timestamp":8,"#));
    }

    #[test]
    fn what_does_not_fit_goes_into_the_next_payload_or_is_counted() {
        let (mut batch, sent) = bed(logs::BatchLimits { bytes_max: 300, ..Default::default() });
        let long = "x".repeat(400);
        batch.take_lines(format!("one\ntwo\nthree\n{long}\n").as_bytes(), 1).unwrap();
        batch.flush();
        let counts = counts(&batch);
        assert_eq!((counts.logs_received, counts.logs_sent), (4, 3));
        assert_eq!(counts.logs_dropped, [("too_large", 1)].into());
        assert!(sent.lock().unwrap().iter().all(|(body, _)| body.len() <= 300));
    }

    #[test]
    fn a_body_that_cannot_be_read_leaves_nothing() {
        let (mut batch, _) = bed(logs::BatchLimits::default());
        let error = batch.take_json(b"[{\"message\":\"a\",\"timestamp\":1},{}]", 1).unwrap_err();
        assert!(error.to_string().starts_with("invalid JSON: "), "{error}");
        assert_eq!(counts(&batch).logs_received, 0);
    }
}
