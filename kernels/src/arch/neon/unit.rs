use std::arch::aarch64::*;

/// A few groups that a format's kernels decode together: a block of 256 weights, or four blocks of 32.
pub(super) trait Unit {
    const BYTES: usize;
    /// Groups of a unit: 8 or 4. A row may end within four blocks.
    const GROUPS: usize;
    /// Scales of a group: 1, or 2 where the format has halves.
    const PARTS: usize;
    const MINIMUM: bool;

    /// The first and the last 16 weights of a group of a unit.
    ///
    /// # Safety
    /// The unit can be read and has the group.
    unsafe fn values(unit: *const u8, group: usize) -> [int8x16_t; 2];

    /// Scales and, where the format has them, minimums of the parts of all groups in their order.
    ///
    /// # Safety
    /// The unit can be read.
    unsafe fn numbers(unit: *const u8) -> Numbers;
}

/// The first `GROUPS * PARTS` of each count.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub scales: [float32x4_t; 4],
    pub minimums: [float32x4_t; 4],
}

/// Room for four blocks of 32 weights.
const END_BYTES: usize = 4 * 34;

/// Keeps the last unit of a row that has fewer blocks.
pub(super) struct End([u8; END_BYTES]);

impl End {
    pub const fn new() -> Self {
        Self([0; END_BYTES])
    }

    /// A unit of a row that can be read whole. What the row does not have of it is zeros, if all rows that are read
    /// through this end are equally long.
    #[inline(always)]
    pub fn unit<'a, U: Unit>(&'a mut self, row: &'a [u8], index: usize) -> &'a [u8] {
        const { assert!(U::GROUPS == 8 || U::GROUPS == 4 && U::BYTES <= END_BYTES) };
        let rest = &row[index * U::BYTES..];
        if let Some(unit) = rest.get(..U::BYTES) {
            return unit;
        }
        self.0[..rest.len()].copy_from_slice(rest);
        &self.0[..U::BYTES]
    }
}
