//! The lane: receive a batch, run the stages, answer the flush tick.
