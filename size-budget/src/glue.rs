//! wasm-bindgen's glue for a module in two parts.
//!
//! The glue knows one module. What the first part imports to bring the second, and the exports of both as if they were one
//! module's, are put into it; the viewer's `more.js` has what they call.

use crate::split::MORE;
use crate::{Error, Result};

/// What stands in the glue, and what takes its place.
const PLACES: [(&str, [&str; 3]); 2] = [
    ("const import0 = {", ["const import0 = { ", MORE, ": () => { linkMore(); },"]),
    ("wasm = instance.exports;", ["wasm = bothParts(instance.exports);", "", ""]),
];

/// The glue that brings the second part when it is called.
///
/// # Errors
/// [`Error::Module`] when it is not as this version of wasm-bindgen writes it.
pub(crate) fn both_parts(glue: &str) -> Result<String> {
    let mut glue = glue.to_owned();
    for (place, instead) in PLACES {
        if glue.matches(place).count() != 1 {
            return Err(Error::Module(["wasm-bindgen's glue has not once ", place.trim_end()].concat()));
        }
        glue = glue.replace(place, &instead.concat());
    }
    Ok(glue)
}

/// The glue without what nobody needs here: objects that free themselves where a declaration ends, as no script has one; and
/// what to do in a browser that cannot tell when they are gone, which runs no module like this one either.
pub(crate) fn needed(glue: &str) -> String {
    const ASKED: &str = "(typeof FinalizationRegistry === 'undefined')";
    let line = |line: &str| match line.trim_start() {
        text if text.starts_with("if (Symbol.dispose)") || text.starts_with("? { register: ") => None,
        text if text.starts_with(": new FinalizationRegistry") => text.strip_prefix(": ").map(str::to_owned),
        _ => Some(line.replace(ASKED, "")),
    };
    glue.lines().filter_map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_needs_is_left_out() {
        let glue = "const A = (typeof FinalizationRegistry === 'undefined')\n    ? { register: () => {}, unregister: () => {} }\n    \
                    : new FinalizationRegistry(ptr => wasm.a(ptr, 1));\nif (Symbol.dispose) A.prototype[Symbol.dispose] = A.free;\n  \
                    let b;";
        assert_eq!(needed(glue), "const A = \nnew FinalizationRegistry(ptr => wasm.a(ptr, 1));\n  let b;");
    }

    #[test]
    fn other_glue_is_refused() {
        let glue = "const import0 = {\n__proto__: null,\n};\nwasm = instance.exports;\n";
        let both = both_parts(glue).unwrap();
        assert!(
            both.contains("more: () => { linkMore(); },") && both.contains("bothParts(instance.exports)"),
            "{both}"
        );
        assert!(both_parts("wasm = instance.exports;").unwrap_err().to_string().contains("const import0"));
    }
}
