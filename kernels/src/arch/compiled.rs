/// Defines `name(isa, arguments…)` for a plain function of element-wise loops, compiled once per instruction set.
///
/// The compiler's vectorizer writes the vector code. It neither contracts nor reorders floating-point operations,
/// so every instruction set gives the same bits, wherever an element lies in its slice. The function and what it
/// calls per element must be `#[inline(always)]`, or they keep the plain instruction set.
macro_rules! compiled_per_isa {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $(-> $result:ty)? = $body:path;) => {
        $(#[$meta])*
        $visibility fn $name(isa: $crate::isa::Isa, $($argument: $kind),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,f16c")]
            fn avx2($($argument: $kind),*) $(-> $result)? {
                $body($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512($($argument: $kind),*) $(-> $result)? {
                $body($($argument),*)
            }
            match isa {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the processor has the instruction set of every `Isa` in use, see `arch`.
                $crate::isa::Isa::Avx2 => unsafe { avx2($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                $crate::isa::Isa::Avx512 => unsafe { avx512($($argument),*) },
                // Advanced SIMD is part of every 64-bit ARM target.
                _ => $body($($argument),*),
            }
        }
    };
}

pub(crate) use compiled_per_isa;
