//! What load to generate.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How packets travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// UDP over IPv4 or IPv6.
    #[default]
    Udp,
    /// Unix datagram socket.
    UdsDatagram,
    /// Unix stream socket, each packet behind its length (4 bytes, little-endian).
    UdsStream,
}

impl Transport {
    /// Packet size of the official clients: 1,432 bytes on UDP, 8,192 on Unix sockets.
    #[must_use]
    pub const fn packet_bytes_default(self) -> u32 {
        match self {
            Self::Udp => 1_432,
            Self::UdsDatagram | Self::UdsStream => 8_192,
        }
    }
}

/// Metric type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `g`
    Gauge,
    /// `c`
    Count,
    /// `h`
    Histogram,
    /// `d`
    Distribution,
    /// `s`
    Set,
    /// `ms`
    Timing,
}

impl Kind {
    /// Every type, in the order of [`TypeMix`].
    pub const ALL: [Self; 6] =
        [Self::Gauge, Self::Count, Self::Histogram, Self::Distribution, Self::Set, Self::Timing];

    /// Symbol on the wire. spec: dogstatsd §4.2.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Gauge => "g",
            Self::Count => "c",
            Self::Histogram => "h",
            Self::Distribution => "d",
            Self::Set => "s",
            Self::Timing => "ms",
        }
    }
}

/// Weights of the metric types. Names, not lines, are dealt out by weight: one context has one
/// type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TypeMix {
    /// Weight of gauges.
    pub gauge: u32,
    /// Weight of counters.
    pub count: u32,
    /// Weight of histograms.
    pub histogram: u32,
    /// Weight of distributions.
    pub distribution: u32,
    /// Weight of sets.
    pub set: u32,
    /// Weight of timings.
    pub timing: u32,
}

impl Default for TypeMix {
    /// Half counters, the rest mostly gauges, histograms and distributions.
    fn default() -> Self {
        Self { gauge: 20, count: 50, histogram: 10, distribution: 15, set: 2, timing: 3 }
    }
}

impl TypeMix {
    /// Only counters: every line can be accounted for by one sum.
    pub const COUNTERS: Self =
        Self { gauge: 0, count: 1, histogram: 0, distribution: 0, set: 0, timing: 0 };

    /// Weights in the order of [`Kind::ALL`].
    #[must_use]
    pub const fn weights(&self) -> [u32; 6] {
        [self.gauge, self.count, self.histogram, self.distribution, self.set, self.timing]
    }

    /// Reads `g:20,c:50,h:10`: symbols and weights, those not named weigh nothing.
    ///
    /// # Errors
    /// When a symbol or a weight is not known.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let mut mix = Self { count: 0, ..Self::COUNTERS };
        for part in text.split(',') {
            let (symbol, weight) = part.split_once(':').unwrap_or((part, "1"));
            let weight = weight.parse().map_err(|_| SpecError::Mix(part.into()))?;
            match symbol {
                "g" => mix.gauge = weight,
                "c" => mix.count = weight,
                "h" => mix.histogram = weight,
                "d" => mix.distribution = weight,
                "s" => mix.set = weight,
                "ms" => mix.timing = weight,
                _ => return Err(SpecError::Mix(part.into())),
            }
        }
        Ok(mix)
    }
}

/// A load: what the lines look like, where they go, how fast and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadSpec {
    /// How packets travel.
    pub transport: Transport,
    /// `address:port` for UDP, a path for Unix sockets.
    pub destination: String,
    /// Distinct metric names. Contexts are `names * tag_sets`.
    pub names: u32,
    /// Distinct sets of tags.
    pub tag_sets: u32,
    /// Tags on each line.
    pub tags: u32,
    /// Orders in which a client may write the same tags; 1 keeps one order per context.
    pub tag_orders: u32,
    /// Weights of the metric types.
    pub types: TypeMix,
    /// Limit of a packet in bytes; 0 takes the size of the official clients.
    pub packet_bytes_max: u32,
    /// Lines are padded to about this many bytes; long tag lists make them longer.
    pub line_bytes: u32,
    /// Values on each line (packing); sets always carry one.
    pub values_per_line: u32,
    /// Sample rate written on each line; 1 writes none.
    pub sample_rate: f64,
    /// The pool repeats all contexts, with other values, until it has this many bytes.
    pub pool_bytes_min: u64,
    /// Seed of order and values.
    pub seed: u64,
    /// Lines a second over all senders; 0 sends flat out.
    pub rate: f64,
    /// Ends after this many milliseconds; 0 sets no limit.
    pub duration_ms: u64,
    /// Ends once this many lines were sent (rounded up to a packet per thread); 0 sets no limit.
    pub lines_max: u64,
    /// Sockets.
    pub senders: u32,
    /// Threads that share the sockets.
    pub threads: u32,
    /// Packets handed to the kernel at once when flat out.
    pub batch: u32,
    /// Packets sent at once when paced; 0 chooses bursts of about 100 microseconds.
    pub burst: u32,
    /// UDP: hand over up to 45 packets as one buffer that the kernel cuts (`UDP_SEGMENT`). Packets
    /// are filled up with newlines to the full size.
    pub is_segmented: bool,
    /// Datagrams: a full socket drops the packet (counted) and does not wait.
    pub is_nonblocking: bool,
    /// Processors that the threads are pinned to, in turn; empty pins nothing.
    pub cpus: Vec<usize>,
}

impl Default for LoadSpec {
    fn default() -> Self {
        Self {
            transport: Transport::Udp,
            destination: "127.0.0.1:8125".into(),
            names: 100,
            tag_sets: 30,
            tags: 4,
            tag_orders: 1,
            types: TypeMix::default(),
            packet_bytes_max: 0,
            line_bytes: 100,
            values_per_line: 1,
            sample_rate: 1.0,
            pool_bytes_min: 1 << 20,
            seed: 1,
            rate: 0.0,
            duration_ms: 0,
            lines_max: 0,
            senders: 1,
            threads: 1,
            batch: 32,
            burst: 0,
            is_segmented: false,
            is_nonblocking: false,
            cpus: Vec::new(),
        }
    }
}

impl LoadSpec {
    /// Contexts of the load.
    #[must_use]
    pub const fn contexts(&self) -> u64 {
        self.names as u64 * self.tag_sets as u64
    }

    /// Limit of a packet in bytes.
    #[must_use]
    pub const fn packet_bytes(&self) -> u32 {
        if self.packet_bytes_max == 0 {
            self.transport.packet_bytes_default()
        } else {
            self.packet_bytes_max
        }
    }

    /// Checks what a pool cannot be built from.
    ///
    /// # Errors
    /// The first field that is out of range.
    pub fn check(&self) -> Result<(), SpecError> {
        let positive = [
            ("names", self.names),
            ("tag_sets", self.tag_sets),
            ("tag_orders", self.tag_orders),
            ("values_per_line", self.values_per_line),
            ("senders", self.senders),
            ("threads", self.threads),
            ("batch", self.batch),
        ];
        if let Some((field, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(SpecError::Zero(field));
        }
        let lines = self.contexts().saturating_mul(u64::from(self.tag_orders));
        if lines > LINES_PER_PASS_MAX {
            return Err(SpecError::TooManyContexts(lines));
        }
        if self.tags == 0 && self.tag_sets > 1 {
            return Err(SpecError::NoTags);
        }
        if self.types.weights().iter().all(|weight| *weight == 0) {
            return Err(SpecError::Mix("all weights are 0".into()));
        }
        if !(self.sample_rate > 0.0 && self.sample_rate <= 1.0) {
            return Err(SpecError::SampleRate(self.sample_rate));
        }
        if !(self.rate >= 0.0 && self.rate.is_finite()) {
            return Err(SpecError::Rate(self.rate));
        }
        if self.threads > self.senders {
            return Err(SpecError::Threads(self.threads));
        }
        if self.packet_bytes() > PACKET_BYTES_MAX {
            return Err(SpecError::PacketBytes(self.packet_bytes()));
        }
        if self.is_segmented && self.transport != Transport::Udp {
            return Err(SpecError::Segmented);
        }
        Ok(())
    }
}

/// Largest UDP payload over IPv4.
const PACKET_BYTES_MAX: u32 = 65_507;
/// Bounds the memory of a pool: 16 million lines of 100 bytes are 1.6 GB.
const LINES_PER_PASS_MAX: u64 = 1 << 24;

/// Why a load cannot be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A count is 0.
    #[error("`{0}` must be at least 1")]
    Zero(&'static str),
    /// The pool would not fit in memory.
    #[error("{0} contexts in all their tag orders are too many, use at most 16777216")]
    TooManyContexts(u64),
    /// Without tags all sets of tags are the same.
    #[error("`tags` is 0: set `tag_sets` to 1, contexts then differ by name only")]
    NoTags,
    /// The mix of types is not usable.
    #[error("type mix `{0}`: write symbols and weights such as `g:20,c:50,h:10,d:15,s:2,ms:3`")]
    Mix(String),
    /// The sample rate is out of range.
    #[error("sample rate {0} is not above 0 and at most 1")]
    SampleRate(f64),
    /// The rate is negative or not a number.
    #[error("rate {0} must be a number of lines or spans a second, or 0 for flat out")]
    Rate(f64),
    /// Threads without a socket.
    #[error("{0} threads are more than there are senders: raise `senders`")]
    Threads(u32),
    /// A packet that cannot be sent.
    #[error("packets of {0} bytes are too long, use at most 65507")]
    PacketBytes(u32),
    /// Segmentation exists for UDP only.
    #[error("segmentation offload works on UDP only: unset `is_segmented`")]
    Segmented,
    /// A share is more than all.
    #[error("`{field}` is {value}, use at most 1000")]
    PerMille {
        /// Which share.
        field: &'static str,
        /// Its value.
        value: u32,
    },
    /// A pool of traces would not fit in memory.
    #[error("{0} spans in all payloads are too many, use at most 2097152")]
    TooManySpans(u64),
    /// A recording that traces cannot be made of.
    #[error("no traces can be made of {}: {reason}", path.display())]
    Corpus {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Threads without a connection.
    #[error("{0} threads are more than there are connections: raise `connections`")]
    ConnectionThreads(u32),
    /// The container id does not fit in a header.
    #[error("`container_id` may have printable ASCII characters only")]
    ContainerId,
    /// A single line does not fit.
    #[error(
        "a line of {line} bytes does not fit in a packet of {packet}: use fewer tags or values"
    )]
    LineTooLong {
        /// Length of the line.
        line: usize,
        /// Limit of a packet.
        packet: u32,
    },
}
