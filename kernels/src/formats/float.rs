use half::{bf16, f16};

pub(crate) fn read_f32(row: &[u8], output: &mut [f32]) {
    for (bytes, weight) in row.as_chunks().0.iter().zip(output) {
        *weight = f32::from_le_bytes(*bytes);
    }
}

pub(crate) fn read_f16(row: &[u8], output: &mut [f32]) {
    for (bytes, weight) in row.as_chunks().0.iter().zip(output) {
        *weight = f16::from_le_bytes(*bytes).to_f32();
    }
}

pub(crate) fn read_bf16(row: &[u8], output: &mut [f32]) {
    for (bytes, weight) in row.as_chunks().0.iter().zip(output) {
        *weight = bf16::from_le_bytes(*bytes).to_f32();
    }
}
