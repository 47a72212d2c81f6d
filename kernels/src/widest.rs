//! Plain loops, compiled once more for each width of vectors that the machine may have.

/// Defines a function whose body, a plain loop, runs in the widest vectors that the machine has. There is one source,
/// so that every machine gives the same result.
macro_rules! widest {
    ($(#[$attribute:meta])* $visible:vis fn $name:ident $(<$t:ident : $bound:path>)? ($($argument:ident : $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$attribute])*
        #[inline]
        $visible fn $name $(<$t: $bound>)? ($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn plain $(<$t: $bound>)? ($($argument: $type),*) $(-> $result)? $body
            #[cfg(all(target_arch = "x86_64", not(feature = "small")))]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512 $(<$t: $bound>)? ($($argument: $type),*) $(-> $result)? { plain($($argument),*) }
                #[target_feature(enable = "avx2")]
                fn avx2 $(<$t: $bound>)? ($($argument: $type),*) $(-> $result)? { plain($($argument),*) }
                if is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                {
                    // SAFETY: the features were just detected; `avx512f` is part of each of them.
                    return unsafe { avx512($($argument),*) };
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the feature was just detected.
                    return unsafe { avx2($($argument),*) };
                }
            }
            plain($($argument),*)
        }
    };
}
pub(crate) use widest;
