//! What can be left out of a build, and what it is called.
//!
//! Each product is a cargo feature, all on by default. Where one is left out, a module of
//! `without` with the same face takes its place: the rest of this crate is the same for all builds.
//! Metrics are always there, as everything else reports through them.

use config::{Config, keys};

/// A product that a build may be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Traces and their stats, over sockets and without.
    Traces,
    /// Logs that are handed over, or come over HTTP.
    Logs,
    /// OTLP of all signals, without a socket and over HTTP.
    Otlp,
    /// OTLP over gRPC.
    Grpc,
    /// Requests of tracers that are passed on: profiles, snapshots, telemetry and others.
    Proxies,
    /// Configuration from afar, for the agent and for tracers.
    RemoteConfig,
    /// The local API, and what is asked for through it: captures, listings, archives for support.
    LocalApi,
    /// The io_uring driver of the lanes.
    IoUring,
}

impl Product {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Traces,
        Self::Logs,
        Self::Otlp,
        Self::Grpc,
        Self::Proxies,
        Self::RemoteConfig,
        Self::LocalApi,
        Self::IoUring,
    ];

    /// Whether this build has it.
    #[must_use]
    pub const fn is_built(self) -> bool {
        match self {
            Self::Traces => cfg!(feature = "traces"),
            Self::Logs => cfg!(feature = "logs"),
            Self::Otlp => cfg!(feature = "otlp"),
            Self::Grpc => cfg!(feature = "grpc"),
            Self::Proxies => cfg!(feature = "proxies"),
            Self::RemoteConfig => cfg!(feature = "remote-config"),
            Self::LocalApi => cfg!(feature = "local-api"),
            Self::IoUring => lane::NO_IO_URING.is_none(),
        }
    }

    /// Its cargo feature.
    #[must_use]
    pub const fn feature(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Otlp => "otlp",
            Self::Grpc => "grpc",
            Self::Proxies => "proxies",
            Self::RemoteConfig => "remote-config",
            Self::LocalApi => "local-api",
            Self::IoUring => "io-uring",
        }
    }

    /// Whether this build has it and the configuration wants it.
    pub(crate) fn is_on(self, config: &Config) -> bool {
        self.is_built() && self.is_wanted(config)
    }

    /// Whether the configuration wants it.
    fn is_wanted(self, config: &Config) -> bool {
        match self {
            Self::Traces | Self::Proxies => config.bool(keys::APM_ENABLED),
            Self::Logs => config.bool(keys::LOGS_ENABLED),
            Self::Otlp | Self::Grpc => true,
            Self::RemoteConfig => config.bool(keys::REMOTE_CONFIG_ENABLED),
            Self::LocalApi => true,
            Self::IoUring => config.str(keys::DRIVER) == "io_uring",
        }
    }

    /// What a build without it says.
    #[must_use]
    pub fn missing(self) -> String {
        format!("this build is without it: it needs the cargo feature `{}`", self.feature())
    }
}
