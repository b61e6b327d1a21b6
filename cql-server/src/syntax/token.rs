//! The kinds of tokens, and every keyword with the class that says where it may still be a name.

use std::fmt;

/// Where a keyword may stand for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nowhere.
    Reserved,
    /// Everywhere.
    Basic,
    /// The name of a native type: not as the name of a user-defined type.
    Type,
    /// Neither as the name of a function nor of a user-defined type.
    Other,
}

macro_rules! keywords {
    ($($class:ident { $($variant:ident $text:literal)* })*) => {
        /// A word of the grammar.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Keyword { $($($variant,)*)* }

        const KEYWORDS: &[(&str, Keyword, Class)] = &[$($(($text, Keyword::$variant, Class::$class),)*)*];
    };
}

keywords! {
    Reserved {
        Select "SELECT" From "FROM" Where "WHERE" And "AND" Entries "ENTRIES" Full "FULL" Insert "INSERT"
        Update "UPDATE" With "WITH" Limit "LIMIT" Using "USING" Use "USE" Set "SET" Begin "BEGIN"
        Unlogged "UNLOGGED" Batch "BATCH" Apply "APPLY" Truncate "TRUNCATE" Delete "DELETE" In "IN"
        Create "CREATE" Schema "SCHEMA" Keyspace "KEYSPACE" ColumnFamily "COLUMNFAMILY" Materialized "MATERIALIZED"
        View "VIEW" Index "INDEX" On "ON" To "TO" Drop "DROP" Primary "PRIMARY" Into "INTO" Alter "ALTER"
        Rename "RENAME" Add "ADD" Order "ORDER" By "BY" Asc "ASC" Desc "DESC" Allow "ALLOW" If "IF" Is "IS"
        Grant "GRANT" Of "OF" Revoke "REVOKE" Modify "MODIFY" Authorize "AUTHORIZE" Describe "DESCRIBE"
        Execute "EXECUTE" Norecursive "NORECURSIVE" Token "TOKEN" Null "NULL" Not "NOT" Nan "NAN"
        Infinity "INFINITY" Or "OR"
    }
    Basic {
        Keys "KEYS" As "AS" Cluster "CLUSTER" Clustering "CLUSTERING" Compact "COMPACT" Storage "STORAGE"
        Tables "TABLES" Type "TYPE" Types "TYPES" Values "VALUES" Map "MAP" List "LIST" Filtering "FILTERING"
        Permission "PERMISSION" Permissions "PERMISSIONS" Keyspaces "KEYSPACES" All "ALL" User "USER" Users "USERS"
        Role "ROLE" Roles "ROLES" Identity "IDENTITY" Superuser "SUPERUSER"
        Nosuperuser "NOSUPERUSER" Login "LOGIN" Nologin "NOLOGIN" Options "OPTIONS" Password "PASSWORD"
        Hashed "HASHED" Exists "EXISTS" Custom "CUSTOM" Trigger "TRIGGER" Contains "CONTAINS"
        Internals "INTERNALS" Only "ONLY" Static "STATIC" Frozen "FROZEN" Tuple "TUPLE" Function "FUNCTION"
        Functions "FUNCTIONS" Aggregate "AGGREGATE" Aggregates "AGGREGATES" Sfunc "SFUNC" Stype "STYPE"
        Finalfunc "FINALFUNC" Initcond "INITCOND" Returns "RETURNS" Language "LANGUAGE" Called "CALLED"
        Input "INPUT" Like "LIKE" Per "PER" Partition "PARTITION" Group "GROUP" Datacenters "DATACENTERS"
        Cidrs "CIDRS" Access "ACCESS" Default "DEFAULT" Mbean "MBEAN" Mbeans "MBEANS" Replace "REPLACE"
        Unset "UNSET" Masked "MASKED" Unmask "UNMASK" SelectMasked "SELECT_MASKED" Vector "VECTOR" Ann "ANN"
    }
    Type {
        Ascii "ASCII" Bigint "BIGINT" Blob "BLOB" Boolean "BOOLEAN" Counter "COUNTER" Decimal "DECIMAL"
        Double "DOUBLE" Duration "DURATION" Float "FLOAT" Inet "INET" Int "INT" Smallint "SMALLINT"
        Tinyint "TINYINT" Text "TEXT" Uuid "UUID" Varchar "VARCHAR" Varint "VARINT" Timeuuid "TIMEUUID"
        Date "DATE" Time "TIME" Timestamp "TIMESTAMP"
    }
    Other {
        Ttl "TTL" Count "COUNT" Writetime "WRITETIME" Maxwritetime "MAXWRITETIME" Key "KEY" Cast "CAST"
        Json "JSON" Distinct "DISTINCT"
    }
}

/// Longest text of a keyword.
const KEYWORD_BYTES_MAX: usize = 13;

impl Keyword {
    /// The keyword that `word` is, in whatever case.
    pub(super) fn find(word: &str) -> Option<Keyword> {
        if word.len() > KEYWORD_BYTES_MAX {
            return None;
        }
        // Two keywords have a second spelling.
        if word.eq_ignore_ascii_case("TABLE") {
            return Some(Keyword::ColumnFamily);
        }
        if word.eq_ignore_ascii_case("COLUMNFAMILIES") {
            return Some(Keyword::Tables);
        }
        KEYWORDS
            .iter()
            .find(|(text, ..)| text.eq_ignore_ascii_case(word))
            .map(|(_, keyword, _)| *keyword)
    }

    /// Its text and where it may be a name.
    fn entry(self) -> (&'static str, Class) {
        KEYWORDS
            .iter()
            .find(|(_, keyword, _)| *keyword == self)
            .map_or(("", Class::Reserved), |(text, _, class)| (text, *class))
    }

    /// Where it may be a name.
    pub(crate) fn class(self) -> Class {
        self.entry().1
    }

    /// Its text in capitals.
    pub(crate) fn text(self) -> &'static str {
        self.entry().0
    }
}

/// What a token is. Its text is a slice of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word(Keyword),
    Identifier,
    QuotedName,
    EmptyQuotedName,
    /// `'...'` or `$$...$$`.
    String,
    Integer,
    Float,
    Boolean,
    Duration,
    Uuid,
    Hex,
    /// `-NaN` and `-Infinity`.
    NegativeNan,
    NegativeInfinity,
    /// `?`
    Marker,
    /// `..`
    Range,
    /// `expr(`
    Expr,
    /// Any other sign, as itself.
    Sign(&'static str),
    /// After the last token.
    End,
}

impl fmt::Display for Kind {
    /// The names that errors show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Word(Keyword::Nan) => f.write_str("K_POSITIVE_NAN"),
            Kind::Word(Keyword::Infinity) => f.write_str("K_POSITIVE_INFINITY"),
            Kind::Word(keyword) => write!(f, "K_{}", keyword.text()),
            Kind::Identifier => f.write_str("IDENT"),
            Kind::QuotedName => f.write_str("QUOTED_NAME"),
            Kind::EmptyQuotedName => f.write_str("EMPTY_QUOTED_NAME"),
            Kind::String => f.write_str("STRING_LITERAL"),
            Kind::Integer => f.write_str("INTEGER"),
            Kind::Float => f.write_str("FLOAT"),
            Kind::Boolean => f.write_str("BOOLEAN"),
            Kind::Duration => f.write_str("DURATION"),
            Kind::Uuid => f.write_str("UUID"),
            Kind::Hex => f.write_str("HEXNUMBER"),
            Kind::NegativeNan => f.write_str("K_NEGATIVE_NAN"),
            Kind::NegativeInfinity => f.write_str("K_NEGATIVE_INFINITY"),
            Kind::Marker => f.write_str("QMARK"),
            Kind::Range => f.write_str("RANGE"),
            Kind::Expr => f.write_str("'expr('"),
            Kind::Sign(sign) => write!(f, "'{sign}'"),
            Kind::End => f.write_str("EOF"),
        }
    }
}

/// One token: what it is and which bytes of the statement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// How many tokens precede it, blanks and comments counted: errors show a stretch of so many around them.
    pub(crate) ordinal: u32,
}
