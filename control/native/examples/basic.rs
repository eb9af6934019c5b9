//! The first example of the reference, as it stands there.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "an example")]

use datadog_agent_native::agent::AgentCoordinator;
use datadog_agent_native::config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Load configuration from environment variables (DD_API_KEY, DD_SITE, etc.)
    let config = Config::default();

    // Create and start the agent
    let mut coordinator = AgentCoordinator::new(config)?;
    coordinator.start().await?;

    println!("Agent started successfully!");

    // Wait for shutdown signal (Ctrl+C or SIGTERM)
    coordinator.wait_for_shutdown().await;

    // Graceful shutdown
    coordinator.shutdown().await?;

    Ok(())
}
