//! The table: every key that corelane uses, by area.
//!
//! Each key is a constant whose type says what it holds; [`areas`] lists them all for checks,
//! `explain`, `show` and the reference page.

mod aggregation;
mod core;
mod corelane;
mod dogstatsd;
mod embed;
mod flare;
mod forward;
mod logs;
mod network;
mod otlp;
mod proxies;
mod refuse;
mod remote;
mod secrets;
mod traces;

pub use self::aggregation::*;
pub use self::core::*;
pub use self::corelane::*;
pub use self::dogstatsd::*;
pub use self::embed::*;
pub use self::flare::*;
pub use self::forward::*;
pub use self::logs::*;
pub use self::network::*;
pub use self::otlp::*;
pub use self::proxies::*;
pub use self::remote::*;
pub use self::secrets::*;
pub use self::traces::*;

use crate::entry::Entry;

/// Keys that belong together on the reference page.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    /// Heading.
    pub title: &'static str,
    /// Rows in reading order.
    pub entries: &'static [&'static Entry],
}

/// The whole table.
#[must_use]
pub fn areas() -> &'static [Area] {
    const AREAS: &[Area] = &[
        Area { title: "Identity, tags, logging", entries: CORE },
        Area { title: "DogStatsD", entries: DOGSTATSD },
        Area { title: "Aggregation", entries: AGGREGATION },
        Area { title: "Traces", entries: TRACES },
        Area { title: "Logs", entries: LOGS },
        Area { title: "OTLP", entries: OTLP },
        Area { title: "Proxies of the trace receiver", entries: PROXIES },
        Area { title: "Payloads and delivery", entries: FORWARD },
        Area { title: "Proxy and TLS", entries: NETWORK },
        Area { title: "Remote configuration", entries: REMOTE },
        Area { title: "Flares", entries: FLARE },
        Area { title: "Secrets", entries: SECRETS },
        Area { title: "corelane's own", entries: CORELANE },
        Area { title: "Embedded agents", entries: EMBED },
    ];
    AREAS
}

/// Every row of the table.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    areas().iter().flat_map(|area| area.entries.iter().copied())
}

/// The row whose name, or other name, is `name` (any letter case).
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    all().find(|entry| {
        entry.name.eq_ignore_ascii_case(name)
            || entry.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    })
}

/// Builds one area: a typed constant per row, and the list of rows.
macro_rules! keys {
    ($table:ident;
     $($id:ident: $handle:ident = $name:literal, $default:literal,
       $meaning:literal $(, [$($build:tt)+])?;)+) => {
        $(
            #[doc = concat!("`", $name, "` (default \"", $default, "\"): ", $meaning)]
            pub const $id: $crate::entry::$handle = {
                static ENTRY: $crate::entry::Entry = $crate::entry::Entry::new(
                    $name,
                    $crate::entry::$handle::KIND,
                    $default,
                    $meaning,
                ) $($($build)+)?;
                $crate::entry::$handle(&ENTRY)
            };
        )+
        pub(super) const $table: &[&$crate::entry::Entry] = &[$($id.entry()),+];
    };
}
use keys;
