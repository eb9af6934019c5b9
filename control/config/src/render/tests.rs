use super::*;
use crate::{FileSource, Sources, check};

#[test]
fn findings_show_their_line_and_no_other() {
    let text = "api_key: 0123456789abcdef0123456789abcdef\n\ntelemetry:\n  enabeld: true\n";
    let file = FileSource::Text { name: "datadog.yaml".to_owned(), bytes: text.into() };
    let report = check(&Sources { file, ..Sources::default() });
    let rendered: String =
        report.diagnostics.iter().map(|found| render(found, Some(text))).collect();
    assert_eq!(
        rendered,
        "  ⚠ telemetry.enabeld: unknown key
   ╭─[datadog.yaml:4:3]
 4 │ enabeld: true
   · ─────────────
   ╰────
  help: did you mean telemetry.enabled?
"
    );
}

#[test]
fn findings_without_place_are_plain() {
    let report = check(&Sources::default());
    assert_eq!(
        render(&report.diagnostics[0], None),
        "  × api_key: there is no API key, so nothing can be delivered
  help: set it in the file, or DD_API_KEY
"
    );
}

#[test]
fn lines_with_secrets_are_hidden() {
    let text = "api_key: [hunter2]\n# password: x\nproxy: {https: 'ftp://u:hunter2@p'}\n";
    let file = FileSource::Text { name: "datadog.yaml".to_owned(), bytes: text.into() };
    for found in check(&Sources { file, ..Sources::default() }).diagnostics {
        let shown = render(&found, Some(text));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
