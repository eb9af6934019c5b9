//! Which container this process runs in, as agents want to know. spec: proxies §5.1.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use http::header::{HeaderMap, HeaderName, HeaderValue};

const CONTAINER_ID: HeaderName = HeaderName::from_static("datadog-container-id");
const ENTITY_ID: HeaderName = HeaderName::from_static("datadog-entity-id");
const EXTERNAL_ENV: HeaderName = HeaderName::from_static("datadog-external-env");

/// Inode of the cgroup namespace of a host. There a path says nothing of a container.
const HOST_CGROUP_NAMESPACE: u64 = 0xEFFF_FFFB;

/// Headers about this process; those that are not known are left out.
pub(crate) fn of_this_process() -> HeaderMap {
    let external = std::env::var("DD_EXTERNAL_ENV").ok();
    headers(Path::new("/"), external.as_deref())
}

/// The same below another root directory.
fn headers(root: &Path, external: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut insert = |name, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    let cgroup = fs::read(root.join("proc/self/cgroup")).unwrap_or_default();
    match entity::container_of_cgroup(&cgroup) {
        Some(id) => {
            insert(CONTAINER_ID, id);
            insert(ENTITY_ID, &format!("ci-{id}"));
        }
        None => {
            if let Some(inode) = cgroup_inode(root, &cgroup) {
                insert(ENTITY_ID, &format!("in-{inode}"));
            }
        }
    }
    if let Some(external) = external.map(str::trim).filter(|text| !text.is_empty()) {
        insert(EXTERNAL_ENV, external);
    }
    headers
}

/// Inode of the process' own cgroup v2 directory, unless it is in the host's namespace.
fn cgroup_inode(root: &Path, cgroup: &[u8]) -> Option<u64> {
    let namespace = fs::metadata(root.join("proc/self/ns/cgroup"));
    if namespace.is_ok_and(|namespace| namespace.ino() == HOST_CGROUP_NAMESPACE) {
        return None;
    }
    let text = std::str::from_utf8(cgroup).ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    let directory = root.join("sys/fs/cgroup").join(path.trim_start_matches('/'));
    let inode = fs::metadata(directory).ok()?.ino();
    // The root directories of mounts have these; they name nobody.
    (inode > 2).then_some(inode)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
        headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn root(cgroup: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(root.path().join("proc/self")).expect("a directory");
        fs::create_dir_all(root.path().join("sys/fs/cgroup/job")).expect("a directory");
        fs::write(root.path().join("proc/self/cgroup"), cgroup).expect("a file");
        root
    }

    #[test]
    fn a_container_is_named_by_its_id() {
        let root = root(&format!("0::/docker/{ID}\n"));
        let headers = headers(root.path(), None);
        assert_eq!(text(&headers, &CONTAINER_ID), Some(ID));
        assert_eq!(text(&headers, &ENTITY_ID), Some(format!("ci-{ID}").as_str()));
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn an_unnamed_cgroup_is_named_by_its_inode() {
        let root = root("0::/job\n");
        let inode = fs::metadata(root.path().join("sys/fs/cgroup/job")).expect("a directory").ino();
        let headers = headers(root.path(), None);
        assert_eq!(text(&headers, &ENTITY_ID), Some(format!("in-{inode}").as_str()));
        assert_eq!(text(&headers, &CONTAINER_ID), None);
    }

    #[test]
    fn external_data_is_passed_on_and_nothing_is_made_up() {
        let root = tempfile::tempdir().expect("a directory");
        let found = headers(root.path(), Some(" it-false,cn-web,pu-1 "));
        assert_eq!(text(&found, &EXTERNAL_ENV), Some("it-false,cn-web,pu-1"));
        assert_eq!(found.len(), 1);
        assert!(headers(root.path(), Some("bad\nbytes")).is_empty());
        assert!(headers(root.path(), None).is_empty());
    }
}
