use super::*;

fn proxy(list: &[&str], is_nonexact: bool) -> Proxy {
    let no_proxy = list.iter().map(|entry| (*entry).to_owned()).collect();
    Proxy { no_proxy, is_nonexact, site: "datadoghq.eu".to_owned(), ..Proxy::default() }
}

// The vectors of §6 run with the other value vectors, in `parse`.

#[test]
fn an_entry_equal_to_the_site_covers_its_subdomains() {
    let exact = proxy(&["DATADOGHQ.eu", "x.example"], false);
    assert!(exact.bypasses("app.datadoghq.eu.", Some(443)));
    assert!(!exact.bypasses("notdatadoghq.eu", None));
    assert!(!exact.bypasses("a.x.example", None));
}

#[test]
fn ports_and_addresses() {
    let exact = proxy(&["h:80", "[::1]:443", "fe80::1", "10.0.0.0/8"], false);
    assert!(exact.bypasses("H", Some(80)) && !exact.bypasses("h", None));
    assert!(exact.bypasses("::1", Some(443)) && exact.bypasses("fe80:0::1", None));
    assert!(!exact.bypasses("10.1.2.3", None));
    assert!(!proxy(&["/8", "1/2/3", ""], true).bypasses("", None));
}

#[test]
fn debug_hides_the_password() {
    let https = Some("http://user:hunter2@proxy".to_owned());
    let shown = format!("{:?}", Proxy { https, ..Proxy::default() });
    assert!(!shown.contains("hunter2") && shown.contains("proxy"), "{shown}");
}
