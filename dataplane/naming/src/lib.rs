//! What a metric is finally called: pure rules from a parsed name and its raw tags to the name and
//! the tags of the context. spec: dogstatsd §5, §6.
//!
//! ```text
//! name --mapper--> --namespace--> --filterlist--> final name   (or dropped)
//! tags --mapper tags appended--> --special tags taken out--> --extra tags--> --tag filter--> final
//! ```
//!
//! [`Rules`] runs only when a lane meets a line it has not seen before, so it is written for
//! clarity; what it does is bounded by the length of the line and of the configuration. With a warm
//! [`Scratch`] nothing is allocated, except by the mapper when a name enters its cache.
//!
//! It deliberately does not resolve origins, sort or deduplicate tags (a context is a set anyway),
//! or sanitise characters: the backend does that, and doing it twice changes identities. Empty tags
//! stay, as the Agent keeps them.
//!
//! Invariants: output is valid UTF-8 (invalid bytes become U+FFFD); every lane owns its copy of the
//! rules, so no cache is shared; the same line gives the same result in every lane.

#![forbid(unsafe_code)]

mod filterlist;
mod jmx;
mod mapper;
mod namespace;
mod rules;
mod scratch;
mod settings;
mod tag_filter;

pub use filterlist::FilterList;
pub use mapper::{Mapped, Mapper, MapperError};
pub use namespace::{DEFAULT_NAMESPACE_BLACKLIST, Namespace};
pub use rules::{Host, Labels, MetricOptions, Rules};
pub use scratch::Scratch;
pub use settings::{Mapping, MatchType, NamingSettings, Profile, TagAction, TagRule};
pub use tag_filter::{TagFilter, TagFilters};
