//! Stats of all lanes and of tracers to payloads of the intake. spec: apm §9.4, §9.6, §10.2.

use std::collections::BTreeSet;
use std::sync::Arc;

use config::{Config, keys};
use encode::encode_stats;
use lane::ClientStats;
use stats::{
    AggregatorSettings, Bucket, BucketSet, Cell, ClientAggregator, ClientCell, ClosedBucket,
    ContainerTags, Counts, RequestFacts, StatsBody, StatsHeader, encode_payloads,
};
use traces::ClientProcessor;

use super::delivery::TraceDelivery;
use super::{settings, writer};
use crate::settings::{AGENT_VERSION, default_env};

/// Merges what lanes computed, aggregates what tracers computed, and sends both.
pub(crate) struct StatsMerge {
    host: String,
    env: String,
    bucket_ns: u64,
    client_interval_ns: u64,
    /// When the lanes are asked next.
    next_ns: u64,
    next_client_ns: u64,
    /// Lanes whose answer to the last question is out.
    missing: Vec<bool>,
    /// When the lanes were asked.
    asked_ns: u64,
    merged: BucketSet<Cell>,
    processor: ClientProcessor,
    clients: ClientAggregator,
    delivery: Arc<TraceDelivery>,
    seed: u64,
    counts: StatsCounts,
}

/// Accounts of stats beside those of the lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatsCounts {
    /// Spans in the stats of lanes that were sent.
    pub(crate) hits: u64,
    /// Payloads that tracers computed.
    pub(crate) client_payloads: u64,
    /// Hits in them.
    pub(crate) client_hits: u64,
    /// Of these, in groups whose resource is ignored.
    pub(crate) client_hits_ignored: u64,
    /// Of these, in groups that were dropped because a limit was reached.
    pub(crate) client_hits_dropped: u64,
    /// Bodies handed to delivery.
    pub(crate) bodies_out: u64,
    /// Groups in them.
    pub(crate) groups_out: u64,
    /// Bodies dropped because they could not be compressed.
    pub(crate) bodies_dropped: u64,
    /// Bytes before compression.
    pub(crate) bytes_uncompressed: u64,
    /// Bytes after it.
    pub(crate) bytes_compressed: u64,
}

/// How long one silent lane holds up the stats of the others.
const PATIENCE_NS: u64 = 3_000_000_000;

impl StatsMerge {
    pub(crate) fn new(
        config: &Config,
        host: &str,
        lanes: usize,
        processing: Arc<traces::Settings>,
        delivery: Arc<TraceDelivery>,
        seed: u64,
    ) -> Self {
        let settings = AggregatorSettings { hash_seed: seed, ..AggregatorSettings::default() };
        let interval = config.secs(keys::APM_CLIENT_STATS_FLUSH_INTERVAL);
        Self {
            host: host.to_owned(),
            env: default_env(config),
            bucket_ns: settings::bucket_ns(config),
            client_interval_ns: u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX),
            next_ns: 0,
            next_client_ns: 0,
            missing: vec![false; lanes],
            asked_ns: 0,
            merged: BucketSet::default(),
            processor: ClientProcessor::new(processing, settings::sql_cache_bytes(config, lanes)),
            clients: ClientAggregator::new(settings, crate::coordinator::unix_ns()),
            delivery,
            seed,
            counts: StatsCounts::default(),
        }
    }

    /// Takes the closed buckets of a lane.
    pub(crate) fn take_lane(&mut self, lane: usize, buckets: Option<Vec<ClosedBucket>>) {
        let Some(buckets) = buckets else { return };
        if let Some(missing) = self.missing.get_mut(lane) {
            *missing = false;
        }
        for bucket in buckets {
            self.merged.add(bucket);
        }
    }

    /// Takes what a tracer computed.
    pub(crate) fn take_client(&mut self, client: ClientStats, now_ns: u64) {
        let ClientStats { mut payload, container, head } = client;
        let facts = RequestFacts {
            container_id: &container.id,
            lang: &head.language,
            tracer_version: &head.tracer_version,
            agent_env: &self.env,
            is_container_id_off: self.processor.is_container_id_left_out(),
            is_obfuscated: head.is_obfuscated,
        };
        self.counts.client_payloads += 1;
        self.counts.client_hits = self.counts.client_hits.saturating_add(payload.hits());
        let ignored = self.processor.process(&mut payload, &facts);
        self.counts.client_hits_ignored = self.counts.client_hits_ignored.saturating_add(ignored);
        if payload.tags.is_empty() && !self.processor.is_container_id_left_out() {
            payload.tags = container.tags.iter().map(|tag| (**tag).to_owned()).collect();
        }
        self.clients.add(now_ns, payload, &container.tags);
        self.counts.client_hits_dropped = self.clients.tally().dropped_hits;
    }

    /// Sends what is complete. Returns the time up to which the lanes are to hand over stats, when
    /// they are to.
    pub(crate) fn round(&mut self, now_ns: u64) -> Option<u64> {
        let is_complete = !self.missing.contains(&true);
        if is_complete || now_ns >= self.asked_ns.saturating_add(PATIENCE_NS) {
            self.send_lanes();
        }
        if now_ns >= self.next_client_ns {
            self.next_client_ns = now_ns.saturating_add(self.client_interval_ns);
            let closed = self.clients.flush(now_ns, false);
            self.send_clients(&closed);
        }
        if now_ns < self.next_ns {
            return None;
        }
        self.next_ns = now_ns - now_ns % self.bucket_ns + self.bucket_ns;
        self.asked_ns = now_ns;
        self.missing.fill(true);
        Some(now_ns)
    }

    /// Sends everything that is left.
    pub(crate) fn finish(&mut self, now_ns: u64) {
        self.send_lanes();
        let closed = self.clients.flush(now_ns, true);
        self.send_clients(&closed);
    }

    /// Accounts so far.
    pub(crate) const fn counts(&self) -> StatsCounts {
        self.counts
    }

    fn send_lanes(&mut self) {
        let buckets = std::mem::take(&mut self.merged).into_buckets();
        if buckets.is_empty() {
            return;
        }
        self.counts.hits += buckets.iter().map(span_count).sum::<u64>();
        let mut bodies = Vec::new();
        let header = StatsHeader {
            hostname: &self.host,
            env: &self.env,
            version: AGENT_VERSION,
            is_client_computed: false,
        };
        let seed = &mut self.seed;
        encode_payloads(&header, &buckets, || draw(seed), no_tags, |body| bodies.push(body));
        self.send(bodies, &languages(&buckets));
    }

    fn send_clients(&mut self, closed: &[Bucket<ClientCell>]) {
        for bucket in closed {
            let mut bodies = Vec::new();
            let header = StatsHeader {
                hostname: &self.host,
                env: &self.env,
                version: AGENT_VERSION,
                is_client_computed: true,
            };
            let buckets = std::slice::from_ref(bucket);
            let seed = &mut self.seed;
            encode_payloads(&header, buckets, || draw(seed), no_tags, |body| bodies.push(body));
            self.send(bodies, &languages(buckets));
        }
    }

    fn send(&mut self, bodies: Vec<StatsBody>, languages: &str) {
        for body in bodies {
            let groups = body.group_count as u64;
            let Some(payload) = encode_stats(&body.bytes, groups, self.delivery.encode()) else {
                self.counts.bodies_dropped += 1;
                log::error!("{groups} groups of stats are lost: they could not be compressed");
                continue;
            };
            self.counts.bodies_out += 1;
            self.counts.groups_out += groups;
            self.counts.bytes_uncompressed += payload.uncompressed_bytes;
            self.counts.bytes_compressed += payload.body.len() as u64;
            self.delivery.submit(&payload, writer::language_header(languages));
        }
    }
}

/// The languages of all payloads, sorted, with bars between.
fn languages<C: Counts>(buckets: &[Bucket<C>]) -> String {
    let payloads = buckets.iter().flat_map(Bucket::payloads);
    let languages = payloads.map(|payload| payload.key.lang).filter(|lang| !lang.is_empty());
    languages.collect::<BTreeSet<&str>>().into_iter().collect::<Vec<_>>().join("|")
}

/// Spans that a bucket counts, without weights: each is in one sketch once.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole counts")]
fn span_count(bucket: &ClosedBucket) -> u64 {
    let counts = bucket.groups().map(|group| group.cell.ok.count() + group.cell.error.count());
    counts.sum::<f64>().round() as u64
}

/// Tags came with the spans, from the lanes; there is nothing more to look up.
fn no_tags(_container: &str) -> ContainerTags {
    ContainerTags::Known(Vec::new())
}

/// A number in [0, 1): splitmix64.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    let numerator = (mixed >> 11) as f64;
    numerator / 9_007_199_254_740_992.0
}
