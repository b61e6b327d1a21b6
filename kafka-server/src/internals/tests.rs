use super::*;

#[test]
fn samples_are_what_they_say() {
    for codec in 0..=4 {
        let batch = sample_batch(100, 50, codec);
        assert!(check_records(&batch, false));
        assert!(check_records(&batch, true));
        assert!(frame_entry(&batch));
        assert_eq!(read_records(batch.clone()), 100);
        assert!(decode_frame(sample_produce(&batch)));
    }
    assert!(!decode_frame(Bytes::from_static(b"\0\0\0\x09")));
}

/// Chance that a seed repeats.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }

    /// `bytes` with a few of them changed, taken out, put in or cut off.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        const TELLING: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
        let mut damaged = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(damaged.len());
            match self.below(6) {
                0 | 1 if !damaged.is_empty() => damaged[at] ^= 1 << self.below(8),
                2 if !damaged.is_empty() => damaged[at] = TELLING[self.below(TELLING.len())],
                3 if !damaged.is_empty() => drop(damaged.remove(at)),
                4 => damaged.insert(at, TELLING[self.below(TELLING.len())]),
                _ if self.below(8) == 0 => damaged.truncate(at),
                _ => {}
            }
        }
        damaged
    }
}

/// How many times each sample is damaged; more where the environment says so.
fn rounds() -> usize {
    let asked = std::env::var("SMACK_FUZZ_ROUNDS").ok();
    asked.and_then(|rounds| rounds.parse().ok()).unwrap_or(300)
}

/// What stock clients really sent, damaged by chance: whatever comes of it, nothing panics.
#[test]
fn damaged_requests_panic_nobody() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../compat-tests/golden/kafka");
    let (mut chance, mut whole) = (Chance(0x9e37_79b9_7f4a_7c15), 0);
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let request = text.lines().next().unwrap();
        let frame: Vec<u8> = (0..request.len() / 2)
            .map(|at| u8::from_str_radix(&request[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        whole += usize::from(decode_frame(frame.clone().into()));
        for _ in 0..rounds() {
            decode_frame(chance.damage(&frame).into());
        }
    }
    assert!(whole > 60, "only {whole} requests are whole");
}

/// Batches and payloads of every codec, damaged by chance under a checksum that holds.
#[test]
fn damaged_batches_panic_nobody() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    for codec in 0..=4 {
        let batch = sample_batch(20, 50, codec);
        for _ in 0..rounds() {
            let mut damaged = chance.damage(&batch);
            frame_entry(&damaged);
            if damaged.len() > 61 {
                let length = u32::try_from(damaged.len() - 12).unwrap();
                damaged[8..12].copy_from_slice(&length.to_be_bytes());
                let crc = checksum(&damaged[21..]);
                damaged[17..21].copy_from_slice(&crc.to_be_bytes());
                decompress(codec, &damaged[61..]);
            }
            let damaged = Bytes::from(damaged);
            check_records(&damaged, false);
            check_records(&damaged, true);
            read_records(damaged);
        }
    }
}

/// What a consumer says when it joins a group: version 3, topics, user data, what it has, its generation and rack.
#[test]
fn damaged_subscriptions_panic_nobody() {
    let said =
        b"\0\x03\0\0\0\x01\0\x01a\xff\xff\xff\xff\0\0\0\x01\0\x01a\0\0\0\x01\0\0\0\x05\0\0\0\x07\0\x01r";
    assert!(read_consumer_protocol(said) > 0);
    let mut chance = Chance(0x6a09_e667_f3bc_c909);
    for _ in 0..rounds() * 10 {
        read_consumer_protocol(&chance.damage(said));
    }
}
