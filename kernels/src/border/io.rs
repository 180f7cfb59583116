use ort::operator::{ComputeContext, KernelContext};
use ort::value::{ValueRef, ValueRefMut};

use super::weights::{StoredMatrix, WeightFiles};
use crate::error::{Error, ErrorCode, Result};

/// Turns an error of ONNX Runtime into ours.
pub fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::EngineFailed, format!("ONNX Runtime: {error}"))
}

/// Attributes and constants of a node, read when its kernel is made.
pub struct NodeReader<'a> {
    pub context: &'a KernelContext<'a>,
    pub files: &'a WeightFiles,
}

impl NodeReader<'_> {
    pub fn integer(&self, name: &str) -> Result<i64> {
        self.context.get(name).ok_or_else(|| missing(name))
    }

    pub fn size(&self, name: &str) -> Result<usize> {
        usize::try_from(self.integer(name)?).map_err(|_| missing(name))
    }

    /// A whole number that may be absent.
    pub fn optional_size(&self, name: &str) -> Option<usize> {
        self.context
            .get::<i64>(name)
            .and_then(|value| usize::try_from(value).ok())
    }

    pub fn flag(&self, name: &str) -> bool {
        self.context.get::<i64>(name).is_some_and(|value| value != 0)
    }

    pub fn float(&self, name: &str) -> Result<f32> {
        self.context.get(name).ok_or_else(|| missing(name))
    }

    pub fn optional_float(&self, name: &str) -> Option<f32> {
        self.context.get(name)
    }

    pub fn integers(&self, name: &str) -> Result<Vec<i64>> {
        self.context.get(name).ok_or_else(|| missing(name))
    }

    pub fn text(&self, name: &str) -> Result<String> {
        self.context.get(name).ok_or_else(|| missing(name))
    }

    /// The matrices of the attributes `weights` and `columns`.
    pub fn matrices(&self) -> Result<Vec<StoredMatrix>> {
        self.files
            .matrices(&self.integers("weights")?, self.integer("columns")?)
    }

    /// The matrices of other attributes.
    pub fn matrices_of(&self, weights: &str, columns: &str) -> Result<Vec<StoredMatrix>> {
        self.files.matrices(&self.integers(weights)?, self.integer(columns)?)
    }

    /// A constant input, copied: norms, biases, frequencies.
    pub fn constant(&self, input: usize) -> Result<Vec<f32>> {
        let value: ValueRef<'_, ort::value::DynValueTypeMarker> = self.context.constant_input(input).map_err(failed)?;
        let (_, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
        Ok(values.to_vec())
    }
}

fn missing(name: &str) -> Error {
    Error::new(
        ErrorCode::EngineFailed,
        format!(
            "Expected an attribute '{name}' at a node of the graph. Addon and package do not fit; build both again."
        ),
    )
}

/// Inputs and outputs of a running node.
pub struct NodeData<'a>(pub &'a ComputeContext);

/// An input, held while its numbers are looked at.
pub struct Input<'a>(ValueRef<'a>);

impl Input<'_> {
    /// Exactly `count` numbers; anything else is an error, so that a wrong graph cannot read outside.
    pub fn floats(&self, count: usize) -> Result<&[f32]> {
        let (_, values) = self.0.try_extract_tensor::<f32>().map_err(failed)?;
        if values.len() == count {
            return Ok(values);
        }
        Err(Error::new(
            ErrorCode::EngineFailed,
            format!("Expected {count} numbers into a node, found {}.", values.len()),
        ))
    }

    pub fn integers(&self) -> Result<&[i32]> {
        let (_, values) = self.0.try_extract_tensor::<i32>().map_err(failed)?;
        Ok(values)
    }
}

/// An output, held while it is written.
pub struct Output<'a>(ValueRefMut<'a>);

impl Output<'_> {
    pub fn floats(&mut self) -> Result<&mut [f32]> {
        let (_, values) = self.0.try_extract_tensor_mut::<f32>().map_err(failed)?;
        Ok(values)
    }
}

impl NodeData<'_> {
    pub fn input(&self, index: usize) -> Result<Input<'_>> {
        let value = self.0.input(index).map_err(failed)?;
        value
            .map(Input)
            .ok_or_else(|| failed(format!("input {index} is missing")))
    }

    pub fn output(&self, index: usize, rows: usize, width: usize) -> Result<Output<'_>> {
        let value = self.0.output(index, [rows, width]).map_err(failed)?;
        value
            .map(Output)
            .ok_or_else(|| failed(format!("output {index} is missing")))
    }
}
