//! Asking for memory before it is read.

/// Asks for the line of a place, which may be any address.
#[inline(always)]
pub(crate) fn line<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing and cannot fail, whatever the address; SSE is part of x86-64.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(place.cast());
    };
    #[cfg(not(target_arch = "x86_64"))]
    let _unused = place;
}

/// Asks for all of a slice, into the second level of caches: it is about to be read in no order.
#[cfg(not(feature = "small"))]
pub(crate) fn slice<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for part in values.chunks((64 / size_of::<T>()).max(1)) {
        // SAFETY: a prefetch reads nothing and cannot fail, whatever the address; SSE is part of x86-64.
        unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(part.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _unused = values;
}
