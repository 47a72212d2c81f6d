//! Any bytes as an Arrow file.
#![no_main]

use arrow_array::Array;
use arrow_buffer::Buffer;
use libfuzzer_sys::fuzz_target;
use wire::file::FileReader;

fuzz_target!(|bytes: &[u8]| {
    let mut limits = wire::Limits::default();
    limits.body = 16 << 20;
    limits.unpacked = 16 << 20;
    limits.fields = 500;
    let Ok(mut reader) = FileReader::try_new(Buffer::from(bytes), limits) else { return };
    for index in (0..reader.batches().min(20)).rev() {
        if let Ok(batch) = reader.batch(index) {
            for column in batch.columns() {
                column.to_data().validate_full().unwrap();
            }
        }
    }
});
