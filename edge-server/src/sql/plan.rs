//! A parsed query to a statement: its clauses one by one, and an error for each that a plan has no place for.

use kernels::query::Plan;
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, LimitClause, OrderBy, OrderByKind, Query, Select, SelectFlavor, SetExpr, Spanned,
    TableFactor, TableWithJoins,
};
use sqlparser::tokenizer::Location;

use super::aggregate::plain_name;
use super::expression::predicate;
use super::operand::{Scope, literal, not_here, place};
use super::select::Selection;
use super::{SqlError, Statement};

/// The statement of a query.
pub(super) fn statement(query: &Query) -> Result<Statement, SqlError> {
    let Query { with, body, order_by, limit_clause, fetch, locks, for_clause, settings, format_clause, pipe_operators } =
        query;
    refuse(&[
        (with.is_some(), "WITH"),
        (fetch.is_some(), "FETCH; write LIMIT"),
        (!locks.is_empty(), "FOR UPDATE"),
        (for_clause.is_some(), "FOR"),
        (settings.is_some(), "SETTINGS"),
        (format_clause.is_some(), "FORMAT"),
        (!pipe_operators.is_empty(), "|>"),
    ])?;
    let SetExpr::Select(select) = body.as_ref() else {
        return Err(SqlError::unsupported("a statement that is not one SELECT", Location::empty()));
    };
    check_clauses(select)?;
    let scope = scope(select)?;
    let filter = select.selection.as_ref().map(|expr| predicate(expr, &scope)).transpose()?;
    let mut selection = Selection::read(&select.projection, &scope)?;
    let distinct = match &select.distinct {
        None | Some(Distinct::All) => None,
        Some(Distinct::Distinct) => Some(select.select_token.0.span.start),
        Some(Distinct::On(_)) => {
            return Err(SqlError::unsupported("DISTINCT ON", select.select_token.0.span.start));
        }
    };
    match &select.group_by {
        GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => selection.group(keys, distinct)?,
        GroupByExpr::Expressions(..) => {
            return Err(SqlError::unsupported("words behind the columns of GROUP BY", Location::empty()));
        }
        GroupByExpr::All(_) => return Err(SqlError::unsupported("GROUP BY ALL", Location::empty())),
    }
    let sort = match order_by {
        None => Vec::new(),
        Some(OrderBy { kind: OrderByKind::Expressions(keys), interpolate: None }) => {
            keys.iter().map(|key| selection.sort_key(key)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(SqlError::unsupported("this kind of ORDER BY", Location::empty())),
    };
    let (offset, limit) = limit_clause.as_ref().map_or(Ok((0, None)), window)?;
    let columns = selection.columns();
    let plan = Plan {
        columns,
        filter,
        group_by: selection.keys.unwrap_or_default(),
        aggregates: selection.aggregates,
        sort,
        offset,
        limit,
    };
    Ok(Statement { names: selection.names, plan, table: scope.table })
}

/// An error for the first clause that is there.
fn refuse(clauses: &[(bool, &str)]) -> Result<(), SqlError> {
    match clauses.iter().find(|(is_there, _)| *is_there) {
        Some((_, what)) => Err(SqlError::unsupported(*what, Location::empty())),
        None => Ok(()),
    }
}

/// Refuses the clauses of other databases.
fn check_clauses(select: &Select) -> Result<(), SqlError> {
    let Select {
        select_token: _,
        optimizer_hints,
        distinct: _,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection: _,
        exclude,
        into,
        from: _,
        lateral_views,
        prewhere,
        selection: _,
        connect_by,
        group_by: _,
        cluster_by,
        distribute_by,
        sort_by,
        having,
        named_window,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    refuse(&[
        (!optimizer_hints.is_empty(), "hints in comments"),
        (select_modifiers.is_some(), "words behind SELECT"),
        (top.is_some(), "TOP; write LIMIT"),
        (exclude.is_some(), "EXCLUDE"),
        (into.is_some(), "INTO"),
        (!lateral_views.is_empty(), "LATERAL VIEW"),
        (prewhere.is_some(), "PREWHERE"),
        (!connect_by.is_empty(), "CONNECT BY"),
        (!cluster_by.is_empty(), "CLUSTER BY"),
        (!distribute_by.is_empty(), "DISTRIBUTE BY"),
        (!sort_by.is_empty(), "SORT BY"),
        (having.is_some(), "HAVING"),
        (!named_window.is_empty(), "WINDOW"),
        (qualify.is_some(), "QUALIFY"),
        (value_table_mode.is_some(), "SELECT AS"),
        (*flavor != SelectFlavor::Standard, "FROM before SELECT"),
    ])
}

/// Where a table is named.
fn start(table: &TableFactor) -> Location {
    match table {
        TableFactor::Table { name, .. } => name.span().start,
        _ => Location::empty(),
    }
}

/// The one table of FROM.
fn scope(select: &Select) -> Result<Scope, SqlError> {
    let from = match select.from.as_slice() {
        [TableWithJoins { relation, joins }] if joins.is_empty() => relation,
        [] => return Err(SqlError::unsupported("SELECT without FROM", select.select_token.0.span.start)),
        [one] => return Err(SqlError::unsupported("a join", start(&one.relation))),
        [_, second, ..] => return Err(SqlError::unsupported("more than one table", start(&second.relation))),
    };
    let at = start(from);
    let TableFactor::Table {
        name,
        alias,
        args,
        with_hints,
        version,
        with_ordinality,
        partitions,
        json_path,
        sample,
        index_hints,
    } = from
    else {
        return Err(SqlError::unsupported("FROM anything but a table", at));
    };
    let parts = [
        (args.is_some(), "a function as a table"),
        (!with_hints.is_empty(), "WITH behind a table"),
        (version.is_some(), "a version of a table"),
        (*with_ordinality, "WITH ORDINALITY"),
        (!partitions.is_empty(), "PARTITION"),
        (json_path.is_some(), "a part of a table"),
        (sample.is_some(), "TABLESAMPLE"),
        (!index_hints.is_empty(), "hints behind a table"),
    ];
    if let Some((_, what)) = parts.iter().find(|(is_there, _)| *is_there) {
        return Err(SqlError::unsupported(*what, at));
    }
    let Some(table) = plain_name(name) else {
        return Err(SqlError::unsupported("a table's name with points; put such a name in double quotes", at));
    };
    let alias = match alias {
        None => None,
        Some(alias) if alias.columns.is_empty() && alias.at.is_none() => Some(alias.name.value.clone()),
        Some(_) => return Err(SqlError::unsupported("names for a table's columns", at)),
    };
    Ok(Scope { table: table.to_owned(), alias })
}

/// Rows to skip and the most to return.
fn window(clause: &LimitClause) -> Result<(usize, Option<usize>), SqlError> {
    match clause {
        LimitClause::LimitOffset { limit, offset, limit_by } => {
            if let Some(by) = limit_by.first() {
                return Err(SqlError::unsupported("LIMIT … BY", place(by)));
            }
            let limit = limit.as_ref().map(|limit| rows(limit, "LIMIT")).transpose()?;
            let offset = offset.as_ref().map(|offset| rows(&offset.value, "OFFSET")).transpose()?;
            Ok((offset.unwrap_or(0), limit))
        }
        // QuestDB's: from the row behind the first number to the row of the second.
        LimitClause::OffsetCommaLimit { offset: from, limit: to } => {
            let (from, to) = (rows(from, "LIMIT")?, rows(to, "LIMIT")?);
            Ok((from, Some(to.saturating_sub(from))))
        }
    }
}

fn rows(expr: &Expr, clause: &str) -> Result<usize, SqlError> {
    use kernels::query::Scalar;
    match literal(expr)? {
        Some(Scalar::Int(number)) => usize::try_from(number).map_err(|_| {
            SqlError::unsupported(format!("a negative {clause}, which counts from the last row"), place(expr))
        }),
        Some(_) => Err(SqlError::invalid(format!("{clause} takes a number of rows"), place(expr))),
        None => Err(match expr {
            Expr::Identifier(_) => SqlError::invalid(format!("{clause} takes a number of rows"), place(expr)),
            other => not_here(other),
        }),
    }
}
