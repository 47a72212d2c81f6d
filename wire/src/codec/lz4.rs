//! LZ4 frames around lz4_flex's blocks: unpacked straight into the buffer that is handed out.
//!
//! A frame is a magic number, two bytes of flags, perhaps the content's size, a byte of checksum, blocks (a length whose
//! top bit says that the bytes are not packed, and the bytes), and a length of zero. Blocks may refer to up to 64 kB that
//! were unpacked before them, which here stand right before the place where they are unpacked to. Checksums are skipped:
//! the bytes are checked for what they mean, as those of unpacked buffers are.
//!
//! The format: <https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md>.

use arrow_buffer::Buffer;

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
const DAMAGED: &str = "a packed buffer is damaged";
const WRONG_SIZE: &str = "a packed buffer does not hold what it claims";
/// How far back a block may refer.
const WINDOW: usize = 64 << 10;

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(DAMAGED)?;
        self.0 = rest;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u32, &'static str> {
        let bytes = self.take(4)?;
        bytes.try_into().map(u32::from_le_bytes).map_err(|_| DAMAGED)
    }
}

/// Unpacks frames that hold exactly `length` bytes. LZ4 makes bytes at most 255 times as many, so that a claim beyond
/// that is refused before memory is taken for it.
pub(super) fn unpack(packed: &[u8], length: usize) -> Result<Buffer, &'static str> {
    if length / 255 > packed.len() {
        return Err(WRONG_SIZE);
    }
    let mut out = vec![0; length];
    let (mut done, mut input) = (0, Input(packed));
    while !input.0.is_empty() {
        frame(&mut input, &mut out, &mut done)?;
    }
    if done == length { Ok(Buffer::from_vec(out)) } else { Err(WRONG_SIZE) }
}

fn frame(input: &mut Input<'_>, out: &mut [u8], done: &mut usize) -> Result<(), &'static str> {
    if input.take(4)? != MAGIC {
        return Err(DAMAGED);
    }
    let flags = input.take(2)?[0];
    // Version 1, and no dictionary from elsewhere.
    if flags >> 6 != 1 || flags & 1 != 0 {
        return Err(DAMAGED);
    }
    let (linked, block_sums, sized, content_sum) =
        (flags & 0x20 == 0, flags & 0x10 != 0, flags & 0x08 != 0, flags & 0x04 != 0);
    input.take(1 + if sized { 8 } else { 0 })?;
    let start = *done;
    loop {
        let head = input.word()?;
        if head == 0 {
            break;
        }
        let block = input.take((head & 0x7fff_ffff) as usize)?;
        let (before, rest) = out.split_at_mut(*done);
        *done += if head >> 31 == 1 {
            rest.get_mut(..block.len()).ok_or(WRONG_SIZE)?.copy_from_slice(block);
            block.len()
        } else if linked && *done > start {
            let window = &before[start.max(before.len().saturating_sub(WINDOW))..];
            lz4_flex::block::decompress_into_with_dict(block, rest, window).map_err(|_| DAMAGED)?
        } else {
            lz4_flex::block::decompress_into(block, rest).map_err(|_| DAMAGED)?
        };
        if block_sums {
            input.take(4)?;
        }
    }
    input.take(if content_sum { 4 } else { 0 })?;
    Ok(())
}

/// Packs bytes as one frame of independent blocks of at most 4 MB.
#[cfg(feature = "pack")]
pub(super) fn pack(bytes: &[u8]) -> Vec<u8> {
    /// Version 1, independent blocks of at most 4 MB, no checksums; the last byte is the checksum of the two before.
    const HEADER: [u8; 7] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73];
    const BLOCK: usize = 4 << 20;
    let most = lz4_flex::block::get_maximum_output_size(bytes.len().min(BLOCK));
    let mut out = Vec::with_capacity(HEADER.len() + most + 8);
    out.extend(HEADER);
    for block in bytes.chunks(BLOCK) {
        let head = out.len();
        out.resize(head + 4 + lz4_flex::block::get_maximum_output_size(block.len()), 0);
        let packed =
            lz4_flex::block::compress_into(block, &mut out[head + 4..]).ok().filter(|&size| size < block.len());
        let size = match packed {
            Some(size) => size as u32,
            None => {
                out[head + 4..head + 4 + block.len()].copy_from_slice(block);
                block.len() as u32 | 1 << 31
            }
        };
        out[head..head + 4].copy_from_slice(&size.to_le_bytes());
        out.truncate(head + 4 + (size & 0x7fff_ffff) as usize);
    }
    out.extend([0; 4]);
    out
}

#[cfg(all(test, feature = "pack"))]
#[allow(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use std::io::{Read, Write};

    use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

    use super::*;

    fn samples() -> Vec<Vec<u8>> {
        let noise = |length: usize| -> Vec<u8> {
            let mut state = 1u64;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            };
            (0..length).map(|_| next()).collect()
        };
        let text = "the same words again and again, with a number: ".repeat(5_000).into_bytes();
        vec![vec![7], noise(100_000), text, vec![0; 9 << 20], [noise(5 << 20), vec![1; 1 << 20]].concat()]
    }

    #[test]
    fn frames_of_any_kind_are_unpacked() {
        for sample in samples() {
            let mode = [BlockMode::Independent, BlockMode::Linked];
            let size = [BlockSize::Max64KB, BlockSize::Max4MB];
            for (mode, size) in mode.into_iter().flat_map(|mode| size.map(|size| (mode, size))) {
                for sums in [false, true] {
                    let info = FrameInfo::new()
                        .block_mode(mode)
                        .block_size(size)
                        .block_checksums(sums)
                        .content_checksum(sums)
                        .content_size(sums.then_some(sample.len() as u64));
                    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                    encoder.write_all(&sample).unwrap();
                    let packed = encoder.finish().unwrap();
                    assert_eq!(unpack(&packed, sample.len()).unwrap().as_slice(), sample);
                    assert!(unpack(&packed, sample.len() + 1).is_err());
                    assert!(unpack(&packed, sample.len() - 1).is_err());
                }
            }
        }
    }

    #[test]
    fn frames_that_are_packed_are_frames() {
        for sample in samples() {
            let packed = pack(&sample);
            let mut back = Vec::new();
            FrameDecoder::new(packed.as_slice()).read_to_end(&mut back).unwrap();
            assert_eq!(back, sample);
            assert_eq!(unpack(&packed, sample.len()).unwrap().as_slice(), sample);
        }
    }

    #[test]
    fn damage_is_an_error_or_other_bytes() {
        let sample = samples().swap_remove(2);
        let packed = pack(&sample);
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end], sample.len()).is_err());
        }
        for at in 0..packed.len().min(3_000) {
            let mut damaged = packed.clone();
            damaged[at] ^= 0xff;
            let _maybe = unpack(&damaged, sample.len());
        }
        assert_eq!(unpack(&packed, usize::MAX).unwrap_err(), WRONG_SIZE);
    }
}
