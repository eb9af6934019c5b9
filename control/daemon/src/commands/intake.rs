//! `corelane intake`: receive and print what agents would send to Datadog.

use std::net::SocketAddr;

use intake::{Intake, Keep, Options, Rules, print};

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::signals::{self, Signal};

/// Arguments of `intake`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, in two terminals:
  corelane intake -v
  DD_API_KEY=local DD_DD_URL=http://127.0.0.1:8080 corelane run

With profiles, telemetry and all else that tracers send to hosts of their own, each as a line:
  DD_API_KEY=local DD_PROXY_HTTPS=http://127.0.0.1:8080 DD_SKIP_SSL_VALIDATION=true corelane run")]
pub(crate) struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(short, long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Also print every metric, event, service check, span, group of trace stats and log
    #[arg(short, long)]
    verbose: bool,
}

/// Prints every request until it is interrupted, then the sums.
pub(crate) fn run(args: &Args) -> Outcome {
    let signals = signals::watch()?;
    let is_verbose = args.verbose;
    let on_request = move |exchange: &intake::Exchange| {
        let mut text = format!("{}\n", print::summary(exchange));
        if is_verbose {
            for line in print::details(exchange) {
                text.push_str(&format!("    {line}\n"));
            }
        }
        // Receiving goes on when nobody reads any more.
        let _is_read = output::print(&text).is_ok();
    };
    let options = Options {
        listen: args.listen,
        is_tls: false,
        keys: Vec::new(),
        keep: Keep::Totals,
        rules: Rules::default(),
        on_request: Some(Box::new(on_request)),
    };
    let intake = Intake::start(options).map_err(Failure::usage)?;
    output::line(&format!("intake on {url}; set dd_url: {url}", url = intake.url()))?;
    while signals.recv().is_ok_and(|signal| signal != Signal::Stop) {}
    let totals = intake.store().totals();
    intake.stop();
    output::line(&format!(
        "{} requests, {} series, {} sketches, {} points, {} events, {} service checks, \
         {} traces, {} spans, {} groups of trace stats, {} hits, \
         {} logs",
        totals.request_count(),
        totals.series,
        totals.sketches,
        totals.points,
        totals.events,
        totals.checks,
        totals.traces.chunks,
        totals.traces.spans,
        totals.stats.groups,
        totals.stats.sum.hits,
        totals.logs.entries,
    ))?;
    let passed: Vec<String> =
        totals.passed().into_iter().map(|(name, count)| format!("{count} {name}")).collect();
    if !passed.is_empty() {
        output::line(&format!("of tracers: {}", passed.join(", ")))?;
    }
    Ok(Exit::Success)
}
