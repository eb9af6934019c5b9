//! What holds for every input: nothing panics, nothing secret gets out, what is normal stays.

use corelane_obfuscate::cards::{CardScreen, is_card};
use corelane_obfuscate::http_url::{self, UrlOptions};
use corelane_obfuscate::{Change, CommandScrubber, check_obfuscators, normalize, peer_ip, redis};
use proptest::prelude::*;

/// Stands where a secret would; no input has it elsewhere.
const SECRET: &str = "5ecr3t";

fn result(value: &str, obfuscate: impl FnOnce(&str, &mut String) -> Change) -> String {
    let mut out = String::new();
    obfuscate(value, &mut out).select(value, &out).to_owned()
}

/// Bytes close enough to what the obfuscators read to get deep into them.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "SET ",
            "AUTH ",
            "BITFIELD ",
            "ZADD ",
            "CONFIG ",
            "\n",
            " ",
            "\"",
            "\\",
            "...",
            "http://",
            "://",
            "@",
            "%41",
            "%2F",
            "%zz",
            "[",
            "]",
            ":",
            "{",
            "}",
            "\"k\":",
            "\"q\":",
            ",",
            "1.5e3",
            "true",
            "null",
            "\\u12",
            "é",
            "🍣",
            "İ",
            "Ж",
            "__",
            "ip-",
            "10.0.0.1",
            "fe80::1",
            "4111 ",
            " --password=",
            "'",
            "a",
            "Z",
            "0",
            "_",
            ".",
            "-",
            "/",
            "?",
            "#",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// An argument of a Redis command that holds the secret, quoted or not.
fn secret_argument() -> impl Strategy<Value = String> {
    let plain = "[!-~&&[^\" \\\\]]{0,4}".prop_map(|text| format!("{text}{SECRET}{text}"));
    let quoted = "([ a-z\n]|\\\\[ -~]){0,6}".prop_map(|text| format!("\"{text}{SECRET}{text}\""));
    prop_oneof![plain, quoted]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_input_is_survived(bytes in bytes()) {
        check_obfuscators(&bytes);
    }

    #[test]
    fn redis_values_do_not_get_out(
        key in "[a-z]{1,5}",
        value in secret_argument(),
        set in "(SET|set|SetNX|APPEND|GETSET)",
        around in "( |\n){0,3}",
    ) {
        let query = format!("{around}{set} {key}  {value} EX 5\nAUTH {value} {value}\nGET {key}{around}");
        let obfuscated = result(&query, redis::obfuscate);
        prop_assert_eq!(&obfuscated, &format!("{set} {key} ? EX 5\nAUTH ?\nGET {key}"));
        prop_assert!(!result(&query, redis::remove_all_arguments).contains(SECRET));
        let unquoted = query.replace('\n', " ");
        prop_assert!(!result(&unquoted, redis::quantize).contains(SECRET));
    }

    #[test]
    fn users_of_urls_do_not_get_out(
        scheme in "[a-z]{1,5}",
        user in "[a-z%]{0,5}",
        rest in "[a-z0-9/?#%:]{0,12}",
        remove_query_string: bool,
        remove_path_digits: bool,
    ) {
        let options = UrlOptions { remove_query_string, remove_path_digits };
        let url = format!("{scheme}://{user}:{SECRET}@host{rest}");
        let obfuscated = result(&url, |url, out| http_url::obfuscate(url, options, out));
        // Without options a URL that cannot be parsed stays, as the Agent leaves it.
        if obfuscated != url || options != UrlOptions::default() {
            prop_assert!(!obfuscated.contains(SECRET), "{}", obfuscated);
        }
    }

    #[test]
    fn secrets_of_command_lines_do_not_get_out(
        program in "[a-z/]{1,8}",
        word in "(password|PASSWD|my_api_key|x_secret_y|aws_credentials)",
        dashes in "-{0,2}",
        delimiter in "( {1,3}|=|:)",
        quote in "(\"|'|)",
    ) {
        let line = format!("{program} run {dashes}{word}{delimiter}{quote}{SECRET}{quote} --port 80");
        let scrubber = CommandScrubber::new();
        let scrubbed = result(&line, |line, out| scrubber.scrub(line, out));
        prop_assert_eq!(scrubbed, format!("{program} run {dashes}{word}{delimiter}******** --port 80"));
    }

    #[test]
    fn cards_are_found_however_they_are_spaced(
        prefix in "(4|5[1-5]|34|37|6011|222100)",
        digits in "[0-9]{11}",
        spaces in prop::collection::vec("[ -]{0,2}", 18),
    ) {
        let number: String = prefix.chars().chain(digits.chars()).take(16).collect();
        let spaced: String = number.chars().zip(&spaces).map(|(c, space)| format!("{space}{c}")).collect();
        prop_assert!(is_card(&number, false));
        prop_assert!(is_card(&spaced, false));
        prop_assert_eq!(is_card(&number, true), is_card(&spaced, true));
        prop_assert!(CardScreen::default().is_sensitive("key", &spaced));
        let ended = format!("{spaced}.");
        prop_assert!(!is_card(&ended, false));
    }

    #[test]
    fn cuts_keep_characters_whole(value in "\\PC{0,20}", bytes_max in 0_usize..40) {
        let cut = normalize::cut_str(&value, bytes_max);
        prop_assert!(value.starts_with(cut) && cut.len() <= bytes_max.min(value.len()));
        prop_assert!(bytes_max.min(value.len()) - cut.len() < 4);
        prop_assert_eq!(normalize::cut_bytes(value.as_bytes(), bytes_max), cut.as_bytes());
    }

    #[test]
    fn addresses_do_not_get_out(
        octets in any::<[u8; 4]>(),
        separator in "[._-]",
        prefix in "(ip-|http://|dnspoll:///|)",
        port in "(:80|)",
    ) {
        let address = octets.map(|octet| octet.to_string()).join(&separator);
        let allowed = ["127.0.0.1", "169.254.169.254", "169.254.170.2"];
        prop_assume!(!allowed.contains(&address.as_str()));
        let peers = format!("db,{prefix}{address}{port}");
        let expected = format!("db,{prefix}blocked-ip-address{port}");
        prop_assert_eq!(result(&peers, peer_ip::quantize), expected);
    }
}
