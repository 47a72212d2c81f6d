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
                match $crate::Backend::current() {
                    // SAFETY: this backend is chosen only where the machine has these features.
                    $crate::Backend::Avx512 => return unsafe { avx512($($argument),*) },
                    // SAFETY: as above.
                    $crate::Backend::Avx2 => return unsafe { avx2($($argument),*) },
                    $crate::Backend::Plain => {}
                }
            }
            plain($($argument),*)
        }
    };
}
pub(crate) use widest;
