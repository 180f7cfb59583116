/// Bytes of a cache line, and the alignment of every [`Buffer`].
pub(crate) const LINE: usize = 64;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "read through pointers")] [u8; LINE]);

/// Memory that begins on a cache line and is kept from use to use.
#[derive(Default)]
pub(crate) struct Buffer(Vec<Line>);

impl Buffer {
    /// The first `length` bytes, with whatever they last held; zeros at first.
    pub fn bytes(&mut self, length: usize) -> &mut [u8] {
        let lines = length.div_ceil(LINE);
        if self.0.len() < lines {
            self.0.resize(lines, Line([0; LINE]));
        }
        // SAFETY: `lines` lines are `length` initialized bytes or more, borrowed as long as the result is.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), length) }
    }

    /// As above, to read what was written.
    pub fn written(&self, length: usize) -> &[u8] {
        assert!(length <= self.0.len() * LINE);
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), length) }
    }

    /// The first `length` numbers.
    pub fn floats(&mut self, length: usize) -> &mut [f32] {
        let bytes = self.bytes(length * size_of::<f32>());
        // SAFETY: aligned to a line, and every bit pattern is a number.
        unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), length) }
    }
}
