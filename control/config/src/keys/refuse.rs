//! Refusals of values that have the right type and still cannot work.

use std::net::{IpAddr, SocketAddr};

use crate::value::Value;

pub(super) fn port(value: &Value) -> Result<(), String> {
    match value.as_int() {
        Some(0..=65_535) => Ok(()),
        Some(_) | None => Err("a port is a number from 0 to 65535".to_owned()),
    }
}

/// A port to listen on.
pub(super) fn listen_port(value: &Value) -> Result<(), String> {
    match value.as_int() {
        Some(-1..=65_535) => Ok(()),
        Some(_) | None => {
            Err("a port is a number from 0 to 65535, or -1 for one that is free".to_owned())
        }
    }
}

/// Rights of a file, in octal.
pub(super) fn mode(value: &Value) -> Result<(), String> {
    match crate::parse::octal_mode(value.as_str()) {
        Some(_) => Ok(()),
        None => Err("rights are octal digits up to 0777, such as 0660".to_owned()),
    }
}

/// Path of a socket that is made where others may write. spec: config §11.5
pub(super) fn socket_path(value: &Value) -> Result<(), String> {
    const PATH_BYTES_MAX: usize = 100;
    let path = value.as_str();
    if path.is_empty() || path.starts_with('/') && path.len() <= PATH_BYTES_MAX {
        return Ok(());
    }
    Err(format!("the path of a socket begins with / and has at most {PATH_BYTES_MAX} bytes"))
}

pub(super) fn not_positive(value: &Value) -> Result<(), String> {
    match value.as_int() {
        Some(1..) => Ok(()),
        Some(_) | None => Err("the number must be 1 or more".to_owned()),
    }
}

pub(super) fn percentiles(value: &Value) -> Result<(), String> {
    let bad = value
        .as_list()
        .iter()
        .find(|text| !text.parse::<f64>().is_ok_and(|fraction| fraction > 0.0 && fraction < 1.0));
    match bad {
        Some(text) => Err(format!("`{text}` is not a decimal between 0 and 1, such as 0.95")),
        None => Ok(()),
    }
}

pub(super) fn aggregates(value: &Value) -> Result<(), String> {
    among(value, &["max", "min", "median", "avg", "sum", "count"])
}

pub(super) fn eol_listeners(value: &Value) -> Result<(), String> {
    among(value, &["udp", "uds", "named_pipe"])
}

pub(super) fn cpus(value: &Value) -> Result<(), String> {
    for item in value.as_list() {
        if crate::parse::cpu_range(item).is_none() {
            return Err(format!("`{item}` is neither a core number nor a range such as 0-3"));
        }
    }
    Ok(())
}

pub(super) fn site(value: &Value) -> Result<(), String> {
    let text = value.as_str().trim();
    let bad = text.chars().find(|c| !(c.is_ascii_alphanumeric() || ".-_:[]/".contains(*c)));
    match bad {
        Some(c) => Err(format!("a site is an ASCII host name; `{c}` does not belong in one")),
        None => Ok(()),
    }
}

pub(super) fn http_url(value: &Value) -> Result<(), String> {
    let text = value.as_str().trim();
    if text.is_empty() || text.starts_with("https://") || text.starts_with("http://") {
        return Ok(());
    }
    if text.contains("://") {
        return Err("only http:// and https:// URLs are spoken".to_owned());
    }
    if text.contains(char::is_whitespace) {
        return Err("a URL has no blanks inside".to_owned());
    }
    Ok(())
}

pub(super) fn expressions(value: &Value) -> Result<(), String> {
    value.as_list().iter().try_for_each(|pattern| expression(pattern))
}

/// Tags whose value, after the first colon, is a regular expression.
pub(super) fn tag_expressions(value: &Value) -> Result<(), String> {
    let patterns = value.as_list().iter().filter_map(|tag| tag.split_once(':'));
    patterns.map(|(_, pattern)| pattern.trim()).try_for_each(expression)
}

/// Rules with a name, a pattern and a replacement.
pub(super) fn replace_rules(value: &Value) -> Result<(), String> {
    for rule in value.as_json().and_then(serde_json::Value::as_array).into_iter().flatten() {
        let text = |key: &str| rule.get(key).and_then(serde_json::Value::as_str);
        let (Some(name), Some(pattern)) = (text("name"), text("pattern")) else {
            return Err("each rule needs a name and a pattern, and usually a repl".to_owned());
        };
        if name.is_empty() {
            return Err("the name of a rule is a key, `resource.name` or `*`".to_owned());
        }
        expression(pattern)?;
    }
    Ok(())
}

fn expression(pattern: &str) -> Result<(), String> {
    match regex::Regex::new(pattern) {
        Ok(_) => Ok(()),
        Err(error) => {
            let error = error.to_string();
            let cause = error.lines().last().unwrap_or_default();
            Err(format!("`{pattern}` is no regular expression: {cause}"))
        }
    }
}

pub(super) fn url_map(value: &Value) -> Result<(), String> {
    let Some(map) = value.as_map() else { return Ok(()) };
    for (url, keys) in map {
        let is_good = match keys {
            serde_json::Value::String(_) | serde_json::Value::Null => true,
            serde_json::Value::Array(items) => items.iter().all(serde_json::Value::is_string),
            serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Object(_) => false,
        };
        if !is_good {
            return Err(format!("`{url}` must lead to a list of API keys"));
        }
    }
    Ok(())
}

/// An address that logs go to: `host:port` or a URL; empty is none. spec: logs §4.1
pub(super) fn logs_url(value: &Value) -> Result<(), String> {
    let text = value.as_str().trim();
    if text.is_empty() { Ok(()) } else { crate::endpoints::check_log_address(text) }
}

/// Objects that name a host and a key. spec: logs §4.3
pub(super) fn log_endpoints(value: &Value) -> Result<(), String> {
    let items = value.as_json().and_then(serde_json::Value::as_array);
    let fault = crate::endpoints::log_endpoint_faults(items.map_or(&[], Vec::as_slice)).next();
    fault.map_or(Ok(()), Err)
}

/// A host or address and a port.
pub(super) fn host_port(value: &Value) -> Result<(), String> {
    let text = value.as_str();
    let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    if text.is_empty() || matches!(port, Some(Ok(_))) {
        return Ok(());
    }
    Err("a host and a port, such as localhost:4318, or nothing".to_owned())
}

pub(super) fn bind_address(value: &Value) -> Result<(), String> {
    let text = value.as_str();
    if text.is_empty() || text == "localhost" || text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err("an IP address, `localhost`, or nothing".to_owned())
}

pub(super) fn listen_address(value: &Value) -> Result<(), String> {
    let text = value.as_str();
    if text.is_empty() || text.parse::<SocketAddr>().is_ok() {
        return Ok(());
    }
    Err("an address with a port, such as 127.0.0.1:5100, or nothing".to_owned())
}

fn among(value: &Value, choices: &[&str]) -> Result<(), String> {
    match value.as_list().iter().find(|item| !choices.contains(&item.as_str())) {
        Some(item) => Err(format!("`{item}` is none of {}", choices.join(", "))),
        None => Ok(()),
    }
}
