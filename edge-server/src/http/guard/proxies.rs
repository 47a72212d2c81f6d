//! Proxies that are believed when they say for whom they ask: in `X-Forwarded-For`, or in `Forwarded` (RFC 7239).
//!
//! A header of anybody else is what that client has written, and means nothing. Each proxy adds the address that it was asked
//! from at the end, so that the list is read backwards, as long as proxies stand in it that are believed too. A proxy that
//! writes one of the headers passes the other on as its client sent it: where both stand and do not agree, neither is believed.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{FORWARDED, HeaderMap};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Addresses of proxies.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpAddr>);

impl Proxies {
    /// These proxies.
    #[must_use]
    pub fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self(addresses.into_iter().map(|address| address.to_canonical()).collect())
    }

    fn are_believed(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// For whom a request is made that came from an address.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.are_believed(peer) {
            return peer;
        }
        let listed = |name: &str, read: fn(&str) -> Option<IpAddr>| {
            let values = headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or(""));
            let all: Vec<Option<IpAddr>> = values.flat_map(|value| value.split(',')).map(read).collect();
            (!all.is_empty()).then(|| self.last(peer, &all))
        };
        match (listed(FORWARDED_FOR, address), listed(FORWARDED.as_str(), forwarded)) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => peer,
        }
    }

    /// The last address that is no proxy's; where one cannot be read, whoever wrote it.
    fn last(&self, peer: IpAddr, listed: &[Option<IpAddr>]) -> IpAddr {
        let mut from = peer;
        for address in listed.iter().rev() {
            let Some(address) = address else { return from };
            from = *address;
            if !self.are_believed(from) {
                break;
            }
        }
        from
    }
}

/// An address as it stands in a list: alone, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let alone = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let found = alone.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(found.to_canonical())
}

/// The address of `for=192.0.2.1;proto=https`.
fn forwarded(element: &str) -> Option<IpAddr> {
    let mut parts = element.split(';').filter_map(|part| part.split_once('='));
    parts.find(|(name, _)| name.trim().eq_ignore_ascii_case("for")).and_then(|(_, value)| address(value))
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn check(peer: &str, headers: &[(&'static str, &'static str)], expected: &str) {
        let proxies = Proxies::new(["10.0.0.1", "10.0.0.2", "::1"].map(|address| address.parse().unwrap()));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let client = proxies.client(peer.parse().unwrap(), &map);
        assert_eq!(client, expected.parse::<IpAddr>().unwrap(), "{peer} {headers:?}");
    }

    #[test]
    fn only_proxies_are_believed() {
        check("192.0.2.9", &[("x-forwarded-for", "198.51.100.7")], "192.0.2.9");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &[("x-forwarded-for", "198.51.100.7")], "198.51.100.7");
        check("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.7")], "198.51.100.7");
        // What a client wrote itself stands before what the proxy added.
        check("10.0.0.1", &[("x-forwarded-for", "1.2.3.4, 198.51.100.7")], "198.51.100.7");
        check(
            "10.0.0.1",
            &[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "198.51.100.7,10.0.0.2")],
            "198.51.100.7",
        );
        check("10.0.0.1", &[("x-forwarded-for", "10.0.0.2, 10.0.0.1")], "10.0.0.2");
        check("10.0.0.1", &[("x-forwarded-for", "1.2.3.4, nobody, 10.0.0.2")], "10.0.0.2");
        check("10.0.0.1", &[("x-forwarded-for", "")], "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_too_and_neither_where_they_differ() {
        check("::1", &[("forwarded", "for=192.0.2.60;proto=http;by=203.0.113.43")], "192.0.2.60");
        check("::1", &[("forwarded", "for=1.1.1.1, For=\"[2001:db8:cafe::17]:4711\"")], "2001:db8:cafe::17");
        check("::1", &[("forwarded", "for=unknown")], "::1");
        check("::1", &[("forwarded", "for=192.0.2.60"), ("x-forwarded-for", "192.0.2.60")], "192.0.2.60");
        check("::1", &[("forwarded", "for=192.0.2.60"), ("x-forwarded-for", "192.0.2.61")], "::1");
    }
}
