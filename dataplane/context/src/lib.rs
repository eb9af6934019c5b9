//! Raw line bytes to context ids: tables, interner, expiry, limits.
