//! Which names hide their values, for those who make snapshots. spec: proxies §5.6.

use std::collections::BTreeSet;

/// Names whose values are never captured, unless they are excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// Normalised.
    names: BTreeSet<String>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self::new([""; 0], [""; 0])
    }
}

impl Redaction {
    /// The built-in names and `added` ones, without `excluded` ones.
    pub fn new<Name: AsRef<str>>(
        added: impl IntoIterator<Item = Name>,
        excluded: impl IntoIterator<Item = Name>,
    ) -> Self {
        let mut names: BTreeSet<String> = BUILT_IN.iter().map(|&name| name.to_owned()).collect();
        names.extend(added.into_iter().map(|name| normalise(name.as_ref())));
        for name in excluded {
            let _was_there = names.remove(&normalise(name.as_ref()));
        }
        Self { names }
    }

    /// Whether the value of this name must not be captured. Case, `_`, `-`, `$` and `@` do not
    /// matter.
    #[must_use]
    pub fn redacts(&self, name: &str) -> bool {
        self.names.contains(&normalise(name))
    }
}

fn normalise(name: &str) -> String {
    let kept = name.chars().filter(|letter| !matches!(letter, '_' | '-' | '$' | '@'));
    kept.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Normalised and sorted.
const BUILT_IN: &[&str] = &[
    "2fa",
    "accesstoken",
    "aiohttpsession",
    "apikey",
    "apisecret",
    "apisignature",
    "appkey",
    "applicationkey",
    "auth",
    "authorization",
    "authtoken",
    "ccnumber",
    "certificatepin",
    "cipher",
    "clientid",
    "clientsecret",
    "connect.sid",
    "connectionstring",
    "connectsid",
    "cookie",
    "credentials",
    "creditcard",
    "csrf",
    "csrftoken",
    "cvv",
    "databaseurl",
    "dburl",
    "encryptionkey",
    "encryptionkeyid",
    "geolocation",
    "gpgkey",
    "ipaddress",
    "jti",
    "jwt",
    "licensekey",
    "masterkey",
    "mysqlpwd",
    "nonce",
    "oauth",
    "oauthtoken",
    "otp",
    "passhash",
    "passwd",
    "password",
    "passwordb",
    "pemfile",
    "pgpkey",
    "phpsessid",
    "pin",
    "pincode",
    "pkcs8",
    "privatekey",
    "publickey",
    "pwd",
    "recaptchakey",
    "refreshtoken",
    "routingnumber",
    "salt",
    "secret",
    "secretkey",
    "secrettoken",
    "securityanswer",
    "securitycode",
    "securityquestion",
    "serviceaccountcredentials",
    "session",
    "sessionid",
    "sessionkey",
    "setcookie",
    "signature",
    "signaturekey",
    "sshkey",
    "ssn",
    "symfony",
    "token",
    "transactionid",
    "twiliotoken",
    "usersession",
    "voterid",
    "xapikey",
    "xauthtoken",
    "xcsrftoken",
    "xforwardedfor",
    "xrealip",
    "xsrf",
    "xsrftoken",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter() {
        let redaction = Redaction::default();
        for name in ["password", "PassWord", "api_key", "$api-Key@", "X-Auth-Token", "ssn", "jwt"] {
            assert!(redaction.redacts(name), "{name}");
        }
        for name in ["user", "passwords", "", "tokens"] {
            assert!(!redaction.redacts(name), "{name}");
        }
    }

    #[test]
    fn names_are_added_and_excluded() {
        let redaction = Redaction::new(["My_Name"], ["PASS-WORD", "unknown"]);
        assert!(redaction.redacts("myname"));
        assert!(!redaction.redacts("password"));
        assert!(redaction.redacts("passwd"));
    }

    #[test]
    fn built_in_names_are_normalised_and_sorted() {
        assert!(BUILT_IN.is_sorted());
        assert!(BUILT_IN.iter().all(|name| normalise(name) == *name));
    }
}
