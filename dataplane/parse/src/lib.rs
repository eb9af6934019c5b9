//! Bytes to borrowed DogStatsD records.
