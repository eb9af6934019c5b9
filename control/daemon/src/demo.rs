//! `corelane demo`: the first minute. Starts an agent and an intake, sends a load through real
//! sockets, shows what becomes of it, and says whether everything was accounted for.
//!
//! ```text
//! Traffic, Tracers --UDP, Unix sockets--> Agent --HTTP--> Intake
//!    `---------- exact counts ----------> Verdict <----- decoded sums
//! ```

mod stage;
mod tracers;
mod traffic;
mod verdict;
mod view;

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use status::format::count;

use crate::commands::span;
use crate::exit::{Exit, Failure, Outcome};
use crate::logging;
use crate::output;
use crate::signals::{self, Signal};

use stage::Stage;
use tracers::Tracers;
use traffic::Traffic;
use verdict::{Sent, Verdict};
use view::{Frame, View};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing leaves this machine: the agent delivers to an intake inside the demo. Ports and files are
temporary, and the configuration of this machine is not read. Exit status 1 means that the counts
did not agree.")]
pub(crate) struct Args {
    /// How long to send
    #[arg(short, long, default_value = "20s", value_parser = span, value_name = "TIME")]
    duration: Duration,
    /// Metric lines a second, all transports together; 0 sends as fast as possible
    #[arg(short, long, default_value_t = 30_000)]
    rate: u32,
    /// Spans a second, in requests of v0.4 and of v1.0; 0 sends none
    #[arg(short, long, default_value_t = 2_000)]
    spans: u32,
    /// Print plain lines instead of drawing on the terminal
    #[arg(long)]
    plain: bool,
}

/// Time between two looks at the counters.
const TICK: Duration = Duration::from_millis(500);
/// Looks for one plain line.
const TICKS_PER_LINE: u32 = 4;

/// Runs the demo.
pub(crate) fn run(args: &Args) -> Outcome {
    if args.duration.is_zero() {
        return Err(Failure::usage(anyhow::anyhow!("--duration must be longer than 0")));
    }
    let kept = logging::keep();
    let signals = signals::watch()?;
    let stage = Stage::start()?;
    output::print(&introduction(&stage, args))?;
    let traffic = Traffic::start(&stage, args.rate, args.duration)?;
    let tracers = Tracers::start(&stage, args.spans, args.duration)?;
    let mut view = View::new(args.duration, !args.plain && output::is_terminal());
    let watched = watch(&stage, (&traffic, &tracers), &signals, &mut view);
    let (lines, traces) = (traffic.finish(), tracers.finish());
    watched?;
    let sent = Sent { lines: lines?, traces: traces? };
    let Some(last) = stage.stop(&signals)? else {
        return Err(Failure::told("interrupted before the agent had stopped"));
    };
    let verdict = Verdict::new(&sent, &last.snapshot, &last.totals);
    output::print(&verdict.text())?;
    let warnings = kept.lines();
    if !warnings.is_empty() {
        output::print(&format!("\nWarnings of the agent:\n  {}\n", warnings.join("\n  ")))?;
    }
    output::print(CLOSING)?;
    Ok(if verdict.is_good() { Exit::Success } else { Exit::Failed })
}

fn introduction(stage: &Stage, args: &Args) -> String {
    let rate = match args.rate {
        0 => "as fast as possible".to_owned(),
        rate => format!("{} lines a second", count(rate.into())),
    };
    format!(
        "corelane {} demo: a load ({rate}, {} spans a second, for {} s)\n\
         goes through real sockets into an agent, and what the agent delivers is decoded again.\n\n\
         {}\n",
        crate::commands::version::VERSION,
        count(args.spans.into()),
        args.duration.as_secs_f64(),
        stage.describe(),
    )
}

/// Shows the counters until the load ends or somebody interrupts.
fn watch(
    stage: &Stage,
    (traffic, tracers): (&Traffic, &Tracers),
    signals: &Receiver<Signal>,
    view: &mut View,
) -> Result<(), Failure> {
    let start = Instant::now();
    let mut ticks = 0;
    loop {
        let next = start + TICK * (ticks + 1);
        match signals.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Ok(Signal::Reload | Signal::Status) => continue,
            Err(RecvTimeoutError::Timeout) => ticks += 1,
        }
        let frame = Frame::of(start.elapsed(), (traffic, tracers), stage);
        let is_over = traffic.is_over() && tracers.is_over();
        view.add(frame);
        if view.is_drawn() || ticks.is_multiple_of(TICKS_PER_LINE) || is_over {
            output::print(&view.render())?;
        }
        if is_over {
            return Ok(());
        }
    }
}

const CLOSING: &str = "
Next:
  DD_API_KEY=... DD_SITE=datadoghq.com corelane run    the agent, on UDP 8125, TCP 8126 and sockets
  corelane status                                      what it does
  corelane intake -v                                   an intake of your own, to develop against

Point a client at it, whichever it understands:
  DD_AGENT_HOST=127.0.0.1 DD_DOGSTATSD_PORT=8125
  DD_DOGSTATSD_URL=udp://127.0.0.1:8125
  DD_DOGSTATSD_URL=unix:///var/run/datadog/dsd.socket
  echo -n 'page.views:1|c|#env:dev' | nc -u -w0 127.0.0.1 8125

Point a tracer at it:
  DD_TRACE_AGENT_URL=http://127.0.0.1:8126
  DD_TRACE_AGENT_URL=unix:///var/run/datadog/apm.socket
";
