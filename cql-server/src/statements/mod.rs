//! One file or folder per statement: its struct, its parser, how it is prepared and executed.
//!
//! Knows: what a statement means for schema and rows. Never: byte layouts of keys or frames.

pub(crate) mod assemble;
pub(crate) mod attributes;
pub(crate) mod batch;
pub(crate) mod conditions;
pub(crate) mod ddl;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod insert;
pub(crate) mod restrictions;
pub(crate) mod roles;
pub(crate) mod select;
pub(crate) mod terms;
pub(crate) mod truncate;
pub(crate) mod update;
pub(crate) mod use_keyspace;
pub(crate) mod views;
pub(crate) mod write;

use crate::syntax::{Keyword, Kind, Parsed, Tokens};
use batch::Batch;
use ddl::Ddl;
use delete::Delete;
use describe::Describe;
use insert::Insert;
use roles::RoleStatement;
use select::Select;
use truncate::Truncate;
use update::Update;
use use_keyspace::Use;

/// Everything that a client may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Statement {
    Select(Box<Select>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    Batch(Box<Batch>),
    Truncate(Truncate),
    Use(Use),
    Ddl(Box<Ddl>),
    Describe(Describe),
    Role(RoleStatement),
}

/// Any statement: its first word says which.
pub(crate) fn statement(input: Tokens<'_>) -> Parsed<'_, Statement> {
    let Kind::Word(keyword) = input.peek() else {
        return Err(input.no_alternative());
    };
    match keyword {
        Keyword::Select => boxed(input, select::select, Statement::Select),
        Keyword::Insert => boxed(input, insert::insert, Statement::Insert),
        Keyword::Update => boxed(input, update::update, Statement::Update),
        Keyword::Delete => boxed(input, delete::delete, Statement::Delete),
        Keyword::Begin => boxed(input, batch::batch, Statement::Batch),
        Keyword::Truncate => made(input, truncate::truncate, Statement::Truncate),
        Keyword::Use => made(input, use_keyspace::use_keyspace, Statement::Use),
        Keyword::Describe | Keyword::Desc => made(input, describe::describe_statement, Statement::Describe),
        _ if roles::starts(input) => made(input, roles::role_statement, Statement::Role),
        Keyword::Create | Keyword::Alter | Keyword::Drop => boxed(input, ddl::ddl, Statement::Ddl),
        _ => Err(input.no_alternative()),
    }
}

fn made<'a, T>(
    input: Tokens<'a>,
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
    make: impl Fn(T) -> Statement,
) -> Parsed<'a, Statement> {
    let (input, found) = parser(input)?;
    Ok((input, make(found)))
}

fn boxed<'a, T>(
    input: Tokens<'a>,
    parser: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
    make: impl Fn(Box<T>) -> Statement,
) -> Parsed<'a, Statement> {
    made(input, parser, |found| make(Box::new(found)))
}
