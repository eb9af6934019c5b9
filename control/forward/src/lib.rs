//! Delivery: endpoints, queues, retry, spool.
