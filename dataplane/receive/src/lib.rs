//! Sockets and their queues, read in batches.
