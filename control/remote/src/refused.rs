//! Why documents are refused.

/// Causes of a refusal; each is one counter in `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cause {
    /// Bytes are no JSON of the expected shape, or cannot be signed.
    Json,
    /// A document carries no signature at all.
    NoSignatures,
    /// Too few valid signatures of different keys.
    Threshold,
    /// A role that nobody needs to sign.
    InvalidThreshold,
    /// A key of a type that cannot be verified.
    KeyType,
    /// A document of another role.
    WrongType,
    /// An older version than the trusted one.
    Rollback,
    /// A document that is no longer valid.
    Expired,
    /// A document that is named but was not delivered.
    MissingMeta,
    /// Length of a document differs from what names it.
    MetaLength,
    /// Hash of a document differs from what names it.
    MetaHash,
    /// Version of a document differs from what names it.
    MetaVersion,
    /// A root that is not the next one.
    RootVersion,
    /// A hash of an algorithm that is not known.
    HashAlgorithm,
    /// More bytes than are taken.
    TooLarge,
    /// A snapshot no longer lists what the one before did.
    RoleRemoved,
    /// A path outside the grammar.
    Path,
    /// The config repository does not list a target of the director.
    NotInConfig,
    /// Both repositories list a target with different lengths.
    RepositoryLength,
    /// Both repositories list a target with different hashes.
    RepositoryHash,
    /// Both repositories list a target with different algorithms.
    RepositoryHashCount,
    /// A target has no hash.
    NoHash,
    /// The content of a target is missing.
    FileMissing,
    /// The content of a target has another length.
    FileLength,
    /// The content of a target has another hash.
    FileHash,
    /// The repository belongs to another organisation.
    OrgUuid,
    /// A target belongs to another organisation than the legacy key.
    OrgId,
    /// A search went through too many roles.
    TooManyRoles,
}

impl Cause {
    /// Name of the counter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::NoSignatures => "no_signatures",
            Self::Threshold => "threshold",
            Self::InvalidThreshold => "invalid_threshold",
            Self::KeyType => "key_type",
            Self::WrongType => "wrong_type",
            Self::Rollback => "rollback",
            Self::Expired => "expired",
            Self::MissingMeta => "missing_meta",
            Self::MetaLength => "meta_length",
            Self::MetaHash => "meta_hash",
            Self::MetaVersion => "meta_version",
            Self::RootVersion => "root_version",
            Self::HashAlgorithm => "hash_algorithm",
            Self::TooLarge => "too_large",
            Self::RoleRemoved => "role_removed",
            Self::Path => "path",
            Self::NotInConfig => "target_not_in_config_repo",
            Self::RepositoryLength => "repo_length_mismatch",
            Self::RepositoryHash => "repo_hash_mismatch",
            Self::RepositoryHashCount => "repo_hash_count",
            Self::NoHash => "no_hash",
            Self::FileMissing => "file_missing",
            Self::FileLength => "file_length",
            Self::FileHash => "file_hash",
            Self::OrgUuid => "org_uuid",
            Self::OrgId => "org_id",
            Self::TooManyRoles => "too_many_roles",
        }
    }
}

/// A document, or an answer with it, that is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// What kind of fault it is.
    pub cause: Cause,
    /// Which document, and what is wrong with it.
    pub detail: String,
}

impl Refused {
    pub(crate) fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self { cause, detail: detail.into() }
    }

    /// The same fault, with the repository it was found in.
    pub(crate) fn within(self, repository: &str) -> Self {
        Self { detail: format!("{repository} repository: {}", self.detail), ..self }
    }
}

/// Shorthand of the modules that verify.
pub(crate) type Result<T> = std::result::Result<T, Refused>;
