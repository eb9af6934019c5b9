//! Where flares of tracers go. spec: proxies §3.9.

/// Sites whose flares have a host of their own for each version.
const SITES: [&str; 8] = [
    "datadoghq.com",
    "datadoghq.eu",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "ddog-gov.com",
    "datad0g.com",
];

const PATH: &str = "/api/ui/support/serverless/flare";

/// URL for flares of a site, which may be written as a URL, and a version.
#[must_use]
pub fn flare_url(site: &str, version: &str) -> String {
    let site = site.trim();
    let host = site.split_once("://").map_or(site, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or(host);
    let bare = host.strip_prefix("app.").unwrap_or(host);
    match numbers(version).filter(|_| SITES.contains(&bare)) {
        Some((major, minor, patch)) => {
            format!("https://{major}-{minor}-{patch}-flare.{bare}{PATH}")
        }
        None => format!("https://{host}{PATH}"),
    }
}

/// The first three numbers with dots between.
fn numbers(version: &str) -> Option<(u64, u64, u64)> {
    let start = version.find(|ch: char| ch.is_ascii_digit())?;
    let mut numbers = version.get(start..)?.split('.').map(|part| {
        let end = part.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(part.len());
        part.get(..end)?.parse().ok()
    });
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors() {
        let version = "7.50.0-devel+git.488.be5861b";
        for (site, host) in [
            ("datadoghq.com", "7-50-0-flare.datadoghq.com"),
            ("https://app.datadoghq.com/test", "7-50-0-flare.datadoghq.com"),
            (" us5.datadoghq.com ", "7-50-0-flare.us5.datadoghq.com"),
            ("app.datadoghq.eu", "7-50-0-flare.datadoghq.eu"),
            ("ddog-gov.com", "7-50-0-flare.ddog-gov.com"),
            ("https://datadog.random.com/test", "datadog.random.com"),
            ("intake.local:8443", "intake.local:8443"),
        ] {
            let url = flare_url(site, version);
            assert_eq!(url, format!("https://{host}/api/ui/support/serverless/flare"), "{site}");
        }
        assert!(flare_url("datadoghq.com", "unknown").starts_with("https://datadoghq.com/"));
        assert!(flare_url("datadoghq.com", "7.5").starts_with("https://datadoghq.com/"));
    }
}
