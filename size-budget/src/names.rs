//! Names of functions as people write them, and what of a name is the generic that was filled in.
//!
//! A compiler writes one function for each set of types that a generic is used with, and names it by path and types.
//! What is looked for in a report is the generic: `sort::<u8>` and `sort::<u64>` are two functions, and one thing to
//! change. [`generic`] leaves the types out; `<T as Trait>::method` and `<T>::method` keep theirs, since it says whose
//! method it is, without types of its own.

/// A symbol as people write it, without the hashes of crates.
#[must_use]
pub fn demangle(symbol: &str) -> String {
    let full = format!("{:#}", rustc_demangle::demangle(symbol));
    // Crates carry their hash in brackets, sixteen digits or a few less.
    let mut plain = String::with_capacity(full.len());
    let mut rest = full.as_str();
    while let Some(start) = rest.find('[') {
        let (before, from) = rest.split_at(start);
        plain.push_str(before);
        let digits = from[1..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(0);
        if digits >= 12 && from[1 + digits..].starts_with(']') {
            rest = &from[digits + 2..];
        } else {
            plain.push('[');
            rest = &from[1..];
        }
    }
    plain.push_str(rest);
    plain
}

/// The name without the types that a generic was filled with. `<A<B> as C<D>>::e::<F>::{closure#0}` is
/// `<A as C>::e::{closure}`.
#[must_use]
pub fn generic(name: &str) -> String {
    let name = unnumbered(name);
    let mut out = String::with_capacity(name.len());
    // Brackets that are open, and how many of them hold types to leave out.
    let (mut open, mut hidden) = (Vec::new(), 0usize);
    let mut previous = ' ';
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '<' => {
                // Behind a word or a path the bracket holds types; elsewhere it says whose method is meant.
                let types = previous.is_alphanumeric() || previous == '_' || previous == ':';
                if types && hidden == 0 && out.ends_with("::") {
                    out.truncate(out.len() - 2);
                }
                hidden += usize::from(types || hidden > 0);
                open.push(types || hidden > 1);
                if hidden == 0 {
                    out.push('<');
                }
            }
            '>' if previous != '-' => {
                let was_hidden = hidden > 0;
                if open.pop().is_some() {
                    hidden = hidden.saturating_sub(1);
                }
                if !was_hidden {
                    out.push('>');
                }
            }
            // Numbers of closures and of implementations change with every line of code.
            '#' if hidden == 0 => while characters.next_if(char::is_ascii_digit).is_some() {},
            _ if hidden == 0 => out.push(character),
            _ => {}
        }
        previous = character;
    }
    out
}

/// The name without the number by which a tool tells two of one name apart, as in `drop[1]` and `clone.1598`.
fn unnumbered(name: &str) -> &str {
    let plain = name.strip_suffix(']').unwrap_or(name);
    let digits = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    let mark = if plain.len() < name.len() { '[' } else { '.' };
    if digits.len() < plain.len() { digits.strip_suffix(mark).unwrap_or(name) } else { name }
}

/// The path that a name begins with; `None` when it begins with no crate.
#[must_use]
pub fn path(name: &str) -> Option<&str> {
    let name = name.trim_start_matches(['<', '&', '*', ' ', '[']);
    let name = name.strip_prefix("dyn ").unwrap_or(name);
    let name = name.strip_prefix("mut ").unwrap_or(name);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(name.len());
    name[..end].contains("::").then(|| name[..end].trim_end_matches(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generic_is_its_name_without_types() {
        let check = |name: &str, expected: &str| assert_eq!(generic(name), expected, "{name}");
        check("kernels::sort::radix::<u8>", "kernels::sort::radix");
        check("kernels::sort::radix::<u8>::{closure#12}", "kernels::sort::radix::{closure}");
        check("<alloc::vec::Vec<u8>>::push", "<alloc::vec::Vec>::push");
        check("<alloc::vec::Vec<u8> as core::ops::Drop<x>>::drop", "<alloc::vec::Vec as core::ops::Drop>::drop");
        check("<A<B<C>> as D<<E as F>::G>>::h::<I>", "<A as D>::h");
        check("a::b::<fn(u8) -> u16>::c", "a::b::c");
        check("<&mut a::B as c::D>::e", "<&mut a::B as c::D>::e");
        check("plain", "plain");
        check("core::ptr::drop::<u8>[1]", "core::ptr::drop");
        check("<A as Clone>::clone.1598", "<A as Clone>::clone");
        check("function 12", "function 12");
    }

    #[test]
    fn a_path_begins_with_a_crate() {
        assert_eq!(path("<&mut kernels::sort::Key as core::fmt::Debug>::fmt"), Some("kernels::sort::Key"));
        assert_eq!(path("<[kernels::A]>::b"), Some("kernels::A"));
        assert_eq!(path("memcpy"), None);
    }
}
