use std::ops::Range;

use super::request::{Combine, LinearRequest, LinearWeight, Product};
use crate::activate::{activate_slice, gate_slice};

impl LinearRequest<'_> {
    /// Everything after the sums of some rows with one token, into `output`.
    pub(super) fn finish(
        &self,
        product: &Product<'_>,
        rows: Range<usize>,
        token: usize,
        sums: &mut [f32],
        up_sums: &mut [f32],
        output: &mut [f32],
    ) {
        add_bias(&product.weight, rows.clone(), sums);
        match (self.combine, &product.up) {
            (Combine::Gated(activation), Some(up)) => {
                add_bias(up, rows.clone(), up_sums);
                gate_slice(self.isa, activation, sums, up_sums, output);
            }
            (Combine::Activated(activation), _) => {
                output.copy_from_slice(sums);
                activate_slice(self.isa, activation, output);
            }
            _ => output.copy_from_slice(sums),
        }
        if self.scale != 1.0 {
            output.iter_mut().for_each(|value| *value *= self.scale);
        }
        if let Some(residual) = self.residual {
            let residual = &residual[token * product.rows()..][rows];
            for (value, residual) in output.iter_mut().zip(residual) {
                *value += residual;
            }
        }
    }
}

fn add_bias(weight: &LinearWeight<'_>, rows: Range<usize>, sums: &mut [f32]) {
    if let Some(bias) = weight.bias {
        for (sum, bias) in sums.iter_mut().zip(&bias[rows]) {
            *sum += bias;
        }
    }
}
