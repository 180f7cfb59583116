//! Code for single instruction sets. An [`Isa`](crate::isa::Isa) handed to anything in here comes from
//! [`Isa::available`](crate::isa::Isa::available) or [`Isa::chosen`](crate::isa::Isa::chosen): the processor has it.

#[cfg(target_arch = "x86_64")]
mod arrange;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod buffer;
mod compiled;
mod generic;
pub(crate) mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod prefetch;
pub(crate) mod products;
mod scalar;
pub(crate) mod shares;
pub(crate) mod strip;

pub(crate) use compiled::compiled_per_isa;
pub(crate) use prefetch::prefetch_line;
