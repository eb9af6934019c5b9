//! Archives for support. spec: config §5.1, §12.2

use super::keys;

keys! { FLARE;
    FLARE_STRIPPED_KEYS: ListKey = "flare_stripped_keys", "",
        "Further keys of settings whose values are hidden in a flare.", [.live()];
    FLARE_PROVIDER_TIMEOUT: DurationKey = "flare_provider_timeout", "10s",
        "Time for one member of a flare; a later one is left out and noted.",
        [.min(1_000_000).live()];
    FLARE_REMOTE_ENABLED: BoolKey = "corelane.flare.remote_enabled", "true",
        "Lets support ask for a flare through remote configuration; false refuses with a reason.",
        [.live()];
    FLARE_ARCHIVE_BYTES_MAX: BytesKey = "corelane.flare.archive_bytes_max", "16Mb",
        "Contents of a flare before compression; members beyond that are left out and noted.",
        [.range(1 << 20, 1 << 30).live()];
    FLARE_LOG_BYTES_MAX: BytesKey = "corelane.flare.log_bytes_max", "1Mb",
        "Latest log lines kept in memory for a flare, and as much of the log file; 0 keeps none.",
        [.range(0, 64 << 20)];
    FLARE_WAITING_MAX: IntKey = "corelane.flare.waiting_max", "4",
        "Flares asked for from afar that wait for the one being made; more are refused and \
         counted.",
        [.range(1, 1000).unit("flares").live()];
}
