//! Host name and host metadata.
