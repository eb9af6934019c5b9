//! Arguments, and which command they start.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    apm_replay, capture, completions, config, flare, health, intake, remote_config, replay,
};
use crate::commands::{run, stats, status};
use crate::commands::{top, version};
use crate::demo;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::settings::ConfigArgs;

const LONG_ABOUT: &str = "\
corelane receives DogStatsD, aggregates it in one lane per core, and delivers the result to the \
Datadog intake. It reads the Agent's datadog.yaml and DD_* variables.

See it work, without account, key or configuration:
  corelane demo

Then run it:
  DD_API_KEY=... DD_SITE=datadoghq.eu corelane run
  echo -n 'page.views:1|c|#env:dev' | nc -u -w0 127.0.0.1 8125
  corelane status";

const AFTER_HELP: &str = "\
Examples:
  corelane config check -c /etc/datadog-agent      what is wrong with a configuration
  corelane config explain dogstatsd_socket         what a key does, and who set it
  corelane status --json | jq .totals              all counters of a running agent
  corelane dogstatsd top --by tag                  which tags make the contexts

Exit status:
  0  the command did what it was asked for
  1  it failed, or what it looked at is not in order
  2  the arguments or the configuration cannot be used
  3  no agent answers";

/// A fast agent for DogStatsD metrics.
#[derive(Debug, Parser)]
#[command(name = "corelane", version, about, long_about = LONG_ABOUT, after_help = AFTER_HELP)]
#[command(max_term_width = 100, propagate_version = true, arg_required_else_help = true)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the agent in the foreground
    Run(run::Args),
    /// Watch the agent work: it needs no key, no root and no configuration
    Demo(demo::Args),
    /// Receive and print what agents would send to Datadog
    Intake(intake::Args),
    /// Check, explain and show the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Show what a running agent does
    Status(status::Args),
    /// Tell whether a running agent is well; for probes
    Health(health::Args),
    /// Write an archive for support, without secrets, and send it if asked to
    Flare(flare::Args),
    /// Look at DogStatsD traffic, record it, send it again
    #[command(subcommand)]
    Dogstatsd(Dogstatsd),
    /// Record what tracers send, send it again
    #[command(subcommand)]
    Apm(Apm),
    /// Look at remote configuration
    #[command(subcommand)]
    RemoteConfig(RemoteConfig),
    /// Show the version
    Version(version::Args),
    /// Write completions for a shell to standard output
    Completions(completions::Args),
}

/// Commands about DogStatsD traffic.
#[derive(Debug, Subcommand)]
pub(crate) enum Dogstatsd {
    /// Show which metrics, tags or senders make the contexts
    Top(top::Args),
    /// Record traffic into a file
    Capture(capture::Args),
    /// Send recorded traffic again
    Replay(replay::Args),
    /// Show samples by context (needs dogstatsd_metrics_stats_enable)
    Stats(stats::Args),
}

/// Commands about traces.
#[derive(Debug, Subcommand)]
pub(crate) enum Apm {
    /// Record the requests of tracers into a file: traces and stats, as they came
    Capture(capture::Args),
    /// Send recorded requests again
    Replay(apm_replay::Args),
}

/// Commands about remote configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum RemoteConfig {
    /// Show repositories, products, clients and what became of configurations
    Status(remote_config::Args),
}

/// How to find a running agent.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AgentArgs {
    /// Socket of the agent's API; the configuration names it otherwise (corelane.api_socket)
    #[arg(long, value_name = "PATH")]
    pub(crate) api_socket: Option<PathBuf>,
}

/// Parses the arguments of this process and runs the command.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _is_read = error.print().is_ok();
            return if error.use_stderr() { Exit::Usage } else { Exit::Success }.into();
        }
    };
    match dispatch(&cli) {
        Ok(exit) => exit.into(),
        // `corelane status | head` is no failure.
        Err(failure) if failure.is_closed_pipe() => Exit::Success.into(),
        Err(failure) => {
            output::remark(&format!("corelane: {}", failure.text()));
            failure.exit.into()
        }
    }
}

fn dispatch(cli: &Cli) -> Outcome {
    let config = &cli.config;
    match &cli.command {
        Command::Run(args) => run::run(config, args),
        Command::Demo(args) => demo::run(args),
        Command::Intake(args) => intake::run(args),
        Command::Config(command) => config::run(config, command),
        Command::Status(args) => status::run(config, args),
        Command::Health(args) => health::run(config, args),
        Command::Flare(args) => flare::run(config, args),
        Command::Dogstatsd(Dogstatsd::Top(args)) => top::run(config, args),
        Command::Dogstatsd(Dogstatsd::Capture(args)) => {
            capture::run(config, args, "/dogstatsd/capture")
        }
        Command::Dogstatsd(Dogstatsd::Replay(args)) => replay::run(config, args),
        Command::Dogstatsd(Dogstatsd::Stats(args)) => stats::run(config, args),
        Command::Apm(Apm::Capture(args)) => capture::run(config, args, "/apm/capture"),
        Command::Apm(Apm::Replay(args)) => apm_replay::run(config, args),
        Command::RemoteConfig(RemoteConfig::Status(args)) => remote_config::run(config, args),
        Command::Version(args) => version::run(args),
        Command::Completions(args) => completions::run(args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Cli {
        Cli::try_parse_from(line.split(' ')).expect("is understood")
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn configuration_is_named_before_or_after_the_command() {
        for line in ["corelane -c a.yaml --set b=c run", "corelane run -c a.yaml --set b=c"] {
            let cli = parse(line);
            assert_eq!(cli.config.file, Some(PathBuf::from("a.yaml")), "{line}");
            assert_eq!(cli.config.set, [("b".to_owned(), "c".to_owned())], "{line}");
        }
    }

    #[test]
    fn extra_files_are_kept_in_order() {
        let cli = parse("corelane -E a.yaml run --extracfgpath b.yaml");
        assert_eq!(cli.config.extra, [PathBuf::from("b.yaml")], "those after the command");
        let cli = parse("corelane run -E a.yaml -E b.yaml");
        assert_eq!(cli.config.extra, [PathBuf::from("a.yaml"), PathBuf::from("b.yaml")]);
    }

    #[test]
    fn the_file_of_a_replay_is_not_the_configuration() {
        let cli = parse("corelane dogstatsd replay -f capture");
        assert_eq!(cli.config.file, None);
    }

    #[test]
    fn commands_of_the_issue_exist() {
        for line in [
            "corelane run --pidfile /run/x",
            "corelane demo --duration 5s --rate 100 --plain",
            "corelane intake --listen 127.0.0.1:0 -v",
            "corelane config check",
            "corelane config explain dogstatsd_port",
            "corelane config show --all",
            "corelane config reference",
            "corelane config reference --json",
            "corelane dogstatsd capture --stop --json",
            "corelane dogstatsd replay --file /tmp/x --json",
            "corelane status --json",
            "corelane health --timeout 5s",
            "corelane dogstatsd top --by origin --sort samples",
            "corelane dogstatsd capture --duration 1m30s --path /tmp",
            "corelane dogstatsd replay --file /tmp/x --loops 2 --speed 0",
            "corelane dogstatsd stats --json",
            "corelane apm capture --duration 10s --size 64MB --path /tmp --json",
            "corelane apm capture --stop",
            "corelane apm replay --file /tmp/x --loops 0 --speed 2.5 --address localhost:8126",
            "corelane remote-config status --json",
            "corelane flare --local-only",
            "corelane flare --send --case-id 1234 --email a@b --json",
            "corelane flare 1234 -s -e a@b -o /tmp",
            "corelane version --json",
            "corelane completions bash",
        ] {
            parse(line);
        }
    }

    #[test]
    fn nonsense_is_refused_and_help_is_not() {
        let kind = |line: &str| {
            Cli::try_parse_from(line.split(' ')).expect_err("not a command").use_stderr()
        };
        assert!(kind("corelane fly"));
        assert!(kind("corelane --set x run"));
        assert!(kind("corelane demo --duration never"));
        assert!(kind("corelane flare --send"));
        assert!(kind("corelane flare --local-only --send --email a@b"));
        assert!(kind("corelane flare --case-id 1"));
        assert!(!kind("corelane --help"));
        assert!(!kind("corelane dogstatsd top --help"));
        assert!(!kind("corelane --version"));
    }
}
