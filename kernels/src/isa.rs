use std::sync::OnceLock;

use crate::error::{Error, ErrorCode, Result};

/// Instruction sets with kernels of their own, from the plainest to the most able.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    Scalar,
    /// AVX2, FMA, F16C.
    Avx2,
    /// AVX-512 F, BW, DQ, VL, VBMI, VNNI.
    Avx512,
    /// Advanced SIMD with the dot-product instructions.
    Neon,
    /// The same with 8-bit matrix products.
    NeonI8mm,
}

/// Forces an instruction set: `scalar`, `avx2`, `avx512`, `neon` or `neon-i8mm`.
pub const ISA_VARIABLE: &str = "RIVULET_ISA";

impl Isa {
    pub const ALL: [Self; 5] = [Self::Scalar, Self::Avx2, Self::Avx512, Self::Neon, Self::NeonI8mm];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
            Self::NeonI8mm => "neon-i8mm",
        }
    }

    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vbmi")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("dotprod"),
            #[cfg(target_arch = "aarch64")]
            Self::NeonI8mm => Self::Neon.is_available() && std::arch::is_aarch64_feature_detected!("i8mm"),
            _ => false,
        }
    }

    /// Those that this processor has, the plainest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// The most able one here, or the one that the environment forces; decided once per process.
    pub fn chosen() -> Result<Self> {
        static CHOSEN: OnceLock<Result<Isa>> = OnceLock::new();
        CHOSEN
            .get_or_init(|| match std::env::var(ISA_VARIABLE) {
                Ok(name) => Self::by_name(&name),
                Err(_) => Ok(Self::available().last().unwrap_or(Self::Scalar)),
            })
            .clone()
    }

    fn by_name(name: &str) -> Result<Self> {
        Self::available().find(|isa| isa.name() == name).ok_or_else(|| {
            let names: Vec<_> = Self::available().map(Self::name).collect();
            Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "Expected {ISA_VARIABLE} to be one of {} on this processor, found '{name}'. Unset it to let rivulet choose.",
                    names.join(", ")
                ),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forced_one_or_else_the_most_able_one_is_chosen() {
        let chosen = Isa::chosen().unwrap();
        let expected = match std::env::var(ISA_VARIABLE) {
            Ok(name) => Isa::available().find(|isa| isa.name() == name),
            Err(_) => Isa::available().last(),
        };
        assert_eq!(Some(chosen), expected);
        assert!(Isa::by_name("").is_err());
    }
}
