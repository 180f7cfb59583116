use std::fmt;

/// The codes of `src/errors.ts` that the native engine can raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    Busy,
    Cancelled,
    ContextOverflow,
    EngineFailed,
    GgufInvalid,
    InvalidArgument,
    OutOfMemory,
    SourceTruncated,
    TensorShapeMismatch,
    TensorTypeUnsupported,
    Unsupported,
    WeightsNotFinite,
}

impl ErrorCode {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Busy => "BUSY",
            Self::Cancelled => "CANCELLED",
            Self::ContextOverflow => "CONTEXT_OVERFLOW",
            Self::EngineFailed => "ENGINE_FAILED",
            Self::GgufInvalid => "GGUF_INVALID",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::OutOfMemory => "OUT_OF_MEMORY",
            Self::SourceTruncated => "SOURCE_TRUNCATED",
            Self::TensorShapeMismatch => "TENSOR_SHAPE_MISMATCH",
            Self::TensorTypeUnsupported => "TENSOR_TYPE_UNSUPPORTED",
            Self::Unsupported => "UNSUPPORTED",
            Self::WeightsNotFinite => "WEIGHTS_NOT_FINITE",
        }
    }
}

/// What went wrong: expected, found, what to do.
#[derive(Clone, Debug)]
pub struct Error {
    pub code: ErrorCode,
    pub message: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.message)
    }
}

impl std::error::Error for Error {}
