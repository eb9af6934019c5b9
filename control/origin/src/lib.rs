//! The file system side of origin detection: where `/proc` and the cgroups are, and what control
//! publishes to the lanes.
//!
//! ```text
//! /proc/<pid>/cgroup --ProcFs--> entity::PidResolver (in each lane)
//! /sys/fs/cgroup ----walk----.
//! capture's tagger state ----+--Publisher--> Arc<OriginSnapshot> --> lanes
//! container runtimes (later)-'
//! ```
//!
//! Deliberately not here: the rules that turn a sender into tags. They are pure and live in
//! [`entity`], where lanes can reach them.
//!
//! Invariants: a snapshot never changes after it was handed out, and its version grows with every
//! change; reads and walks are bounded in bytes, directories and depth, and follow no symbolic
//! link; a walk happens at most once in [`WALK_INTERVAL`], and only after a lane missed an inode.
//! spec: dogstatsd §7.2, §7.3, §12.

#![forbid(unsafe_code)]

mod procfs;
mod publish;
mod roots;
mod walk;

pub use procfs::ProcFs;
pub use publish::{Publisher, PublisherOptions, WALK_INTERVAL};
pub use roots::Roots;
pub use walk::{Walk, WalkLimits, walk_cgroups};
