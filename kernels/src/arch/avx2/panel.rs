use super::tile::{self, STEPS, Width, group_bytes, weight_lines};
use crate::arch::buffer::LINE;
use crate::arch::generic::unpack_rows;
use crate::arch::products::{PANEL_ROWS, PanelKernel, UnpackFunction};
use crate::format::Format;
use crate::matrix::Matrix;

/// Panels: weights as unsigned bytes, four columns of 16 rows in a line, dword = row; see `tile::group_bytes`.
pub(super) fn kernel(format: Format) -> PanelKernel {
    let (width, offset) = range(format);
    PanelKernel {
        offset,
        group_bytes: group_bytes(width, format.scaling()),
        unpack: unpack_function(format),
        multiply: tile::function(width, format.scaling(), offset != 0),
    }
}

/// The width of the values of a format, and what is added to make them unsigned.
pub(super) const fn range(format: Format) -> (Width, i32) {
    use Format::*;
    match format {
        Q4_1 | Q2_K | Q4_K => (Width::UpTo15, 0),
        Q1_0 | Q2_0 | TQ1_0 | TQ2_0 => (Width::UpTo15, 1),
        Q3_K => (Width::UpTo15, 4),
        Q4_0 => (Width::UpTo15, 8),
        Q5_1 | Q5_K => (Width::UpTo31, 0),
        MXFP4 | NVFP4 => (Width::UpTo31, 12),
        Q5_0 | IQ1_S | IQ1_M | IQ3_S => (Width::UpTo31, 16),
        Q6_K => (Width::UpTo63, 32),
        IQ2_XXS | IQ2_XS | IQ2_S | IQ3_XXS => (Width::UpTo127, 64),
        Q8_0 | IQ4_NL | IQ4_XS => (Width::Split, 128),
        F32 | F16 | BF16 => panic!("no panels of floats"),
    }
}

fn unpack_function(_format: Format) -> UnpackFunction {
    unpack_any
}

/// Unpacks any format, and any number of rows, through the reference.
pub(super) fn unpack_any(matrix: &Matrix<'_>, panel: &mut [u8]) {
    let format = matrix.format();
    let (width, offset) = range(format);
    let group_bytes = group_bytes(width, format.scaling());
    unpack_rows(matrix, |group, row, weights| {
        let group = &mut panel[group * group_bytes..][..group_bytes];
        for (step, values) in weights.values.as_chunks::<4>().0.iter().enumerate() {
            let bytes = values.map(|value| value.cast_unsigned().wrapping_add(offset as u8));
            let mut write = |line: usize, bytes: [u8; 4]| {
                group[line * LINE + row * 4..][..4].copy_from_slice(&bytes);
            };
            if width == Width::Split {
                write(step, bytes.map(|byte| byte & 15));
                write(STEPS + step, bytes.map(|byte| byte >> 4));
            } else {
                write(step, bytes);
            }
        }
        let parts = if format.scaling().has_halves() { 2 } else { 1 };
        let numbers = weights.scales[..parts].iter().chain(&weights.minimums[..parts]);
        for (line, number) in group[weight_lines(width) * LINE..].chunks_exact_mut(LINE).zip(numbers) {
            line[row * 4..][..4].copy_from_slice(&number.to_ne_bytes());
        }
    });
    const { assert!(PANEL_ROWS * 4 == LINE) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Scaling;
    use crate::unpack::{GROUP, unpack_group};

    #[test]
    fn values_fit_their_width() {
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for format in Format::all().filter(|format| format.scaling() != Scaling::Float) {
            let (width, offset) = range(format);
            let most = match width {
                Width::UpTo15 => 15,
                Width::UpTo31 => 31,
                Width::UpTo63 => 63,
                Width::UpTo127 => 127,
                Width::Split => 255,
            };
            for _ in 0..1000 {
                let block: Vec<u8> = (0..format.block_bytes()).map(|_| random()).collect();
                for group in 0..format.block_elements() / GROUP {
                    for value in unpack_group(format, &block, group).values {
                        let unsigned = i32::from(value) + offset;
                        assert!((0..=most).contains(&unsigned), "{}: {value}", format.name());
                    }
                }
            }
        }
    }
}
