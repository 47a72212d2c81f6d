//! All that is known of a bundle, and the verdict.

use std::path::Path;

use serde::Serialize;

use crate::budget::{Budget, Limit};
use crate::features::Features;
use crate::growth::{Baseline, Growth};
use crate::measure::{self, Size};
use crate::module::{self, Contents, Function, Generic, Item};
use crate::{Error, Result};

/// The version of the JSON form: goes up when a member changes its meaning or goes away.
const FORM: u32 = 1;
/// Functions and generics that are named.
const NAMED: usize = 20;

/// One file beside its limit.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// What people call it.
    pub name: &'static str,
    /// What it weighs.
    pub size: Size,
    /// What it may.
    pub limit: Option<Limit>,
}

/// Bytes of a crate by its modules.
#[derive(Debug, Clone, Serialize)]
pub struct ByModule {
    /// The crate.
    pub name: String,
    /// Its modules, the largest first.
    pub modules: Vec<Item>,
}

/// What a bundle weighs, what it is made of, what has changed and what is over budget.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The version of this form.
    pub form: u32,
    /// The files.
    pub parts: Vec<Part>,
    /// How the module was optimised; `None` when it was not, or by somebody else.
    pub optimiser: Option<String>,
    /// Bytes by crate, the largest first.
    pub crates: Vec<Item>,
    /// Crates by their modules, as the budget asks.
    pub by_module: Vec<ByModule>,
    /// What is no code.
    pub sections: Vec<Item>,
    /// Number of functions.
    pub n_functions: usize,
    /// The functions that are largest by themselves.
    pub shallow: Vec<Function>,
    /// The functions that are largest with what only they lead to.
    pub retained: Vec<Function>,
    /// The generics with the largest sums, of two copies or more.
    pub generics: Vec<Generic>,
    /// What each feature costs, as measured when it says.
    pub features: Option<Features>,
    /// What has changed since the baseline.
    pub growth: Option<Growth>,
    /// What is over budget, one line each.
    pub over: Vec<String>,
}

/// Files to weigh.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// The module, with its names if there are any; it is weighed without.
    pub module: &'a [u8],
    /// What is served of it when it is cut in two: what comes first, and what comes later.
    pub cut: Option<[&'a [u8]; 2]>,
    /// The script.
    pub script: Option<&'a [u8]>,
    /// The server's program.
    pub server: Option<&'a Path>,
}

impl Report {
    /// Weighs files.
    ///
    /// # Errors
    /// [`Error::Module`] when the module cannot be read; [`Error::Io`] when the server cannot.
    pub fn new(
        files: Files<'_>,
        budget: &Budget,
        baseline: Option<&Baseline>,
        features: Option<Features>,
        optimiser: Option<String>,
    ) -> Result<Self> {
        let contents = module::read(files.module)?;
        let mut parts =
            vec![Part { name: "WASM", size: measure::size(&module::strip(files.module)?), limit: Some(budget.wasm) }];
        if let Some([first, more]) = files.cut {
            parts.push(Part { name: "first", size: measure::size(first), limit: budget.first });
            parts.push(Part { name: "later", size: measure::size(more), limit: budget.later });
        }
        if let Some(script) = files.script {
            parts.push(Part { name: "JavaScript", size: measure::size(script), limit: budget.js });
        }
        if let Some(path) = files.server {
            let bytes = std::fs::read(path).map_err(crate::error::at(path))?;
            // Nobody sends it to a browser; the highest quality of brotli would take a minute.
            let size = Size { raw: bytes.len(), gzip: measure::gzip(&bytes).len(), brotli: None };
            parts.push(Part { name: "server", size, limit: budget.server });
        }
        let named = |functions: &[Function]| functions.iter().take(NAMED).cloned().collect::<Vec<_>>();
        let mut by_retained = contents.functions.clone();
        by_retained.sort_by(|a, b| b.retained.cmp(&a.retained).then_with(|| a.name.cmp(&b.name)));
        let by_module = |name: &String| ByModule { name: name.clone(), modules: contents.by_module(name) };
        let mut report = Self {
            form: FORM,
            parts,
            optimiser,
            crates: contents.by_crate(),
            by_module: budget.by_module.iter().map(by_module).collect(),
            n_functions: contents.functions.len(),
            shallow: named(&contents.functions),
            retained: named(&by_retained),
            generics: contents.generics().into_iter().filter(|generic| generic.copies > 1).take(NAMED).collect(),
            growth: baseline.map(|baseline| baseline.growth(&contents)),
            features,
            over: Vec::new(),
            sections: contents.sections.clone(),
        };
        report.over = report.judge(&contents);
        Ok(report)
    }

    /// What is over budget, one line each, with what to look at first; nothing when all is well.
    fn judge(&self, contents: &Contents) -> Vec<String> {
        let mut over = Vec::new();
        for part in &self.parts {
            let Some(limit) = part.limit else { continue };
            let pairs = [("raw", Some(part.size.raw), Some(limit.raw)), ("brotli", part.size.brotli, limit.brotli)];
            for (what, found, limit) in pairs {
                let (Some(found), Some(limit)) = (found, limit) else { continue };
                if found > limit {
                    let hint = if part.name == "WASM" { self.look_first(contents) } else { String::new() };
                    let (name, by) = (part.name, found - limit);
                    over.push(format!("{name} {what}: {found} bytes, {by} over its budget of {limit}{hint}"));
                }
            }
        }
        over
    }

    /// What most of the growth comes from; without a baseline, what is largest.
    fn look_first(&self, contents: &Contents) -> String {
        let grown = self.growth.as_ref().and_then(|growth| {
            growth.changes.first().filter(|change| change.difference() > 0).map(|change| (change, &growth.since))
        });
        if let Some((change, since)) = grown {
            let what = if change.before == 0 { "is new" } else { "grew most" };
            return format!("; look first at {}, which {what} (+{} since {since})", change.name, change.difference());
        }
        let functions = contents.functions.iter().map(|function| (function.bytes, &function.name));
        let sections = contents.sections.iter().map(|section| (section.bytes, &section.name));
        match functions.chain(sections).max() {
            Some((bytes, name)) => format!("; look first at {name}, the largest item ({bytes})"),
            None => String::new(),
        }
    }

    /// The report for machines.
    ///
    /// # Errors
    /// [`Error::Module`] when it cannot be written, which nobody has seen yet.
    pub fn json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(|error| Error::Module(error.to_string()))
    }
}
