//! The roots that everything else is verified from. spec: remote-config §5.3

use crate::refused::Result;
use crate::uptane::Anchors;

struct Documents {
    director: &'static str,
    config: &'static str,
}

macro_rules! documents {
    ($site:literal) => {
        Documents {
            director: include_str!(concat!("../anchors/", $site, "-director.json")),
            config: include_str!(concat!("../anchors/", $site, "-config.json")),
        }
    };
}

const PROD: Documents = documents!("prod");
const GOV: Documents = documents!("gov");
const STAGING: Documents = documents!("staging");

/// The embedded roots of a site.
#[must_use]
pub fn anchors_of_site(site: &str) -> Anchors {
    with_own(site, None, None).expect("embedded roots are good, as a test checks")
}

/// The roots of a site, each replaced by one of the configuration if there is one.
///
/// # Errors
/// For a configured root that cannot be read, or is not signed by its own keys.
pub fn with_own(site: &str, director: Option<&str>, config: Option<&str>) -> Result<Anchors> {
    let embedded = documents(site);
    let director = director.unwrap_or(embedded.director);
    Anchors::new(director.as_bytes(), config.unwrap_or(embedded.config).as_bytes())
}

fn documents(site: &str) -> &'static Documents {
    let is_below = |domain: &str| {
        site.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if site == "datad0g.com" {
        &STAGING
    } else if is_below("ddog-gov.com") || is_below("ddog-gov.mil") {
        &GOV
    } else {
        &PROD
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::canonical::canonical;
    use crate::hash::sha256_hex;

    #[test]
    fn sites_have_their_roots() {
        let version = |site: &str| {
            let anchors = anchors_of_site(site);
            (anchors.director.version, anchors.config.version)
        };
        assert_eq!(version("datad0g.com"), (25, 29));
        for site in ["datadoghq.com", "us5.datadoghq.com", "ddog-gov.com", "x.ddog-gov.mil"] {
            assert_eq!(version(site), (1, 1), "{site}");
        }
        let of = |site| anchors_of_site(site).director.raw;
        assert_eq!(of("ddog-gov.com"), of("us1.ddog-gov.mil"));
        assert_ne!(of("ddog-gov.com"), of("datadoghq.eu"));
        assert_eq!(of("notddog-gov.com"), of("datadoghq.eu"));
    }

    /// spec: remote-config §5.2, real documents.
    #[test]
    fn canonical_forms_of_real_roots() {
        let hash = |document: &str| {
            let value: Value = serde_json::from_str(document).unwrap();
            sha256_hex(&canonical(&value["signed"]).unwrap())
        };
        for (document, expected) in [
            (PROD.director, "740bfc157ddb6be2d71bf6c591a98729462ea979703c22ec4d0f4806330bfaed"),
            (PROD.config, "e1fb5d146494224057ae48b3196deffbebd3b5e944f17b0b934d80d6484c7523"),
            (GOV.director, "7cffd2e49db8e065dee1447cf860044526f7c366bfefd372ad6d3461702d8b5e"),
            (GOV.config, "2c403bc699dc29f351fb8e5a4810caed1891c1aa2941c1f6eb7e7a13f8107f4e"),
        ] {
            assert_eq!(hash(document), expected);
        }
    }

    /// Every document of `remote-config-roots.json` holds, and those that follow one another chain.
    #[test]
    fn vectors_of_real_roots() {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/remote-config-roots.json");
        let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut count = 0;
        for site in all.as_object().unwrap().values() {
            for versions in site.as_object().unwrap().values() {
                for (version, document) in versions.as_object().unwrap() {
                    let root = crate::tuf::Root::anchor(document.to_string().as_bytes()).unwrap();
                    assert_eq!(root.version.to_string(), *version);
                    count += 1;
                }
            }
        }
        assert_eq!(count, 12);
    }

    #[test]
    fn a_root_of_the_configuration_is_checked() {
        let tampered = PROD.director.replace("1970", "2070");
        assert!(with_own("datadoghq.com", Some(&tampered), None).is_err());
        assert!(with_own("datadoghq.com", Some("{}"), None).is_err());
        assert!(with_own("x", Some(GOV.director), Some(GOV.config)).is_ok());
    }
}
