//! Health, self-telemetry, status text, local API.
