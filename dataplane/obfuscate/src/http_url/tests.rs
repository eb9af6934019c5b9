//! URLs beside the vectors.

use super::*;

fn obfuscated(url: &str, remove_query_string: bool, remove_path_digits: bool) -> String {
    let mut out = String::new();
    let options = UrlOptions { remove_query_string, remove_path_digits };
    obfuscate(url, options, &mut out).select(url, &out).to_owned()
}

#[test]
fn users_are_taken_out_of_any_scheme() {
    assert_eq!(obfuscated("//u:p@h/x", false, false), "//h/x");
    assert_eq!(obfuscated("PG://u:p%40@h:1/x", false, false), "pg://h:1/x");
    assert_eq!(obfuscated("http://a@b@h", false, false), "http://h");
    assert_eq!(
        obfuscated("http://u:p@[fe80::1%25en0]:8/", false, false),
        "http://[fe80::1%25en0]:8/"
    );
}

#[test]
fn what_needs_no_change_stays() {
    for url in [
        "",
        "/",
        "*",
        "//h",
        "///p",
        "http:///p",
        "file:/p",
        "mailto:a@b",
        "http://h?",
        "http://h?a?b",
        "http://h/a%2Fb?q=é#f%20(1)",
        "http://[::1]:80/",
        "http://h/!$&'()*+,;=:@[]",
    ] {
        assert_eq!(obfuscated(url, false, false), url);
    }
}

#[test]
fn unsound_bytes_are_escaped() {
    assert_eq!(obfuscated("http://h/a b!é", false, false), "http://h/a%20b%21%C3%A9");
    assert_eq!(obfuscated("http://hé/", false, false), "http://h%C3%A9/");
    assert_eq!(obfuscated("http://h/#a b", false, false), "http://h/#a%20b");
}

#[test]
fn malformed_urls_are_hidden_only_with_options() {
    for url in [
        ":x",
        "a:b:c/%",
        "http://h:port/",
        "http://[::1/",
        "http://[::1]x/",
        "http://h h/",
        "http://u ser@h/",
        "http://h/\n",
        "http://h%20/",
        "http://h/#%g",
        "1:2",
        "\u{7f}",
    ] {
        assert_eq!(obfuscated(url, false, false), url);
        let hidden = obfuscated(url, true, false);
        assert!(hidden == "?" || url == "a:b:c/%", "{url} gave {hidden}");
    }
}

#[test]
fn segments_are_those_of_the_unescaped_path() {
    assert_eq!(obfuscated("http://h/a%2Fb1/c", false, true), "http://h/a/?/c");
    assert_eq!(obfuscated("http://h/%31/c", false, true), "http://h/?/c");
    assert_eq!(obfuscated("http://h/%41%2F%42", false, true), "http://h/%41%2F%42");
    assert_eq!(obfuscated("a%3Ab/1", false, true), "./a:b/?");
}

#[test]
fn plain_urls_are_what_the_parser_leaves_alone() {
    for url in ["http://h", "https://h:8080/a.b/c~d;e=1?q=%zz&ü", "http://h:/", "http://h/?"] {
        assert!(is_plain(url.as_bytes()), "{url}");
        let mut out = String::new();
        if let Some(parts) = Url::parse(url) {
            write(&parts, UrlOptions::default(), &mut out);
            assert_eq!(out, url);
        }
    }
    for url in ["http://", "http://?q", "http://u@h", "http://h#", "http://é/", "HTTP://h"] {
        assert!(!is_plain(url.as_bytes()), "{url}");
    }
}
