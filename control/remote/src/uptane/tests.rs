use serde_json::json;

use super::*;
use crate::message::{DirectorMetas, TopMeta};
use crate::signing::{self, Repository as Signed, delegation, head, listed, root, sign};
use crate::vectors::NOW_SECS;

const PATH: &str = "datadog/2/ASM/a/config";

fn update(held: &Repositories, answer: LatestConfigsResponse) -> Result<Repositories> {
    held.stage(answer, NOW_SECS)?.finish(&Organisation::default(), NOW_SECS)
}

fn empty() -> Repositories {
    Repositories::new(&Signed::anchors())
}

fn cause(answer: LatestConfigsResponse) -> Cause {
    update(&empty(), answer).expect_err("a bad answer").cause
}

fn with_roots(raw: Vec<u8>) -> LatestConfigsResponse {
    let mut answer = Signed::new(&[PATH]).answer();
    let roots = vec![TopMeta { version: 2, raw: raw.into() }];
    answer.director_metas = Some(DirectorMetas { roots, ..answer.director_metas.unwrap() });
    answer
}

/// spec: remote-config §10, the simplest repository.
#[test]
fn one_key_for_everything_will_do() {
    let held = update(&empty(), Signed::new(&[PATH]).answer()).unwrap();
    assert_eq!(held.file_paths().collect::<Vec<_>>(), [PATH]);
    let mut nothing = Signed::new(&[]);
    nothing.version = 0;
    let held = update(&empty(), nothing.answer()).unwrap();
    assert_eq!(held.versions().director_targets, 0);
}

#[test]
fn oversized_documents_are_refused() {
    let mut signed = signing::root_content(2);
    signed["padding"] = json!("x".repeat(512_000));
    assert_eq!(cause(with_roots(sign(&signed))), Cause::TooLarge);
    let mut answer = Signed::new(&[PATH]).answer();
    let mut timestamp = head("timestamp", 1, signing::LATER);
    timestamp["padding"] = json!("x".repeat(16_384));
    let raw = sign(&timestamp).into();
    answer.director_metas.as_mut().unwrap().timestamp = Some(TopMeta { version: 1, raw });
    assert_eq!(cause(answer), Cause::TooLarge);
}

#[test]
fn unknown_algorithms_and_key_types_are_refused() {
    let mut signed = signing::root_content(2);
    signed["keys"]["k"]["keytype"] = json!("rsa");
    assert_eq!(cause(with_roots(sign(&signed))), Cause::KeyType);
    let mut answer = Signed::new(&[PATH]).answer();
    let mut timestamp = head("timestamp", 1, signing::LATER);
    let metas = answer.director_metas.as_mut().unwrap();
    let mut meta = listed(1, &metas.snapshot.as_ref().unwrap().raw);
    meta["hashes"]["md5"] = json!("00");
    timestamp["meta"] = json!({ "snapshot.json": meta });
    metas.timestamp = Some(TopMeta { version: 1, raw: sign(&timestamp).into() });
    assert_eq!(cause(answer), Cause::HashAlgorithm);
}

/// A role `name` that lists the files if it is the last, and delegates to the next otherwise.
fn chain(repository: &mut Signed, count: usize, is_loop: bool) {
    repository.is_listed_at_top = false;
    repository.delegations = vec![delegation("r0", false)];
    for n in 0..count {
        let mut signed = head("targets", 1, signing::LATER);
        let is_last = n + 1 == count;
        signed["targets"] = if is_last && !is_loop { repository.targets() } else { json!({}) };
        let next = if is_last { "r0".to_owned() } else { format!("r{}", n + 1) };
        signed["delegations"] =
            json!({ "keys": signing::keys(), "roles": [delegation(&next, false)] });
        repository.roles.push((format!("r{n}"), signed, true));
    }
}

#[test]
fn a_search_ends() {
    let with = |count, is_loop| {
        let mut repository = Signed::new(&[PATH]);
        chain(&mut repository, count, is_loop);
        update(&empty(), repository.answer()).map(|_| ()).map_err(|refused| refused.cause)
    };
    assert_eq!(with(1, false), Ok(()));
    assert_eq!(with(32, false), Ok(()));
    assert_eq!(with(33, false), Err(Cause::TooManyRoles));
    assert_eq!(with(3, true), Err(Cause::NotInConfig), "each role is visited once");
}

#[test]
fn a_terminating_role_ends_the_search_outside_itself() {
    let mut repository = Signed::new(&[PATH]);
    repository.is_listed_at_top = false;
    let mut nothing = head("targets", 1, signing::LATER);
    nothing["targets"] = json!({});
    let mut all = nothing.clone();
    all["targets"] = repository.targets();
    repository.roles = vec![("no".into(), nothing, true), ("all".into(), all, true)];
    repository.delegations = vec![delegation("no", false), delegation("all", false)];
    assert!(update(&empty(), repository.answer()).is_ok());
    repository.delegations = vec![delegation("no", true), delegation("all", false)];
    assert_eq!(cause(repository.answer()), Cause::NotInConfig);
}

#[test]
fn roles_must_be_in_the_snapshot_and_stay_there() {
    let mut repository = Signed::new(&[PATH]);
    chain(&mut repository, 1, false);
    let held = update(&empty(), repository.answer()).unwrap();
    repository.roles[0].2 = false;
    assert_eq!(cause(repository.answer()), Cause::MissingMeta);
    repository.version = 2;
    let refused = update(&held, repository.answer()).unwrap_err();
    assert_eq!(refused.cause, Cause::RoleRemoved, "{refused}");
}

#[test]
fn a_legacy_key_sees_its_own_organisation_alone() {
    let answer = Signed::new(&["employee/CWS_DD/a/b", PATH]).answer();
    let finish = |id| {
        let organisation = Organisation { uuid: None, id };
        let staged = empty().stage(answer.clone(), NOW_SECS).unwrap();
        staged.finish(&organisation, NOW_SECS).map(|_| ()).map_err(|refused| refused.cause)
    };
    assert_eq!(finish(Some(2)), Ok(()));
    assert_eq!(finish(Some(3)), Err(Cause::OrgId));
}

#[test]
fn paths_outside_the_grammar_are_refused() {
    assert_eq!(cause(Signed::new(&["datadog/2/ASM/a"]).answer()), Cause::Path);
}

/// What was dropped must be sent again, and older documents are never taken for it.
#[test]
fn a_state_that_does_not_verify_is_not_restored() {
    let held = update(&empty(), Signed::new(&[PATH]).answer()).unwrap();
    let (director, config, files) = held.stored();
    let anchors = Signed::anchors();
    let restored =
        Repositories::restore(&anchors, director.clone(), config.clone(), files.clone()).unwrap();
    assert_eq!(restored.versions(), held.versions());
    assert_eq!(restored.served.len(), 1);
    let mut other = files.clone();
    other.insert(PATH.to_owned(), Bytes::from_static(b"another"));
    assert!(Repositories::restore(&anchors, director.clone(), config.clone(), other).is_err());
    let mut forged = director.clone();
    forged.top_targets.as_mut().unwrap().raw = root(1).into();
    assert!(Repositories::restore(&anchors, forged, config.clone(), files.clone()).is_err());
    let foreign = crate::anchors::anchors_of_site("datadoghq.com");
    assert!(Repositories::restore(&foreign, director, config, files.clone()).is_err());
}

/// The documents of an answer may come one by one: what is absent is what came before.
#[test]
fn absent_parts_are_those_before() {
    let answer = Signed::new(&[PATH]).answer();
    let held = update(&empty(), answer).unwrap();
    let mut next = Signed::new(&[PATH]);
    next.version = 2;
    let mut only_director = next.answer();
    only_director.config_metas = None;
    only_director.target_files.clear();
    let held = update(&held, only_director).unwrap();
    assert_eq!((held.versions().director_targets, held.versions().config_targets), (2, 1));
}
