//! Any bytes as a plan in each notation; a plan that is read is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::plan::{from_bytes, from_json, from_url, to_bytes, to_url};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(plan) = from_bytes(bytes) {
        let again = from_bytes(&to_bytes(&plan).unwrap()).unwrap();
        // A NaN is not itself, so the notations are compared.
        assert_eq!(to_bytes(&again).unwrap(), to_bytes(&plan).unwrap());
    }
    if let Ok(plan) = from_json(bytes) {
        let _bytes = to_bytes(&plan).unwrap();
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(plan) = from_url(text, None)
    {
        let url = to_url(&plan).unwrap();
        assert_eq!(to_url(&from_url(&url, None).unwrap()).unwrap(), url);
    }
});
