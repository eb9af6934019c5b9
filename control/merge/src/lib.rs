//! Shards of all lanes to one series per context and bucket.
