//! Which vectors the plain loops run in.

/// The widest vectors that loops use on this machine. Every one of them gives the same results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Backend {
    /// What every machine of this kind has: SSE2 on x86-64, NEON on aarch64, simd128 in WASM.
    Plain,
    /// 256 bits.
    Avx2,
    /// 512 bits: AVX-512 F, BW, DQ and VL.
    Avx512,
}

impl Backend {
    /// What this process uses: all that the machine has, or less when the environment variable `KERNELS_BACKEND` says
    /// `plain` or `avx2`. Read once.
    #[must_use]
    pub fn current() -> Self {
        #[cfg(all(target_arch = "x86_64", not(feature = "small")))]
        {
            use std::sync::atomic::{AtomicU8, Ordering};
            static CURRENT: AtomicU8 = AtomicU8::new(0);
            match CURRENT.load(Ordering::Relaxed) {
                1 => Self::Plain,
                2 => Self::Avx2,
                3 => Self::Avx512,
                _ => {
                    let backend = Self::detect();
                    CURRENT.store(backend as u8 + 1, Ordering::Relaxed);
                    backend
                }
            }
        }
        #[cfg(not(all(target_arch = "x86_64", not(feature = "small"))))]
        Self::Plain
    }

    #[cfg(all(target_arch = "x86_64", not(feature = "small")))]
    #[cold]
    fn detect() -> Self {
        let most = match std::env::var("KERNELS_BACKEND").as_deref() {
            Ok("plain") => Self::Plain,
            Ok("avx2") => Self::Avx2,
            _ => Self::Avx512,
        };
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        let found = match (wide, is_x86_feature_detected!("avx2")) {
            (true, true) => Self::Avx512,
            (_, true) => Self::Avx2,
            _ => Self::Plain,
        };
        found.min(most)
    }
}
