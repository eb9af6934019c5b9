//! Which traces are kept. spec: apm §6.8, §7.
//!
//! ```text
//! lane:    chunk --LaneSamplers::decide--> Decision         counts --handover--> LaneCounts
//!                         ^ Arc<Rates>                                              |
//! control:                '-------------- Rater::tick <--absorb of every lane ------'
//! ```
//!
//! A lane decides by itself and counts what it saw; control sums the counts of all lanes by
//! signature and bucket of 5 s and runs the recompute of §7.2 once over the sums. Sums do not
//! depend on who counted, so **10 traces per second over N lanes are the same rates as over one
//! lane**, however skewed the lanes are, and hash sampling by trace id makes every lane decide
//! alike.
//!
//! - Delay: control asks all lanes once a second and when a bucket ends, then ticks. The rates of
//!   a bucket are on the lanes within that one tick after its end. The reference has no such
//!   delay; in between, the rates of the bucket before hold.
//! - First bucket, and signatures without a rate: the default rate follows the weight in the open
//!   bucket. A lane knows its own, and that of the others as of the last snapshot. It may keep
//!   what the target allows for a bucket, 50 traces, before it takes it that all lanes are
//!   flooded. So in the first second of a flood N lanes keep at most some 50 (N - 1) traces more
//!   than one lane.
//! - Buckets are counted by time, with traffic or without; the reference counts a bucket only when
//!   a trace comes. A pause lets rates recover sooner here.
//! - Shrinking many signatures to 100: control freezes the list from the sums; lanes follow it with
//!   the next snapshot. Until then a lane adds at most 100 signatures, and control folds the rest.
//! - Rare sampler: control deals its tokens to the lanes, so 5 a second and 50 at once hold exactly
//!   in total. A lane tells what it stored at its handover: one span is kept at most once per lane,
//!   and only within the tick in which it appears. A lane out of tokens misses.
//! - Limit on events: as the default rate, short of what others counted since the last snapshot, an
//!   eighth of the score at most.
//!
//! Bounds: 5000 signatures a lane and sampler (56 bytes each, and the names of services), six
//! buckets of rows that control did not fetch; 20,000 signatures a sampler in control (80 bytes),
//! a catalog of 5000 services; 50,000 rare spans a lane. What finds no room counts in the total
//! and is tallied.
//!
//! Costs: a chunk with priority 1 is one hash over `service,env` (none if it is the service of the
//! chunk before), one lookup and two additions, without allocation; span hashes are computed only
//! for the score and rare samplers.
//!
//! It deliberately knows no span model (see [`Spans`]), no clock, no configuration key and no
//! thread.

#![forbid(unsafe_code)]

mod chunk;
mod counts;
mod decision;
mod events;
mod hash;
mod lane;
mod probabilistic;
mod rare;
mod rater;
mod rates;
mod reply;
mod settings;
mod signature;
#[cfg(test)]
mod testing;
mod window;

pub use chunk::{Chunk, PRIORITY_NONE, PRIORITY_USER_KEEP, Spans};
pub use counts::{LaneCounts, SIGNATURES_MAX};
pub use decision::{
    ANALYZED, Decision, ERROR_TRACKING, ERRORS_RATE, EVENT_CLIENT_RATE, EVENT_EXTRACTION_RATE,
    EVENT_LIMIT_RATE, EVENT_PRE_RATE, Event, Leaving, MECHANISM_PROBABILISTIC, NO_PRIORITY_RATE,
    PRIORITY_RATE, PROBABILISTIC_RATE, RARE, Sampler, Tallies,
};
pub use hash::{is_kept_at, service_signature};
pub use lane::LaneSamplers;
pub use rater::Rater;
pub use rates::Rates;
pub use reply::RatesReply;
pub use settings::{
    AnalyzedSpans, EventSettings, ProbabilisticSettings, RareSettings, RemoteSampling,
    RemoteTargets, SamplingSettings,
};
pub use window::{BUCKET_MS, bucket_at};
