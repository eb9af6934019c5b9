//! Load generator with exact counts, and the null receiver.
