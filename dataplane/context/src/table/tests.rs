use super::*;

const EXPIRY_SECS: u64 = 30;

fn table(contexts_max: usize) -> ContextTable {
    let limits = Limits { contexts_max, lines_max: 1_000_000, expiry_secs: EXPIRY_SECS };
    ContextTable::new(Keys::from_seed(42), limits)
}

fn resolve(table: &mut ContextTable, name: &str, tags: &[&str], now: u64) -> Option<ContextId> {
    let line = table.keys().line(name.as_bytes(), tags.join(",").as_bytes(), None, 0);
    let origin = Arc::from("");
    let mut tags = tags.to_vec();
    let description = Description {
        name,
        tags: &mut tags,
        host: "h0",
        provenance: Provenance::DOGSTATSD,
        origin: &origin,
    };
    table.resolve(Some(line), description, now)
}

fn sweep(table: &mut ContextTable, now: u64) -> usize {
    table.start_sweep();
    let mut expired = 0;
    while table.is_sweeping() {
        expired += table.sweep_slice(now).expired;
    }
    expired
}

#[test]
fn order_and_repetition_of_tags_make_no_context() {
    let mut table = table(10);
    let first = resolve(&mut table, "m", &["b:2", "a:1"], 0);
    assert_eq!(first, resolve(&mut table, "m", &["a:1", "b:2", "a:1"], 0));
    assert_ne!(first, resolve(&mut table, "m", &["a:1"], 0));
    assert_ne!(first, resolve(&mut table, "n", &["a:1", "b:2"], 0));
    assert_eq!((table.alive(), table.lines.len()), (3, 4));
    let line = table.keys().line(b"m", b"b:2,a:1", None, 0);
    assert_eq!(table.find(line), first);
    let Resolution::Context(context) = table.touch(first.unwrap(), 0) else { panic!("alive") };
    let tags: Vec<&str> = context.tags.tags.iter().map(AsRef::as_ref).collect();
    assert_eq!(tags, ["a:1", "b:2"]);
}

#[test]
fn moving_a_byte_between_name_and_tags_makes_another_line() {
    let keys = Keys::from_seed(1);
    let line = |name: &str, tags: &str, local: &str, salt| {
        keys.line(name.as_bytes(), tags.as_bytes(), Some([local.as_bytes(), b"", b""]), salt)
    };
    let all = [
        line("a", "b", "", 0),
        line("b", "a", "", 0),
        line("ab", "", "", 0),
        line("a", "", "b", 0),
        line("a", "b", "", 1),
    ];
    for (i, left) in all.iter().enumerate() {
        assert!(all.iter().skip(i + 1).all(|right| left != right));
    }
}

#[test]
fn the_limit_refuses_new_contexts_and_keeps_known_ones() {
    let mut table = table(2);
    let a = resolve(&mut table, "a", &[], 0);
    assert!(resolve(&mut table, "b", &[], 0).is_some());
    assert_eq!(resolve(&mut table, "c", &[], 0), None);
    assert_eq!(resolve(&mut table, "a", &[], 0), a);
}

#[test]
fn memory_and_ids_return_after_expiry() {
    let mut table = table(1_000_000);
    let empty = table.heap_bytes();
    for n in 0..5000 {
        resolve(&mut table, "m", &[&format!("n:{n}"), "shared:1"], 100);
    }
    assert_eq!(table.tag_count(), 5002, "tags and the host name");
    assert_eq!(sweep(&mut table, 100 + EXPIRY_SECS), 0);
    let kept = resolve(&mut table, "m", &["n:7", "shared:1"], 100).unwrap();
    assert!(matches!(table.touch(kept, 120), Resolution::Context(_)));
    assert_eq!(sweep(&mut table, 101 + EXPIRY_SECS), 4999);
    assert_eq!((table.alive(), table.lines.len(), table.tag_count()), (1, 1, 3));
    assert_eq!(sweep(&mut table, 200), 1);
    assert_eq!((table.alive(), table.tag_count()), (0, 0));
    assert_eq!(table.heap_bytes(), empty);
    assert_eq!(resolve(&mut table, "x", &[], 200), Some(ContextId(0)));
}

/// A line that leads to an expired id, before it is swept, is told to resolve again and gets a
/// fresh id, never one that a swept line may still reach.
#[test]
fn an_id_is_not_reused_while_lines_lead_to_it() {
    let mut table = table(10);
    let a = resolve(&mut table, "a", &[], 0).unwrap();
    table.start_sweep();
    assert_eq!(table.sweep_slice(1000).expired, 1);
    assert!(matches!(table.touch(a, 1000), Resolution::Expired));
    let b = resolve(&mut table, "b", &[], 1000).unwrap();
    assert_ne!(a, b);
    let again = resolve(&mut table, "a", &[], 1000).unwrap();
    assert_ne!(again, a);
    while table.is_sweeping() {
        table.sweep_slice(1000);
    }
    let line = table.keys().line(b"a", b"", None, 0);
    assert_eq!(table.find(line), Some(again));
    assert_eq!(resolve(&mut table, "c", &[], 1000), Some(a), "free after the round");
}

#[test]
fn filtered_lines_are_remembered_and_expire() {
    let mut table = table(10);
    let line = table.keys().line(b"noise", b"", None, 0);
    table.resolve_filtered(line, 0);
    let id = table.find(line).unwrap();
    assert!(matches!(table.touch(id, 5), Resolution::Filtered));
    assert_eq!(sweep(&mut table, 1000), 1);
    assert_eq!(table.find(line), None);
}
