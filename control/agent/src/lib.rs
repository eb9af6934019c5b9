//! Composition root: settings to lanes and services.
