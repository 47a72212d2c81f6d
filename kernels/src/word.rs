//! Words of any width: their order as unsigned numbers, and the way to wider ones and back.

use arrow_buffer::ArrowNativeType;

use crate::types::Order;

/// An unsigned word that radix sorts, range tests and hash tables work on.
pub(crate) trait Word: ArrowNativeType + Ord + std::hash::Hash {
    /// The word with only its top bit set.
    const TOP: Self;
    /// All bits set.
    const ONES: Self;
    /// The low bits of a wide word.
    fn narrow(wide: u128) -> Self;
    /// The word with zeros above it.
    fn widen(self) -> u128;
    /// Difference modulo the width.
    fn distance(self, from: Self) -> Self;
    /// Exclusive or.
    fn flip(self, bits: Self) -> Self;

    /// The word as an unsigned number that is ordered as the value is (see [`Order`]).
    #[inline(always)]
    fn to_key(self, order: Order) -> Self {
        match order {
            Order::Unsigned | Order::None => self,
            Order::Signed => self.flip(Self::TOP),
            Order::Float => self.flip(if self < Self::TOP { Self::TOP } else { Self::ONES }),
        }
    }

    /// The opposite of [`Word::to_key`].
    #[inline(always)]
    fn to_word(self, order: Order) -> Self {
        match order {
            Order::Unsigned | Order::None => self,
            Order::Signed => self.flip(Self::TOP),
            Order::Float => self.flip(if self < Self::TOP { Self::ONES } else { Self::TOP }),
        }
    }
}

macro_rules! word {
    ($($t:ty),*) => {$(
        impl Word for $t {
            const TOP: Self = 1 << (<$t>::BITS - 1);
            const ONES: Self = <$t>::MAX;
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "the low bits are what is asked for")]
            fn narrow(wide: u128) -> Self { wide as Self }
            #[inline(always)]
            #[allow(trivial_numeric_casts, clippy::unnecessary_cast, reason = "one of the widths is u128 itself")]
            fn widen(self) -> u128 { self as u128 }
            #[inline(always)]
            fn distance(self, from: Self) -> Self { self.wrapping_sub(from) }
            #[inline(always)]
            fn flip(self, bits: Self) -> Self { self ^ bits }
        }
    )*};
}
word!(u8, u16, u32, u64, u128);
