//! Merged shards to intake payloads.
