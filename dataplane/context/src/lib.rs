//! Name, tags and origin to a [`ContextId`](signal::ContextId): the tables of one lane.
//!
//! ```text
//! line bytes --Keys::line--> LineKey --Index--> ContextId           every sample
//!                               miss | parse, name, sort, dedup
//!                                    v
//!            Description --Keys--> ContextKey --Index--> ContextId   a new order of tags
//!                                          miss | intern tags, tag set, host
//!                                               v
//!                                          Arc<Context>              a new context
//! ```
//!
//! A line is looked up by a keyed 128-bit hash of the bytes that identify it, in the sender's own
//! order of tags, and the bytes themselves are not kept: of the hash, 96 bits are compared besides
//! the position, so that with a million contexts a wrong match is expected once in 10^22 new lines,
//! and the secret key keeps a sender from looking for one. Nothing is compared byte by byte and
//! nothing of the line stays in memory.
//!
//! Costs: 16 bytes a line order at a load of at most 3/4 plus 24 bytes a context, a tag and a tag
//! set once per lane however many contexts share them. A hit reads one cache line of the index. No
//! operation is longer than one segment (1/256 of an index) or one chunk (1,024 slots): growth,
//! expiry and sweeping are sliced.
//!
//! Invariants: an id is not reused before every line that led to it has been swept; a context that
//! was seen in the open bucket does not expire.

mod index;
mod interner;
mod keys;
mod prefetch;
mod table;

pub use index::Index;
pub use interner::Interner;
pub use keys::{Keys, LineKey};
pub use prefetch::{prefetch, prefetch_pointer};
pub use table::{ContextTable, Description, Limits, Resolution, SweepStats};
