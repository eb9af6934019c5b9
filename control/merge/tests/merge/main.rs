//! The merge against the scenarios of the spec, and against a slow obvious model.

mod model;
mod properties;
mod recorder;
mod scenarios;
mod seen;
