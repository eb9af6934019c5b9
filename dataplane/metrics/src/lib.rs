//! The aggregation shard of a lane.
