//! What a log record goes through between being received and being bytes of a payload.

#![forbid(unsafe_code)]

mod batch;
mod check;
mod defaults;
mod dropped;
mod encode;
mod endpoints;
mod entry;
mod parse;
mod prepare;
mod rules;
mod tags;
mod truncate;
mod url;
mod utf8;

pub use batch::{Batch, BatchLimits, Counted, Payload, Push};
pub use check::check_ingest;
pub use defaults::Defaults;
pub use dropped::Dropped;
pub use encode::encode_entry;
pub use endpoints::{
    AdditionalEndpoint, EndpointError, EndpointForm, additional_endpoints,
    parse_additional_endpoints,
};
pub use entry::{Entry, Extra};
pub use parse::{ENTRIES_MAX, ParseError, parse_entries, parse_lines};
pub use prepare::{EntryLimits, Settings, prepare};
pub use rules::{Ignored, RuleConfig, RuleError, Rules};
pub use tags::TagSources;
pub use truncate::TRUNCATED_MARK;
pub use url::{ApiPath, IntakeUrl, SiteHost, UrlError, UrlSettings, intake_url};
pub use utf8::repair_utf8;
