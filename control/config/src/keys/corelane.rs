//! Keys that only corelane has.

use super::{keys, refuse};

keys! { CORELANE;
    LANES: IntKey = "corelane.lanes", "0",
        "Receive lanes, each with its own thread; 0 means one per core, at most 4.",
        [.range(0, 256).unit("lanes")];
    CPUS: CommaListKey = "corelane.cpus", "",
        "Cores the lanes are pinned to, as numbers and ranges (0-3,6), in lane order; empty pins \
         none.",
        [.check(refuse::cpus)];
    DRIVER: StrKey = "corelane.driver", "auto",
        "How lanes wait for data: auto is epoll, which wakes less for sparse packets.",
        [.one_of(&["auto", "io_uring", "epoll"])];
    RECEIVE_LATENCY_MS: IntKey = "corelane.receive_latency_ms", "5",
        "Longest a packet waits in the socket while traffic is light; 0 wakes for each.",
        [.range(0, 1000).unit("milliseconds")];
    RECEIVE_BUFFER_BYTES: BytesKey = "corelane.receive_buffer_bytes", "16Mb",
        "Socket receive buffer to ask for when `dogstatsd_so_rcvbuf` is 0; 0 leaves the kernel's \
         default.",
        [.range(0, 1 << 30)];
    UNIX_QUEUE_PACKETS: IntKey = "corelane.unix_queue_packets", "512",
        "Packets that the Unix datagram socket should queue. A lower `net.unix.max_dgram_qlen` is \
         raised while the socket is made, where it may be written, and put back; 0 never touches \
         it.",
        [.range(0, 65_536).unit("packets")];
    BATCH_PACKETS: IntKey = "corelane.batch_packets", "64",
        "Packets taken from a socket at once.", [.range(1, 1024).unit("packets")];
    UDP_SPREAD: StrKey = "corelane.udp_spread", "random",
        "How UDP packets are dealt to lanes: random per packet, or flow keeps a sender on one \
         lane.",
        [.one_of(&["random", "flow"])];
    CONTEXTS_MAX: IntKey = "corelane.contexts_max", "1000000",
        "Contexts held by all lanes together; samples of further ones are dropped and counted.",
        [.range(1, 1 << 30).unit("contexts").aliases(&["aggregate_context_limit"])];
    LANE_CONTEXTS_MAX: IntKey = "corelane.lane_contexts_max", "0",
        "Contexts held by one lane; 0 means `corelane.contexts_max`.",
        [.range(0, 1 << 30).unit("contexts")];
    CELL_SAMPLES_MAX: IntKey = "corelane.cell_samples_max", "100000",
        "Histogram samples or set members kept per context and bucket; further ones are dropped \
         and counted.",
        [.range(1, 1 << 30).unit("samples")];
    TIMED_SAMPLES_MAX: IntKey = "corelane.timed_samples_max", "100000",
        "Timestamped samples kept per lane between flushes; further ones are dropped and counted.",
        [.range(1, 1 << 30).unit("samples")];
    EVENTS_MAX: IntKey = "corelane.events_max", "10000",
        "Events and service checks kept per lane between flushes; further ones are dropped and \
         counted.",
        [.range(1, 1 << 24).unit("items")];
    SOCKET_MODE: StrKey = "corelane.socket_mode", "0722",
        "Mode of the Unix sockets for DogStatsD datagrams and traces, in octal.",
        [.check(refuse::mode)];
    SUBMISSION_BYTES_MAX: BytesKey = "corelane.submission_bytes_max", "1Mb",
        "Bytes per lane that wait for it when they come without a socket, as from a host program; \
         further ones are refused and counted.",
        [.range(1 << 17, 1 << 30)];
    STREAM_CONNECTIONS_MAX: IntKey = "corelane.stream_connections_max", "1024",
        "Open stream connections per lane; further ones are closed and counted.",
        [.range(1, 65_536).unit("connections")];
    FLUSH_INTERVAL_SECS: IntKey = "corelane.flush_interval_secs", "15",
        "How often lanes hand over what they gathered.",
        [.range(1, 300).unit("seconds").aliases(&["aggregate_flush_interval"])];
    BUCKET_SECS: IntKey = "corelane.bucket_secs", "10",
        "Width of a bucket: samples in it become one point. Rates at the intake assume the \
         default.",
        [.range(1, 300).unit("seconds").aliases(&["aggregate_window_duration_seconds"])];
    FLUSH_ON_STOP: BoolKey = "corelane.flush_on_stop", "true",
        "Flushes the open bucket at stop; an explicit `dogstatsd_flush_incomplete_buckets` wins.";
    SAMPLE_RATE_MIN: FloatKey = "corelane.sample_rate_min", "3.845e-9",
        "Lowest sample rate believed; a lower one is raised to it, so that one line cannot count \
         for billions.",
        [.between(1e-12, 1.0).aliases(&["dogstatsd_minimum_sample_rate"])];
    API_SOCKET: StrKey = "corelane.api_socket", "${run_path}/corelane.sock",
        "Unix socket of the local API; empty opens none.";
    API_LISTEN: StrKey = "corelane.api_listen", "",
        "Address and port of the local API, such as 127.0.0.1:5100; empty opens none.",
        [.check(refuse::listen_address)];
    API_ALLOW_REMOTE: BoolKey = "corelane.api_allow_remote", "false",
        "Lets `corelane.api_listen` be an address that other hosts reach.";
    MEMORY_MAX_BYTES: BytesKey = "corelane.memory_max_bytes", "0",
        "Memory budget: limits are checked against it at start, and while more is resident, new \
         contexts are refused; 0 checks nothing.", [.min(0)];
    STRICT_MEMORY: BoolKey = "corelane.strict_memory", "false",
        "Refuses to start when the limits add up to more than `corelane.memory_max_bytes`.";
}
