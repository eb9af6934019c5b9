//! The second example of the reference: the environment as configuration. Its statements outside of
//! `main` stand in a function here, and changing the environment is unsafe since Rust 2024.

#![allow(unsafe_code, clippy::disallowed_methods, reason = "an example")]

use datadog_agent_native::agent::AgentCoordinator;
use datadog_agent_native::config::Config;
use std::env;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Set environment variables
    for (name, value) in [
        ("DD_API_KEY", "your-api-key"),
        ("DD_SITE", "datadoghq.com"),
        ("DD_SERVICE", "my-service"),
        ("DD_ENV", "production"),
        ("DD_VERSION", "1.0.0"),
        ("DD_TRACE_AGENT_PORT", "8126"),
    ] {
        // The tests choose a port that is free.
        if env::var_os(name).is_none() {
            // SAFETY: no other thread runs yet.
            unsafe { env::set_var(name, value) };
        }
    }
    run()
}

#[tokio::main]
async fn run() -> Result<(), Box<dyn std::error::Error>> {
    // Configuration is automatically loaded from environment
    let config = Config::default();

    let mut coordinator = AgentCoordinator::new(config)?;
    coordinator.start().await?;
    coordinator.wait_for_shutdown().await;
    coordinator.shutdown().await?;

    Ok(())
}
