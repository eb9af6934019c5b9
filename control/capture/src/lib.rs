//! DogStatsD capture files: write, read, replay.
