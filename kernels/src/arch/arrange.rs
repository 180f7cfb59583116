//! Activations as the stream kernels read them: values, scales, sums, weighted sums (scale * sum), the last three for
//! each group or, where the weights have halves, for each half of a group.
//!
//! Rows of weights follow each other in a stream, and a unit of it may begin in one row and end in the next. So the
//! activations go on from their beginning for as long as a unit.

use crate::arch::products::{Arrangement, QuantizedRow};
use crate::unpack::GROUP;

const HALF: usize = GROUP / 2;

/// The first halves of all groups, then the second halves; for units of 8 or 16 groups.
pub(in crate::arch) static SPLIT: Arrangement = Arrangement {
    bytes: |columns| Layout::new(columns, 1, SPLIT_MORE).bytes(),
    arrange: |row, output| {
        let layout = Layout::new(row.values.len(), 1, SPLIT_MORE);
        let (first, second) = layout.arrange(row, output).split_at_mut(layout.groups * HALF);
        let halves = first
            .as_chunks_mut::<HALF>()
            .0
            .iter_mut()
            .zip(second.as_chunks_mut::<HALF>().0);
        for ((first, second), values) in halves.zip(groups(row).cycle()) {
            *first = std::array::from_fn(|i| values[i].cast_unsigned());
            *second = std::array::from_fn(|i| values[HALF + i].cast_unsigned());
        }
    },
};
const SPLIT_MORE: usize = 15;

/// Groups 0 2 1 3 of each four; for units of 32 groups.
pub(in crate::arch) static PAIRS: Arrangement = Arrangement {
    bytes: |columns| Layout::new(columns, 1, PAIRS_MORE).bytes(),
    arrange: |row, output| {
        let layout = Layout::new(row.values.len(), 1, PAIRS_MORE);
        let values = layout.arrange(row, output);
        let fours = values.as_chunks_mut::<{ 4 * GROUP }>().0.iter_mut();
        for (output, values) in fours.zip(row.values.as_chunks::<{ 4 * GROUP }>().0.iter().cycle()) {
            for (place, group) in [0, 2, 1, 3].into_iter().enumerate() {
                let values = values[group * GROUP..][..GROUP].iter();
                for (output, value) in output[place * GROUP..][..GROUP].iter_mut().zip(values) {
                    *output = value.cast_unsigned();
                }
            }
        }
    },
};
const PAIRS_MORE: usize = 24;

/// Values in their order; for units of 8 groups.
pub(in crate::arch) static WHOLE: Arrangement = Arrangement {
    bytes: |columns| Layout::new(columns, 1, ORDERED_MORE).bytes(),
    arrange: |row, output| Layout::new(row.values.len(), 1, ORDERED_MORE).arrange_in_order(row, output),
};

/// The same, but what follows the values for each half.
pub(in crate::arch) static HALVES: Arrangement = Arrangement {
    bytes: |columns| Layout::new(columns, 2, ORDERED_MORE).bytes(),
    arrange: |row, output| Layout::new(row.values.len(), 2, ORDERED_MORE).arrange_in_order(row, output),
};
const ORDERED_MORE: usize = 7;

fn groups<'a>(row: QuantizedRow<'a>) -> impl Iterator<Item = &'a [i8; GROUP]> + Clone {
    row.values.as_chunks::<GROUP>().0.iter()
}

#[derive(Clone, Copy)]
struct Layout {
    /// With those that repeat.
    groups: usize,
    /// Of a group.
    parts: usize,
}

impl Layout {
    fn new(columns: usize, parts: usize, more: usize) -> Self {
        Self {
            groups: (columns / GROUP + more).next_multiple_of(4),
            parts,
        }
    }

    const fn values(self) -> usize {
        self.groups * GROUP
    }

    /// Of scales, of sums, of weighted sums.
    const fn numbers(self) -> usize {
        self.groups * self.parts * size_of::<f32>()
    }

    const fn bytes(self) -> usize {
        self.values() + 3 * self.numbers()
    }

    /// Writes all but the values, whose place is returned.
    fn arrange<'a>(self, row: QuantizedRow<'_>, output: &'a mut [u8]) -> &'a mut [u8] {
        let (values, numbers) = output.split_at_mut(self.values());
        let (scales, numbers) = numbers.split_at_mut(self.numbers());
        let (sums, weighted) = numbers.split_at_mut(self.numbers());
        let numbers = (scales.as_chunks_mut::<4>().0.iter_mut())
            .zip(sums.as_chunks_mut::<4>().0)
            .zip(weighted.as_chunks_mut::<4>().0);
        let write = |((scale_to, sum_to), weighted_to): ((&mut _, &mut _), &mut _), scale: f32, sum: i32| {
            *scale_to = scale.to_ne_bytes();
            *sum_to = sum.to_ne_bytes();
            *weighted_to = (scale * sum as f32).to_ne_bytes();
        };
        let of_groups = row.scales.iter().zip(row.sums).cycle();
        if self.parts == 1 {
            for (to, (scale, [first, second])) in numbers.zip(of_groups) {
                write(to, *scale, first + second);
            }
        } else {
            let of_halves = of_groups.flat_map(|(scale, sums)| sums.iter().map(move |sum| (*scale, *sum)));
            for (to, (scale, sum)) in numbers.zip(of_halves) {
                write(to, scale, sum);
            }
        }
        values
    }

    fn arrange_in_order(self, row: QuantizedRow<'_>, output: &mut [u8]) {
        let to = self.arrange(row, output).as_chunks_mut::<GROUP>().0;
        for (output, values) in to.iter_mut().zip(groups(row).cycle()) {
            *output = values.map(i8::cast_unsigned);
        }
    }
}

/// Where a kernel finds its activations.
#[derive(Clone, Copy)]
pub(in crate::arch) struct Activations {
    pub values: *const u8,
    pub scales: *const f32,
    pub sums: *const i32,
    pub weighted: *const f32,
}

impl Activations {
    /// Of a row arranged with so many parts and repeated groups.
    fn new(arranged: &[u8], columns: usize, parts: usize, more: usize) -> Self {
        let layout = Layout::new(columns, parts, more);
        assert_eq!(arranged.len(), layout.bytes());
        let values = arranged.as_ptr();
        let scales = values.wrapping_add(layout.values());
        Self {
            values,
            scales: scales.cast(),
            sums: scales.wrapping_add(layout.numbers()).cast(),
            weighted: scales.wrapping_add(2 * layout.numbers()).cast(),
        }
    }

    /// And where the second halves begin.
    pub fn split(arranged: &[u8], columns: usize) -> (Self, usize) {
        (
            Self::new(arranged, columns, 1, SPLIT_MORE),
            Layout::new(columns, 1, SPLIT_MORE).groups * HALF,
        )
    }

    pub fn pairs(arranged: &[u8], columns: usize) -> Self {
        Self::new(arranged, columns, 1, PAIRS_MORE)
    }

    pub fn whole(arranged: &[u8], columns: usize) -> Self {
        Self::new(arranged, columns, 1, ORDERED_MORE)
    }

    pub fn halves(arranged: &[u8], columns: usize) -> Self {
        Self::new(arranged, columns, 2, ORDERED_MORE)
    }
}
