//! Any records of a partition: as Produce checks them, and as they are read later.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut data = data.to_vec();
    // Let the checksum hold, or nothing behind it is ever reached.
    if data.len() > 61 {
        let length = u32::try_from(data.len() - 12).unwrap_or(0);
        data[8..12].copy_from_slice(&length.to_be_bytes());
        let crc = kafka_server::internals::checksum(&data[21..]);
        data[17..21].copy_from_slice(&crc.to_be_bytes());
    }
    let records = bytes::Bytes::from(data);
    kafka_server::internals::check_records(&records, false);
    kafka_server::internals::check_records(&records, true);
    kafka_server::internals::read_records(records);
});
