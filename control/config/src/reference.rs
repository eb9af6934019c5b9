//! The reference page: every key that corelane uses, from the table.

use crate::entry::Entry;
use crate::keys;

/// The page as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration reference\n\n\
         Generated from the table of keys; `corelane config explain KEY` tells the same for one \
         key, with the value in effect.\n\n\
         Order, low to high: default, file, environment, remote configuration, flags, secrets. \
         Keys are read in any letter case, as sections or with dots. *Change* says when a new value \
         acts: `live` on reload (SIGHUP), `restart` at the next start.\n",
    );
    for area in keys::areas() {
        page.push_str(&format!("\n## {}\n\n", area.title));
        page.push_str("| Key | Type | Default | Variable | Change | Meaning |\n");
        page.push_str("|---|---|---|---|---|---|\n");
        for entry in area.entries {
            row(entry, &mut page);
        }
    }
    page
}

fn row(entry: &Entry, page: &mut String) {
    let default = match entry.default_text() {
        "" => "empty".to_owned(),
        text => format!("`{text}`"),
    };
    let mut names: Vec<String> =
        entry.env_names().into_iter().map(|name| format!("`{name}`")).collect();
    names.truncate(4);
    let mut meaning = entry.meaning().to_owned();
    if !entry.aliases.is_empty() {
        meaning.push_str(&format!(" Also read as `{}`.", entry.aliases.join("`, `")));
    }
    page.push_str(&format!(
        "| `{}` | {} | {default} | {} | {} | {meaning} |\n",
        entry.name(),
        entry.expected(),
        names.join(", "),
        entry.reload().noun(),
    ));
}
