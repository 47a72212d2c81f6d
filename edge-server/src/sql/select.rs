//! The select list, and what GROUP BY and ORDER BY refer to in it.
//!
//! A plan's columns have the names of the table's columns and of the aggregates, each name once. What the statement
//! calls them is kept beside: two columns may change their names, and one may come twice.

use kernels::query::{Aggregate, Nulls, SortBy};
use sqlparser::ast::{Expr, OrderByExpr, OrderBySort, SelectItem, Value, WildcardAdditionalOptions};
use sqlparser::tokenizer::Location;

use super::SqlError;
use super::aggregate::{Call, call, plain_name};
use super::operand::{Scope, bare, literal, not_here, place};

/// What one column of the result is.
#[derive(Debug)]
enum What {
    Column(String),
    Call(Call),
}

/// One column of the result.
#[derive(Debug)]
struct Item {
    what: What,
    alias: Option<String>,
    at: Location,
}

/// The select list; `None` stands for `*`.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    scope: &'a Scope,
    items: Option<Vec<Item>>,
    /// The names of the items in the result.
    pub(super) names: Vec<String>,
    /// Keys of the groups, when there are groups.
    pub(super) keys: Option<Vec<String>>,
    /// Aggregates of the groups.
    pub(super) aggregates: Vec<Aggregate>,
}

impl<'a> Selection<'a> {
    /// Reads the select list.
    pub(super) fn read(projection: &[SelectItem], scope: &'a Scope) -> Result<Self, SqlError> {
        let items = items(projection, scope)?;
        let names = names(items.as_deref().unwrap_or(&[]))?;
        Ok(Self { scope, items, names, keys: None, aggregates: Vec::new() })
    }

    /// Reads GROUP BY, and SELECT DISTINCT, which groups by all that is selected.
    pub(super) fn group(&mut self, group_by: &[Expr], distinct: Option<Location>) -> Result<(), SqlError> {
        let items = self.items.as_deref().unwrap_or(&[]);
        let calls = items.iter().any(|item| matches!(item.what, What::Call(_)));
        let mut keys = group_by.iter().map(|expr| self.key(expr)).collect::<Result<Vec<_>, _>>()?;
        match distinct {
            Some(at) if self.items.is_none() => {
                return Err(SqlError::unsupported("SELECT DISTINCT *; name the columns", at));
            }
            Some(at) if calls || !keys.is_empty() => {
                return Err(SqlError::unsupported("DISTINCT together with groups", at));
            }
            Some(_) => keys.extend(items.iter().filter_map(|item| item.column().map(str::to_owned))),
            None => {}
        }
        if !calls && keys.is_empty() {
            return Ok(());
        }
        let mut once: Vec<String> = Vec::new();
        keys.into_iter().for_each(|key| {
            if !once.contains(&key) {
                once.push(key);
            }
        });
        if self.items.is_none() {
            return Err(SqlError::unsupported("SELECT * together with GROUP BY", Location::empty()));
        }
        for item in items {
            if let What::Column(column) = &item.what
                && !once.contains(column)
            {
                let message = format!("the column \"{column}\" is neither in GROUP BY nor in an aggregate");
                return Err(SqlError::invalid(message, item.at));
            }
        }
        let calls: Vec<(Call, String)> = items
            .iter()
            .zip(&self.names)
            .filter_map(|(item, name)| match &item.what {
                What::Call(call) => Some((call.clone(), name.clone())),
                What::Column(_) => None,
            })
            .collect();
        self.keys = Some(once);
        for (call, name) in calls {
            self.aggregate(&call, &name);
        }
        Ok(())
    }

    /// The columns of the plan, in the order of the select list; all for `*`.
    pub(super) fn columns(&self) -> Option<Vec<String>> {
        Some(self.items.as_ref()?.iter().map(|item| self.column_of(item)).collect())
    }

    /// Reads one key of ORDER BY.
    pub(super) fn sort_key(&mut self, key: &OrderByExpr) -> Result<SortBy, SqlError> {
        if key.with_fill.is_some() {
            return Err(SqlError::unsupported("WITH FILL", place(&key.expr)));
        }
        let descending = match &key.options.sort {
            None | Some(OrderBySort::Asc) => false,
            Some(OrderBySort::Desc) => true,
            Some(OrderBySort::Using(_)) => {
                return Err(SqlError::unsupported("ORDER BY … USING", place(&key.expr)));
            }
        };
        let nulls = if key.options.nulls_first == Some(true) { Nulls::First } else { Nulls::Last };
        Ok(SortBy { column: self.sort_column(&key.expr)?, descending, nulls })
    }

    fn sort_column(&mut self, expr: &Expr) -> Result<String, SqlError> {
        if let Some(item) = self.ordinal(expr, "ORDER BY")? {
            return Ok(self.column_of(item));
        }
        if let Some(call) = call(expr, self.scope)? {
            if self.keys.is_none() {
                return Err(SqlError::invalid("an aggregate in ORDER BY needs GROUP BY", place(expr)));
            }
            return Ok(self.aggregate(&call, &call.written));
        }
        let Some(column) = self.scope.column(expr)? else { return Err(not_here(expr)) };
        // Behind a point stands a column of the table, not of the result.
        let own = matches!(bare(expr), Expr::Identifier(_));
        let items = self.items.as_deref().unwrap_or(&[]);
        if let Some(at) = self.names.iter().position(|name| own && *name == column) {
            return Ok(self.column_of(&items[at]));
        }
        match &self.keys {
            Some(keys) if !keys.contains(&column) => {
                let message = format!("ORDER BY \"{column}\": it is no column of the groups");
                Err(SqlError::invalid(message, place(expr)))
            }
            _ => Ok(column),
        }
    }

    /// One key of GROUP BY: a column, or what the select list calls it, or its number there.
    fn key(&self, expr: &Expr) -> Result<String, SqlError> {
        let no_aggregate = || SqlError::invalid("GROUP BY takes columns, not aggregates", place(expr));
        if let Some(item) = self.ordinal(expr, "GROUP BY")? {
            return item.column().map(str::to_owned).ok_or_else(no_aggregate);
        }
        let Some(column) = self.scope.column(expr)? else { return Err(not_here(expr)) };
        let items = self.items.as_deref().unwrap_or(&[]);
        if items.iter().any(|item| item.column() == Some(&column)) {
            return Ok(column);
        }
        match items.iter().find(|item| item.alias.as_ref() == Some(&column)) {
            Some(item) => Ok(item.column().unwrap_or(&column).to_owned()),
            None => Ok(column),
        }
    }

    /// The item that a number stands for.
    fn ordinal(&self, expr: &Expr, clause: &str) -> Result<Option<&Item>, SqlError> {
        let is_number = match bare(expr) {
            Expr::Value(value) => matches!(value.value, Value::Number(..)),
            _ => literal(expr)?.is_some(),
        };
        if !is_number {
            return Ok(None);
        }
        let Some(items) = &self.items else {
            return Err(SqlError::unsupported(format!("a number in {clause} with SELECT *"), place(expr)));
        };
        let number = match literal(expr)? {
            Some(kernels::query::Scalar::Int(number)) => usize::try_from(number).ok(),
            _ => None,
        };
        let item = number.and_then(|number| items.get(number.checked_sub(1)?));
        item.map(Some).ok_or_else(|| {
            let message = format!("{clause} takes a number from 1 to {}, the columns that are selected", items.len());
            SqlError::invalid(message, place(expr))
        })
    }

    /// The name that an item has in the plan.
    fn column_of(&self, item: &Item) -> String {
        match &item.what {
            What::Column(column) => column.clone(),
            What::Call(call) => {
                let same = self.aggregates.iter().find(|aggregate| call.is(aggregate));
                same.map_or_else(|| call.written.clone(), Aggregate::output_name)
            }
        }
    }

    /// The name in the plan of an aggregate, which is added where it is not there yet.
    fn aggregate(&mut self, call: &Call, wanted: &str) -> String {
        if let Some(same) = self.aggregates.iter().find(|aggregate| call.is(aggregate)) {
            return same.output_name();
        }
        let name = unlike(wanted, |name| {
            self.keys.iter().flatten().any(|key| key == name)
                || self.aggregates.iter().any(|aggregate| aggregate.name.as_deref() == Some(name))
        });
        self.aggregates.push(Aggregate { name: Some(name.clone()), ..call.aggregate.clone() });
        name
    }
}

impl Item {
    fn column(&self) -> Option<&str> {
        match &self.what {
            What::Column(column) => Some(column),
            What::Call(_) => None,
        }
    }
}

/// A name, with a number behind it where it is taken.
fn unlike(wanted: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut name = wanted.to_owned();
    let mut number = 0u32;
    while is_taken(&name) {
        number += 1;
        name = format!("{wanted}{number}");
    }
    name
}

fn items(projection: &[SelectItem], scope: &Scope) -> Result<Option<Vec<Item>>, SqlError> {
    let star = |options: &WildcardAdditionalOptions| {
        let at = options.wildcard_token.0.span.start;
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike,
            opt_exclude,
            opt_except,
            opt_replace,
            opt_rename,
            opt_alias,
        } = options;
        let plain = opt_ilike.is_none() && opt_exclude.is_none() && opt_except.is_none();
        if !(plain && opt_replace.is_none() && opt_rename.is_none() && opt_alias.is_none()) {
            return Err(SqlError::unsupported("words behind *", at));
        }
        if projection.len() > 1 {
            return Err(SqlError::unsupported("* beside other columns", at));
        }
        Ok(())
    };
    let mut items = Vec::with_capacity(projection.len());
    for part in projection {
        let (expr, alias) = match part {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias.value.clone())),
            SelectItem::ExprWithAliases { expr, .. } => {
                return Err(SqlError::unsupported("more than one name for a column", place(expr)));
            }
            SelectItem::Wildcard(options) => {
                star(options)?;
                return Ok(None);
            }
            SelectItem::QualifiedWildcard(kind, options) => {
                let at = options.wildcard_token.0.span.start;
                star(options)?;
                return match kind {
                    sqlparser::ast::SelectItemQualifiedWildcardKind::ObjectName(name)
                        if plain_name(name).is_some_and(|name| scope.is_called(name)) =>
                    {
                        Ok(None)
                    }
                    _ => Err(SqlError::unsupported("* of anything but the table", at)),
                };
            }
        };
        let what = match call(expr, scope)? {
            Some(call) => What::Call(call),
            None => What::Column(scope.must_be_column(expr)?),
        };
        items.push(Item { what, alias, at: place(expr) });
    }
    Ok(Some(items))
}

/// What the columns of the result are called: as the statement says, else by their column or function, with a number
/// where that is taken (`avg`, `avg1`), as QuestDB does.
fn names(items: &[Item]) -> Result<Vec<String>, SqlError> {
    let mut taken = std::collections::HashSet::new();
    for item in items {
        if let Some(alias) = &item.alias
            && !taken.insert(alias.clone())
        {
            return Err(SqlError::invalid(format!("two columns are called \"{alias}\""), item.at));
        }
    }
    let mut named = |item: &Item| match (&item.alias, &item.what) {
        (Some(alias), _) => alias.clone(),
        (None, What::Column(name) | What::Call(Call { written: name, .. })) => {
            let name = unlike(name, |name| taken.contains(name));
            taken.insert(name.clone());
            name
        }
    };
    Ok(items.iter().map(&mut named).collect())
}
