//! `corelane dogstatsd stats`: samples by context. spec: dogstatsd §13.

use serde_json::Value;
use status::format::{Table, count};

use super::remote::Remote;
use crate::cli::AgentArgs;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::settings::ConfigArgs;

/// Arguments of `dogstatsd stats`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print what the agent answers, as JSON
    #[arg(short, long)]
    json: bool,
    #[command(flatten)]
    agent: AgentArgs,
}

/// Prints the table, most samples first.
pub(crate) fn run(config: &ConfigArgs, args: &Args) -> Outcome {
    let remote = Remote::find(config, &args.agent)?;
    let reply = remote.require("GET", "/agent/dogstatsd-stats", &[])?;
    let document: Value = serde_json::from_slice(&reply.body)?;
    if args.json {
        output::json(&document)?;
    } else {
        output::print(&table(&document))?;
    }
    Ok(Exit::Success)
}

fn table(document: &Value) -> String {
    let mut rows: Vec<&Value> =
        document.as_object().map(|contexts| contexts.values().collect()).unwrap_or_default();
    let samples = |row: &Value| row.get("count").and_then(Value::as_u64).unwrap_or(0);
    let text = |row: &Value, field: &str| {
        row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    rows.sort_by_key(|row| (std::cmp::Reverse(samples(row)), text(row, "name")));
    let mut table = Table::new(&["Metric", "Tags", ">Count", "Last Seen"]);
    for row in rows {
        let count = count(samples(row));
        table.row([text(row, "name"), text(row, "tags"), count, text(row, "last_seen")]);
    }
    table.render("")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn most_samples_come_first() {
        let document = json!({
            "1": { "name": "a", "count": 2, "tags": "x y", "last_seen": "t1" },
            "2": { "name": "b", "count": 3000, "tags": "", "last_seen": "t2" },
        });
        let expected = "Metric  Tags  Count  Last Seen\n\
                        b             3,000  t2\n\
                        a       x y       2  t1\n";
        assert_eq!(table(&document), expected);
    }
}
