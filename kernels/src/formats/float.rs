use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

pub(crate) fn read_f32(row: &[u8], output: &mut [f32]) {
    for (bytes, weight) in row.as_chunks().0.iter().zip(output) {
        *weight = f32::from_le_bytes(*bytes);
    }
}

pub(crate) fn read_f16(row: &[u8], output: &mut [f32]) {
    /// The conversion of a slice asks once which instructions there are; that of one number, each time.
    const PART: usize = 64;
    let mut halves = [f16::ZERO; PART];
    for (bytes, weights) in row.chunks(PART * 2).zip(output.chunks_mut(PART)) {
        for (bytes, half) in bytes.as_chunks().0.iter().zip(&mut halves) {
            *half = f16::from_le_bytes(*bytes);
        }
        halves[..weights.len()].convert_to_f32_slice(weights);
    }
}

pub(crate) fn read_bf16(row: &[u8], output: &mut [f32]) {
    for (bytes, weight) in row.as_chunks().0.iter().zip(output) {
        *weight = bf16::from_le_bytes(*bytes).to_f32();
    }
}
