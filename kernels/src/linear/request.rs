use crate::activate::Activation;
use crate::cancel::Cancel;
use crate::error::{Error, ErrorCode, Result};
use crate::isa::Isa;
use crate::matrix::Matrix;

/// A weight matrix and what is added to its products.
#[derive(Clone, Copy, Debug)]
pub struct LinearWeight<'a> {
    pub matrix: Matrix<'a>,
    /// (rows,)
    pub bias: Option<&'a [f32]>,
}

/// What becomes of the products with the weights of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Combine {
    /// One output per weight.
    Separate,
    /// One output, activation(gate) * up. Weights: gate and up, or one matrix with the rows of gate, then of up.
    Gated(Activation),
    /// One output per weight, the activation on every value.
    Activated(Activation),
    /// One output per weight, (nTokens / 2, rows): the rows of two tokens side by side added. For plain products only.
    Pairs,
}

/// Products of one input with several weights. Of each output value, in this order, each step rounded to f32:
/// the sum in the order of `unpack`, bias, activation or gating, scale, residual.
#[derive(Clone, Copy)]
pub struct LinearRequest<'a> {
    pub isa: Isa,
    pub cancel: &'a Cancel,
    /// (nTokens, columns)
    pub input: &'a [f32],
    pub tokens: usize,
    /// All of as many columns; formats may differ.
    pub weights: &'a [LinearWeight<'a>],
    pub combine: Combine,
    /// 1 = none
    pub scale: f32,
    /// (nTokens, rows): of requests with one output.
    pub residual: Option<&'a [f32]>,
}

/// One output: the product with a weight, or two products that are gated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product<'a> {
    pub weight: LinearWeight<'a>,
    pub up: Option<LinearWeight<'a>>,
}

impl<'a> LinearWeight<'a> {
    fn check(&self) -> Result<()> {
        match self.bias {
            Some(bias) if bias.len() != self.matrix.rows() => {
                mismatch(format!("a bias of {} values, found {}", self.matrix.rows(), bias.len()))
            }
            _ => Ok(()),
        }
    }

    /// `count` rows from `first` on.
    pub(super) fn slice(&self, first: usize, count: usize) -> Self {
        Self {
            matrix: self.matrix.slice(first, count),
            bias: self.bias.map(|bias| &bias[first..first + count]),
        }
    }
}

impl<'a> Product<'a> {
    pub fn rows(&self) -> usize {
        self.weight.matrix.rows()
    }

    pub fn weights(&self) -> impl Iterator<Item = &LinearWeight<'a>> {
        std::iter::once(&self.weight).chain(&self.up)
    }

    /// Bytes of weights for each output column.
    pub fn row_bytes(&self) -> usize {
        self.weights().map(|weight| weight.matrix.row_bytes()).sum()
    }
}

impl<'a> LinearRequest<'a> {
    pub(super) fn columns(&self) -> usize {
        self.weights[0].matrix.columns()
    }

    /// How many outputs it has.
    pub(super) fn outputs(&self) -> usize {
        match self.combine {
            Combine::Gated(_) => 1,
            Combine::Separate | Combine::Activated(_) | Combine::Pairs => self.weights.len(),
        }
    }

    /// Rows of each output for as many tokens.
    pub(super) fn output_rows(&self, tokens: usize) -> usize {
        if self.combine == Combine::Pairs {
            tokens / 2
        } else {
            tokens
        }
    }

    /// The outputs to compute; an error where shapes do not fit.
    pub(super) fn products(&self, outputs: &[&mut [f32]]) -> Result<Vec<Product<'a>>> {
        let Some(first) = self.weights.first() else {
            return mismatch("at least one weight, found none".into());
        };
        let columns = first.matrix.columns();
        for weight in self.weights {
            weight.check()?;
            if weight.matrix.columns() != columns {
                return mismatch(format!(
                    "weights of {columns} columns, found {}",
                    weight.matrix.columns()
                ));
            }
        }
        if self.tokens.checked_mul(columns) != Some(self.input.len()) {
            return mismatch(format!(
                "an input of {} x {columns} values, found {}",
                self.tokens,
                self.input.len()
            ));
        }
        let products = self.combined()?;
        if products.len() != outputs.len() {
            return mismatch(format!("{} outputs, found {}", products.len(), outputs.len()));
        }
        let rows = self.output_rows(self.tokens);
        for (product, output) in products.iter().zip(outputs) {
            if rows.checked_mul(product.rows()) != Some(output.len()) {
                return mismatch(format!(
                    "an output of {rows} x {} values, found {}",
                    product.rows(),
                    output.len()
                ));
            }
        }
        let is_plain =
            self.scale == 1.0 && self.residual.is_none() && self.weights.iter().all(|weight| weight.bias.is_none());
        if self.combine == Combine::Pairs && !(is_plain && self.tokens.is_multiple_of(2)) {
            return mismatch(format!(
                "plain products of an even number of tokens to pair, found {} tokens",
                self.tokens
            ));
        }
        match self.residual {
            Some(residual) if products.len() != 1 || residual.len() != outputs[0].len() => mismatch(format!(
                "a residual of {} values for one output, found {} for {}",
                outputs[0].len(),
                residual.len(),
                products.len()
            )),
            _ => Ok(products),
        }
    }

    fn combined(&self) -> Result<Vec<Product<'a>>> {
        if !matches!(self.combine, Combine::Gated(_)) {
            let single = |weight: &LinearWeight<'a>| Product {
                weight: *weight,
                up: None,
            };
            return Ok(self.weights.iter().map(single).collect());
        }
        let (gate, up) = match self.weights {
            [gate, up] if gate.matrix.rows() == up.matrix.rows() => (*gate, *up),
            [both] if both.matrix.rows().is_multiple_of(2) => {
                let rows = both.matrix.rows() / 2;
                (both.slice(0, rows), both.slice(rows, rows))
            }
            weights => {
                let rows: Vec<_> = weights.iter().map(|weight| weight.matrix.rows()).collect();
                return mismatch(format!("as many rows of gate as of up, found weights of {rows:?} rows"));
            }
        };
        Ok(vec![Product {
            weight: gate,
            up: Some(up),
        }])
    }
}

pub(super) fn mismatch<T>(expected_and_found: String) -> Result<T> {
    Err(Error::new(
        ErrorCode::TensorShapeMismatch,
        format!("Expected {expected_and_found}."),
    ))
}
