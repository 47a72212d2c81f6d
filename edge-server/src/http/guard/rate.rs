//! Requests per second of each client: a bucket that holds twice a second's requests and is filled evenly.
//!
//! Who carries a token is known by it, everybody else by the address; of IPv6 by the network, since one machine has all of
//! its addresses. What is remembered is bounded: full buckets are forgotten, for a new one is full too.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets that are remembered.
const BUCKETS: usize = 65_536;

/// Who a request is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// A token, by a part of its hash.
    Token(u64),
    /// An address.
    Address(IpAddr),
    /// Everybody who is not remembered.
    Others,
}

impl Client {
    /// The client of an address: for IPv6, its network of 64 bits.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self::Address(IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into())),
            address @ IpAddr::V4(_) => Self::Address(address),
        }
    }
}

/// The buckets of all clients.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    buckets: Mutex<HashMap<Client, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Rate {
    /// Buckets for so many requests per second.
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second: f64::from(per_second), buckets: Mutex::default() }
    }

    fn burst(&self) -> f64 {
        self.per_second * 2.0
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + since * self.per_second).min(self.burst())
    }

    /// Takes a request out of the client's bucket.
    ///
    /// # Errors
    /// How long to wait until there is one again.
    pub(crate) fn take(&self, client: Client, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut client = client;
        if buckets.len() >= BUCKETS && !buckets.contains_key(&client) {
            buckets.retain(|_, bucket| self.filled(*bucket, now) < self.burst());
            if buckets.len() >= BUCKETS {
                client = Client::Others;
            }
        }
        let bucket = buckets.entry(client).or_insert(Bucket { left: self.burst(), at: now });
        let left = self.filled(*bucket, now);
        if left < 1.0 {
            *bucket = Bucket { left, at: now };
            return Err(Duration::from_secs_f64((1.0 - left) / self.per_second));
        }
        *bucket = Bucket { left: left - 1.0, at: now };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_emptied_and_filled_again() {
        let (rate, begin) = (Rate::new(10), Instant::now());
        let one = Client::of([10, 0, 0, 1].into());
        assert!((0..20).all(|_| rate.take(one, begin).is_ok()));
        assert!(rate.take(one, begin).is_err_and(|wait| wait <= Duration::from_millis(101)));
        assert!(rate.take(Client::of([10, 0, 0, 2].into()), begin).is_ok(), "another client has a bucket of its own");
        let later = begin + Duration::from_millis(250);
        assert_eq!((0..5).filter(|_| rate.take(one, later).is_ok()).count(), 2);
        let much_later = begin + Duration::from_secs(3_600);
        assert_eq!((0..50).filter(|_| rate.take(one, much_later).is_ok()).count(), 20, "no more than is held");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (rate, begin) = (Rate::new(1), Instant::now());
        for number in 0..70_000_u32 {
            let _counted = rate.take(Client::of(IpAddr::V4(number.into())), begin);
        }
        assert!(rate.buckets.lock().unwrap().len() <= BUCKETS + 1);
        // When time has filled them, the old ones make room.
        assert!(rate.take(Client::Token(1), begin + Duration::from_secs(10)).is_ok());
        assert!(rate.buckets.lock().unwrap().len() < 10);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let client = |text: &str| Client::of(text.parse::<IpAddr>().unwrap());
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:10.0.0.1"), client("10.0.0.1"));
    }
}
