//! `corelane dogstatsd top`: which metrics, tags or senders make the contexts.

use std::collections::HashMap;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::json;
use status::TopReport;
use status::format::{Table, count};

use super::remote::Remote;
use crate::cli::AgentArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::settings::ConfigArgs;

/// Arguments of `dogstatsd top`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  corelane dogstatsd top                          metrics with most contexts, and their widest tags
  corelane dogstatsd top --by tag                 tag keys that most contexts carry
  corelane dogstatsd top --by origin              containers that send most contexts
  corelane dogstatsd top --sort rate --interval 5 metrics with most samples a second")]
pub(crate) struct Args {
    /// What contexts are grouped by
    #[arg(short, long, value_enum, default_value_t = By::Name)]
    by: By,
    /// What groups are sorted by
    #[arg(short, long, value_enum, default_value_t = Sort::Contexts)]
    sort: Sort,
    /// Groups to show
    #[arg(short = 'm', long = "limit", visible_alias = "metrics", default_value_t = 10)]
    limit: usize,
    /// Tag keys to show for each group
    #[arg(short, long, default_value_t = 5)]
    tags: usize,
    /// How long to watch when sorting by rate
    #[arg(short, long, default_value = "2s", value_parser = super::span)]
    interval: Duration,
    /// Print the report as JSON
    #[arg(short, long)]
    json: bool,
    #[command(flatten)]
    agent: AgentArgs,
}

/// What contexts are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    /// Metric name
    Name,
    /// Tag key
    Tag,
    /// Container or other sender
    Origin,
}

/// What groups are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// Contexts alive
    Contexts,
    /// Samples since the contexts were made
    Samples,
    /// Samples a second, watched for a while
    Rate,
}

/// Groups compared when sorting by rate.
const RATED_MAX: usize = 10_000;

/// Prints the largest groups.
pub(crate) fn run(config: &ConfigArgs, args: &Args) -> Outcome {
    let remote = Remote::find(config, &args.agent)?;
    let (report, rates) = match args.sort {
        Sort::Rate => {
            let before = ask(&remote, args, RATED_MAX, 0)?;
            std::thread::sleep(args.interval);
            rate(&before, ask(&remote, args, RATED_MAX, args.tags)?, args)
        }
        Sort::Contexts | Sort::Samples => (ask(&remote, args, args.limit, args.tags)?, None),
    };
    if args.json {
        output::json(&json!({ "report": report, "samples_per_sec": rates }))?;
    } else {
        output::print(&render(&report, rates.as_deref(), args.by))?;
    }
    Ok(Exit::Success)
}

fn ask(remote: &Remote, args: &Args, limit: usize, tags: usize) -> Result<TopReport, Failure> {
    let by = match args.by {
        By::Name => "name",
        By::Tag => "tag",
        By::Origin => "origin",
    };
    let sort = match args.sort {
        Sort::Contexts => "contexts",
        Sort::Samples | Sort::Rate => "samples",
    };
    let target = format!("/dogstatsd/top?by={by}&sort={sort}&limit={limit}&tags={tags}");
    let reply = remote.require("GET", &target, &[])?;
    Ok(serde_json::from_slice(&reply.body)?)
}

/// Sorts the groups by what was added since `before`; returns samples a second, row by row.
fn rate(before: &TopReport, mut report: TopReport, args: &Args) -> (TopReport, Option<Vec<f64>>) {
    let known: HashMap<&str, u64> =
        before.rows.iter().map(|row| (&*row.key, row.samples)).collect();
    let added =
        |key: &str, samples: u64| samples.saturating_sub(known.get(key).copied().unwrap_or(0));
    report.rows.sort_by_key(|row| std::cmp::Reverse(added(&row.key, row.samples)));
    report.rows.truncate(args.limit);
    let secs = args.interval.as_secs_f64().max(0.001);
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rates = report.rows.iter().map(|row| added(&row.key, row.samples) as f64 / secs).collect();
    (report, Some(rates))
}

fn render(report: &TopReport, rates: Option<&[f64]>, by: By) -> String {
    let heading = match by {
        By::Name => "Metric",
        By::Tag => "Tag",
        By::Origin => "Origin",
    };
    let mut headings = vec![">Contexts", ">Share", ">Samples"];
    if rates.is_some() {
        headings.push(">Samples/s");
    }
    headings.extend([heading, "Tags (distinct values)"]);
    let mut table = Table::new(&headings);
    for (at, row) in report.rows.iter().enumerate() {
        let tags: Vec<String> =
            row.tags.iter().map(|(key, n)| format!("{key} ({})", count(*n))).collect();
        let key = if row.key.is_empty() { "(none)" } else { &row.key };
        let share = format!("{}%", row.contexts * 100 / report.contexts.max(1));
        let mut cells = vec![count(row.contexts), share, count(row.samples)];
        if let Some(rate) = rates.and_then(|rates| rates.get(at)) {
            cells.push(format!("{rate:.1}"));
        }
        cells.extend([key.to_owned(), tags.join(", ")]);
        table.row(cells);
    }
    format!(
        "{} contexts in {} groups, {} samples\n{}",
        count(report.contexts),
        count(report.groups),
        count(report.samples),
        table.render("")
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use status::TopGroup;

    use super::*;

    fn group(key: &str, contexts: u64, samples: u64) -> TopGroup {
        let tags = vec![("url".to_owned(), 1200), ("env".to_owned(), 1)];
        TopGroup { key: key.to_owned(), contexts, samples, tags }
    }

    #[test]
    fn a_report_is_a_table() {
        let rows = vec![group("web.hits", 1200, 90_000), group("", 300, 10)];
        let report = TopReport { contexts: 1500, samples: 90_010, groups: 2, rows };
        expect![[r#"
            1,500 contexts in 2 groups, 90,010 samples
            Contexts  Share  Samples  Metric    Tags (distinct values)
               1,200    80%   90,000  web.hits  url (1,200), env (1)
                 300    20%       10  (none)    url (1,200), env (1)
        "#]]
        .assert_eq(&render(&report, None, By::Name));
        let rated = render(&report, Some(&[12.34, 0.0]), By::Origin);
        assert!(rated.contains("12.3  web.hits"), "{rated}");
    }
}
