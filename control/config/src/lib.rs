//! One table of keys: parsing, checks, explain, reference.
