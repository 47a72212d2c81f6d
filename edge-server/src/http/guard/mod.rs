//! Who may ask, and how often. Every request passes here before a handler sees it.
//!
//! * [`tokens`] – who carries which token.
//! * [`origins`] – pages of which origins may ask.
//! * [`proxies`] – for whom a proxy asks.
//! * [`rate`] – requests per second of each client.
//!
//! The page, its bundle, `/health` and `/ready` are public; whatever tells something of the data is not.

pub(crate) mod origins;
pub(crate) mod proxies;
pub(crate) mod rate;
pub(crate) mod tokens;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use hyper::{Method, Uri};

pub use self::origins::Origins;
pub use self::proxies::Proxies;
use self::rate::{Client, Rate};
pub use self::tokens::{Bearer, Scope, Tokens};
use super::metrics::{Metrics, Refusal};
use super::problem::Problem;

/// Requests per second of clients on other machines, when nobody has said how many.
const DEFAULT_RATE: u32 = 1_000;
/// The beginning of a subprotocol that is a token: pages cannot set other headers on a WebSocket.
const BEARER_PROTOCOL: &str = "bearer.";

/// What a request needs of who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing.
    Public,
    /// The right to read.
    Read,
    /// The right to change.
    Write,
}

/// A request that may go on.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Who sends it.
    pub(super) bearer: Option<Bearer>,
    /// The subprotocol to go on with, of those that a WebSocket's client offered.
    pub(super) protocol: Option<HeaderValue>,
    /// Whether it is a question of a browser about what a page may do.
    pub(super) is_preflight: bool,
}

/// Marks a request that comes from a page of a listed origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct FromListed;

/// All checks.
#[derive(Debug, Default)]
pub(super) struct Guard {
    tokens: Option<Arc<Tokens>>,
    origins: Origins,
    proxies: Proxies,
    rate: Option<Rate>,
    /// Whether clients on this machine are counted too.
    counts_loopback: bool,
}

impl Guard {
    pub(super) fn new(tokens: Option<Arc<Tokens>>, origins: Origins, per_second: Option<u32>) -> Self {
        let rate = match per_second {
            Some(0) => None,
            Some(number) => Some(Rate::new(number)),
            None => Some(Rate::new(DEFAULT_RATE)),
        };
        Self { tokens, origins, proxies: Proxies::default(), rate, counts_loopback: per_second.is_some() }
    }

    /// Believes these proxies.
    pub(super) fn with_proxies(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// Who asks: the other side of the connection, or for whom it asks if it is a proxy.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        self.proxies.client(peer, headers)
    }

    /// The origin of a listed page, for the answer.
    pub(super) fn listed(&self, headers: &HeaderMap, uri: &Uri) -> Option<HeaderValue> {
        let is_listed = self.origins.of(headers, uri) == origins::From::Listed;
        headers.get(ORIGIN).filter(|_| is_listed).cloned()
    }

    pub(super) fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Lets a request pass, or says why not. The token is taken out of the headers, so that nothing after this sees it.
    pub(super) fn admit(
        &self,
        (method, uri, headers): (&Method, &Uri, &mut HeaderMap),
        peer: IpAddr,
        access: Access,
        metrics: &Metrics,
    ) -> Result<Passed, Problem> {
        let from = self.origins.of(headers, uri);
        let is_preflight = method == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key("access-control-request-method");
        let shown = take_token(headers);
        let protocol = take_protocol(headers);
        let token = shown.as_ref().or(protocol.token.as_ref());
        let bearer = token.and_then(|token| self.tokens.as_ref()?.find(token.as_bytes()));
        if let Some(rate) = self.rate.as_ref().filter(|_| self.counts_loopback || !peer.to_canonical().is_loopback()) {
            let client = bearer.as_ref().map_or_else(|| Client::of(peer), |bearer| Client::Token(bearer.mark));
            rate.take(client, Instant::now()).map_err(|wait| {
                metrics.refused(Refusal::Rate);
                Problem::too_many_requests(wait)
            })?;
        }
        if is_preflight {
            return match from {
                origins::From::Elsewhere => Err(Problem::forbidden_origin(&origin_text(headers))),
                _ => Ok(Passed { is_preflight, ..Passed::default() }),
            };
        }
        // A page from elsewhere can send what it cannot read the answer of; so it must not change anything.
        let only_asks = matches!(*method, Method::GET | Method::HEAD);
        if !only_asks && from == origins::From::Elsewhere {
            metrics.refused(Refusal::Origin);
            return Err(Problem::forbidden_origin(&origin_text(headers)));
        }
        if self.tokens.is_some() && access != Access::Public {
            let Some(bearer) = &bearer else {
                metrics.refused(Refusal::Token);
                return Err(Problem::unauthorized(token.is_some()));
            };
            if !bearer.scope.allows(access == Access::Write) {
                metrics.refused(Refusal::Scope);
                return Err(Problem::forbidden_scope(&bearer.name, access == Access::Write));
            }
        }
        Ok(Passed { bearer, protocol: protocol.other, is_preflight: false })
    }
}

fn origin_text(headers: &HeaderMap) -> String {
    headers.get(ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()).into_owned()).unwrap_or_default()
}

/// The token of `Authorization: Bearer TOKEN`.
fn take_token(headers: &mut HeaderMap) -> Option<String> {
    let value = headers.remove(AUTHORIZATION)?;
    let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// What a WebSocket's client offers: a token, and what it would rather speak than anything else.
#[derive(Debug, Default)]
struct Protocols {
    token: Option<String>,
    other: Option<HeaderValue>,
}

fn take_protocol(headers: &mut HeaderMap) -> Protocols {
    let mut found = Protocols::default();
    let mut others: Vec<&str> = Vec::new();
    for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        for offered in value.to_str().unwrap_or("").split(',').map(str::trim).filter(|offered| !offered.is_empty()) {
            match offered.strip_prefix(BEARER_PROTOCOL) {
                Some(token) => found.token = Some(token.to_owned()),
                None => others.push(offered),
            }
        }
    }
    found.other = others.first().and_then(|first| HeaderValue::from_str(first).ok());
    // The others are for the endpoint to choose from.
    let others = Some(others.join(", ")).filter(|others| !others.is_empty());
    let others = others.and_then(|others| HeaderValue::from_str(&others).ok());
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    headers.extend(others.map(|others| (SEC_WEBSOCKET_PROTOCOL, others)));
    found
}
