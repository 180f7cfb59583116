use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;

use ort::operator::{ComputeContext, KernelContext};
use ort::value::ValueRef;
use ort::{AsPointer, sys};

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
///
/// Asked of ONNX Runtime's interface directly: `ort`'s values read a type with its dimensions first, which takes longer
/// than many a node.
pub struct Input<'a> {
    value: *const sys::OrtValue,
    context: PhantomData<&'a ComputeContext>,
}

impl Input<'_> {
    /// Exactly `count` numbers; anything else is an error, so that a wrong graph cannot read outside.
    pub fn floats(&self, count: usize) -> Result<&[f32]> {
        let values = self.values()?;
        if values.len() == count {
            return Ok(values);
        }
        Err(Error::new(
            ErrorCode::EngineFailed,
            format!("Expected {count} numbers into a node, found {}.", values.len()),
        ))
    }

    pub fn integers(&self) -> Result<&[i32]> {
        self.values()
    }

    fn values<T: Number>(&self) -> Result<&[T]> {
        let mut bytes = 0;
        // SAFETY: the value lives as long as the context of the run; ONNX Runtime refuses what is no tensor.
        check(unsafe { (ort::api().GetTensorSizeInBytes)(self.value, &mut bytes) })?;
        let data = data_of(self.value.cast_mut())?;
        // SAFETY: the tensor has that many bytes, aligned by ONNX Runtime's allocator; any bits are a number, and
        // nobody writes an input while the node runs.
        Ok(unsafe { slice::from_raw_parts(data.cast().as_ptr(), bytes / size_of::<T>()) })
    }
}

/// Four bytes of any value.
trait Number {}
impl Number for f32 {}
impl Number for i32 {}

/// An output, held while it is written.
pub struct Output<'a> {
    value: *mut sys::OrtValue,
    count: usize,
    context: PhantomData<&'a ComputeContext>,
}

impl Output<'_> {
    pub fn floats(&mut self) -> Result<&mut [f32]> {
        let data = data_of(self.value)?;
        // SAFETY: the tensor was made with room for as many f32; ONNX Runtime reuses no memory of this node's inputs
        // for it, as the operators do not ask for that.
        Ok(unsafe { slice::from_raw_parts_mut(data.cast().as_ptr(), self.count) })
    }
}

/// Where the numbers of a tensor are; not null even when there are none.
fn data_of(value: *mut sys::OrtValue) -> Result<NonNull<c_void>> {
    let mut data = ptr::null_mut();
    // SAFETY: the value lives as long as the context of the run; ONNX Runtime refuses what is no tensor.
    check(unsafe { (ort::api().GetTensorMutableData)(value, &mut data) })?;
    Ok(NonNull::new(data).unwrap_or(NonNull::<u64>::dangling().cast()))
}

fn check(status: sys::OrtStatusPtr) -> Result<()> {
    // SAFETY: a status that a call has just returned, and that nobody else frees.
    unsafe { ort::Error::result_from_status(status) }.map_err(failed)
}

impl NodeData<'_> {
    pub fn input(&self, index: usize) -> Result<Input<'_>> {
        let mut value = ptr::null();
        // SAFETY: the context is that of the node that runs.
        check(unsafe { (ort::api().KernelContext_GetInput)(self.0.ptr(), index, &mut value) })?;
        if value.is_null() {
            return Err(failed(format!("input {index} is missing")));
        }
        Ok(Input {
            value,
            context: PhantomData,
        })
    }

    pub fn output(&self, index: usize, rows: usize, width: usize) -> Result<Output<'_>> {
        let shape = [rows as i64, width as i64];
        let mut value = ptr::null_mut();
        // SAFETY: as above; the shape is read during the call.
        check(unsafe {
            let context = self.0.ptr().cast_mut();
            (ort::api().KernelContext_GetOutput)(context, index, shape.as_ptr(), shape.len(), &mut value)
        })?;
        if value.is_null() {
            return Err(failed(format!("output {index} is missing")));
        }
        Ok(Output {
            value,
            count: rows * width,
            context: PhantomData,
        })
    }
}
