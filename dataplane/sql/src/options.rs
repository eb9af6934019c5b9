//! What to do with a statement, and in which dialect it is written.

/// How statements are obfuscated. The default is what the trace pipeline of an unconfigured Agent
/// does. spec: apm-obfuscation §2, §3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which of the two tokenizers runs, and what it does.
    pub mode: Mode,
    /// Dialect assumed by [`Mode::Default`], which does not look at the dialect of the span. The
    /// trace pipeline leaves it [`Dbms::Unknown`].
    pub dbms: Dbms,
    /// Replace runs of ASCII digits in identifiers and table names with `?`.
    pub replace_digits: bool,
    /// Keep `AS alias`.
    pub keep_sql_alias: bool,
    /// Obfuscate the body of `$func$...$func$` instead of replacing it with `?`.
    pub dollar_quoted_func: bool,
    /// Which metadata to collect. Nothing by default.
    pub collect: Collect,
    /// Options of the other modes than [`Mode::Default`].
    pub lexer: LexerOptions,
}

/// Which tokenizer runs, and what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The tokenizer with filters: obfuscates, normalises, drops comments and aliases, collapses
    /// lists. spec: apm-obfuscation §2
    #[default]
    Default,
    /// Replaces literals and keeps everything else, spaces and comments included. spec: §3.2
    ObfuscateOnly,
    /// Replaces literals and normalises. spec: §3.2, §3.3
    ObfuscateAndNormalize,
    /// Normalises only: literals stay in the text. spec: §3.3
    NormalizeOnly,
}

/// Metadata that is collected from a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collect {
    /// Names of tables. In [`Mode::Default`] this also keeps the token after `UPDATE` and `INTO`,
    /// whatever it is, since it is taken for a table name.
    pub tables: bool,
    /// Commands such as `SELECT`, in upper case.
    pub commands: bool,
    /// Comments, as written.
    pub comments: bool,
    /// Names after `PROCEDURE`. Not in [`Mode::Default`].
    pub procedures: bool,
}

/// Options of the modes [`Mode::ObfuscateOnly`], [`Mode::ObfuscateAndNormalize`] and
/// [`Mode::NormalizeOnly`]. The default is what the trace pipeline uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LexerOptions {
    /// Keep `NULL`.
    pub keep_null: bool,
    /// Keep `TRUE` and `FALSE`.
    pub keep_boolean: bool,
    /// Keep `$1`.
    pub keep_positional_parameter: bool,
    /// Keep the literal after a JSON operator such as `->`.
    pub keep_json_path: bool,
    /// Replace bind parameters such as `@name`, and `:name` of Oracle.
    pub replace_bind_parameter: bool,
    /// Normalising: keep the `;` at the end of the statement.
    pub keep_trailing_semicolon: bool,
    /// Normalising: keep the quotes around identifiers.
    pub keep_identifier_quotation: bool,
    /// Normalising: no space inside of parentheses and brackets, nor after a function's name.
    pub remove_space_between_parentheses: bool,
}

/// The database that a statement is for, as far as its dialect matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dbms {
    /// Any other database.
    #[default]
    Unknown,
    /// Microsoft SQL Server.
    SqlServer,
    /// `PostgreSQL`.
    Postgres,
    /// `MySQL`.
    MySql,
    /// Oracle.
    Oracle,
    /// Snowflake.
    Snowflake,
}

impl Dbms {
    /// The dialect of a span's `db.type`, with its aliases. spec: apm-obfuscation §3
    pub fn from_name(name: &str) -> Self {
        match name {
            "mssql" | "sqlserver" | "sql-server" => Self::SqlServer,
            "postgresql" | "postgres" => Self::Postgres,
            "mysql" => Self::MySql,
            "oracle" => Self::Oracle,
            "snowflake" => Self::Snowflake,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_name_the_same_dialect() {
        assert_eq!(Dbms::from_name("sql-server"), Dbms::from_name("mssql"));
        assert_eq!(Dbms::from_name("postgres"), Dbms::Postgres);
        assert_eq!(Dbms::from_name("cassandra"), Dbms::Unknown);
    }
}
