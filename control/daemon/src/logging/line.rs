//! One log line. spec: config §12.5.

use std::time::{SystemTime, UNIX_EPOCH};

use log::{Level, Record};

/// How lines are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Format {
    pub(super) is_json: bool,
    pub(super) is_rfc3339: bool,
}

/// The message without secrets and without line breaks.
pub(super) fn message(record: &Record<'_>) -> String {
    let message = record.args().to_string();
    config::scrub::log_line(&status::format::visible(&message)).into_owned()
}

impl Format {
    /// The line with its newline.
    pub(super) fn line(self, record: &Record<'_>, now: SystemTime) -> String {
        let secs = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let time = self.time(secs);
        let level = level_name(record.level());
        let file = record.file().unwrap_or("unknown");
        let line = record.line().unwrap_or(0);
        let place = record.module_path().unwrap_or("unknown");
        let message = message(record);
        if self.is_json {
            let document = serde_json::json!({
                "agent": "core",
                "time": time,
                "level": level,
                "file": file,
                "line": line.to_string(),
                "func": place,
                "msg": message,
            });
            return format!("{document}\n");
        }
        format!("{time} | CORE | {level} | ({file}:{line} in {place}) | {message}\n")
    }

    fn time(self, unix_secs: u64) -> String {
        let text = status::format::utc(unix_secs);
        if !self.is_rfc3339 {
            return text;
        }
        text.replace(" UTC", "Z").replacen(' ', "T", 1)
    }
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warn => "WARN",
        Level::Info => "INFO",
        Level::Debug => "DEBUG",
        Level::Trace => "TRACE",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn written(format: Format, message: &str) -> String {
        let now = UNIX_EPOCH + Duration::from_secs(1_769_860_800);
        let arguments = format_args!("{message}").to_string();
        let mut builder = Record::builder();
        builder
            .level(Level::Info)
            .file(Some("control/agent/src/agent.rs"))
            .line(Some(12))
            .module_path(Some("corelane_agent::agent"));
        format.line(&builder.args(format_args!("{arguments}")).build(), now)
    }

    #[test]
    fn text_is_the_agents() {
        let expected = "2026-01-31 12:00:00 UTC | CORE | INFO | \
             (control/agent/src/agent.rs:12 in corelane_agent::agent) | ready\n";
        assert_eq!(written(Format::default(), "ready"), expected);
    }

    #[test]
    fn json_has_the_agents_fields() {
        let format = Format { is_json: true, is_rfc3339: true };
        let value: serde_json::Value =
            serde_json::from_str(&written(format, "a \"b\"")).expect("valid");
        assert_eq!(value["time"], "2026-01-31T12:00:00Z");
        assert_eq!((&value["line"], &value["msg"]), (&"12".into(), &"a \"b\"".into()));
    }

    #[test]
    fn a_message_is_one_line_without_secrets() {
        let secret = "api_key=0123456789abcdef0123456789abcdef\nsecond";
        let line = written(Format::default(), secret);
        assert!(!line.contains("0123456789abcdef0123456789"), "{line}");
        assert_eq!(line.matches('\n').count(), 1, "{line}");
    }
}
