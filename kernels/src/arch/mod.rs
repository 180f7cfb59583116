//! Code for single instruction sets. An [`Isa`](crate::isa::Isa) handed to anything in here comes from
//! [`Isa::available`](crate::isa::Isa::available) or [`Isa::chosen`](crate::isa::Isa::chosen): the processor has it.

mod compiled;

pub(crate) use compiled::compiled_per_isa;
