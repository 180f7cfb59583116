/// Whether the environment asks for less of what takes long, as emulated and instrumented processors are slow:
/// a part of the random cases, the chosen instruction set alone.
pub fn is_brief() -> bool {
    std::env::var_os("RIVULET_BRIEF_TESTS").is_some()
}
