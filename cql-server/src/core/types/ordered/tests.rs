use super::super::{compare, hex};
use super::*;
use proptest::prelude::*;
use std::sync::Arc;

fn native(native: Native) -> CqlType {
    CqlType::Native(native)
}

/// A type and values of it.
fn kinds() -> Vec<(CqlType, BoxedStrategy<Vec<u8>>)> {
    let bytes =
        || prop::collection::vec(prop_oneof![Just(0_u8), Just(0xFF), Just(1), any::<u8>()], 0..6).boxed();
    let of_length =
        |length: usize| prop_oneof![Just(Vec::new()), prop::collection::vec(any::<u8>(), length)].boxed();
    let int = || {
        any::<i32>()
            .prop_map(|value| value.to_be_bytes().to_vec())
            .boxed()
    };
    let varint = prop::collection::vec(any::<u8>(), 0..200).boxed();
    let uuid = any::<[u8; 16]>().prop_map(|bytes| bytes.to_vec()).boxed();
    let timeuuid = any::<[u8; 16]>().prop_map(|mut bytes| {
        bytes[6] = bytes[6] & 0xF | 0x10;
        bytes.to_vec()
    });
    let decimal =
        (-6_i32..6, -2000_i64..2000, any::<i64>(), any::<bool>()).prop_map(|(scale, small, large, which)| {
            let number = num_bigint::BigInt::from(if which { small } else { large });
            [scale.to_be_bytes().as_slice(), &number.to_signed_bytes_be()].concat()
        });
    let tuple = (prop::option::of(int()), prop::option::of(bytes()), 0..3_usize)
        .prop_map(|(a, b, length)| elements::tuple([a, b].into_iter().take(length)));
    let list = |of: BoxedStrategy<Vec<u8>>| {
        prop::collection::vec(of, 0..4)
            .prop_map(elements::collection)
            .boxed()
    };
    let map = prop::collection::vec((bytes(), int()), 0..3).prop_map(|entries| {
        let mut out = elements::Collection::default();
        entries.iter().for_each(|(key, value)| out.entry(key, value));
        out.finish()
    });
    let text = Arc::new(native(Native::Blob));
    let float = [
        0.0_f32,
        -0.0,
        1.5,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -1.5,
    ];
    let floats = prop::sample::select(float.map(|float| float.to_be_bytes().to_vec()).to_vec());
    vec![
        (native(Native::Blob), bytes()),
        (native(Native::Int), prop_oneof![Just(Vec::new()), int()].boxed()),
        (native(Native::Bigint), of_length(8)),
        (
            native(Native::Tinyint),
            prop::collection::vec(any::<u8>(), 1).boxed(),
        ),
        (
            native(Native::Boolean),
            prop::collection::vec(0..2_u8, 0..2).boxed(),
        ),
        (native(Native::Float), floats.clone().boxed()),
        (
            native(Native::Double),
            any::<f64>()
                .prop_map(|value| value.to_be_bytes().to_vec())
                .boxed(),
        ),
        (native(Native::Uuid), uuid),
        (native(Native::Timeuuid), timeuuid.boxed()),
        (native(Native::Varint), varint),
        (native(Native::Decimal), decimal.boxed()),
        (
            CqlType::Tuple([native(Native::Int), native(Native::Blob)].into()),
            tuple.boxed(),
        ),
        (
            CqlType::List {
                of: text.clone(),
                frozen: true,
            },
            list(bytes()),
        ),
        (
            CqlType::Map {
                key: text.clone(),
                value: Arc::new(native(Native::Int)),
                frozen: true,
            },
            map.boxed(),
        ),
        (
            CqlType::Vector {
                of: Arc::new(native(Native::Float)),
                dimensions: 2,
            },
            (floats.clone(), floats)
                .prop_map(|(a, b)| [a, b].concat())
                .boxed(),
        ),
        (
            CqlType::Vector {
                of: text.clone(),
                dimensions: 2,
            },
            (bytes(), bytes())
                .prop_map(move |(a, b)| elements::vector(&text, [a, b]))
                .boxed(),
        ),
    ]
}

fn any_pair() -> impl Strategy<Value = (CqlType, Vec<u8>, Vec<u8>)> {
    let strategies = kinds()
        .into_iter()
        .map(|(kind, values)| (Just(kind), values.clone(), values).boxed())
        .collect::<Vec<_>>();
    prop::strategy::Union::new(strategies)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn encodings_order_as_values((kind, a, b) in any_pair(), descending: bool, next: u8) {
        let encoded = |value: &[u8], next: Option<u8>| {
            let mut out = Vec::new();
            encode(&mut out, &kind, descending, Some(value)).unwrap();
            out.extend(next);
            out
        };
        let expected = compare(&kind, &a, &b);
        let expected = if descending { expected.reverse() } else { expected };
        let (key_a, key_b) = (encoded(&a, None), encoded(&b, None));
        prop_assert_eq!(key_a.cmp(&key_b), expected, "{} {} {}", kind, hex(&a), hex(&b));
        // Whatever follows does not matter to keys that differ.
        if expected.is_ne() {
            prop_assert_eq!(encoded(&a, Some(next)).cmp(&encoded(&b, Some(!next))), expected);
        }
    }

    #[test]
    fn encodings_come_back((kind, value, _) in any_pair(), descending: bool, rest: Vec<u8>) {
        let mut key = Vec::new();
        encode(&mut key, &kind, descending, Some(&value)).unwrap();
        let length = key.len();
        key.extend(&rest);
        let (mut input, mut back) = (key.as_slice(), Vec::new());
        prop_assert!(decode(&mut back, &kind, descending, &mut input).unwrap());
        prop_assert_eq!(input, &rest[..]);
        prop_assert_eq!(is_exact(&kind, &value), back == value, "{} {} {}", kind, hex(&value), hex(&back));
        prop_assert!(compare(&kind, &back, &value).is_eq());
        for end in 0..length {
            prop_assert!(decode(&mut Vec::new(), &kind, descending, &mut &key[..end]).is_err());
        }
    }

    #[test]
    fn garbage_is_refused_or_read((kind, ..) in any_pair(), descending: bool, garbage: Vec<u8>) {
        let _ = decode(&mut Vec::new(), &kind, descending, &mut garbage.as_slice());
        let _ = super::super::validate(&kind, &garbage);
        let _ = compare(&kind, &garbage, &garbage[garbage.len() / 2..]);
    }

    #[test]
    fn partition_keys_come_back(a: Vec<u8>, b: Vec<u8>) {
        let (mut key_a, mut key_b) = (Vec::new(), Vec::new());
        encode_bytes(&mut key_a, &a);
        encode_bytes(&mut key_b, &b);
        prop_assert_eq!(key_a.cmp(&key_b), a.cmp(&b));
        let (mut back, mut input) = (Vec::new(), key_a.as_slice());
        let kind = native(Native::Blob);
        let mut reader = Reader {
            rest: input,
            inverted: 0,
            kind: &kind,
        };
        reader.escaped(&mut back).unwrap();
        input = reader.rest;
        prop_assert_eq!(back, a);
        prop_assert!(input.is_empty());
    }
}

#[test]
fn nulls_come_first_and_markers_between_the_bounds() {
    let kind = native(Native::Int);
    let encoded = |descending, value: Option<&[u8]>| {
        let mut out = Vec::new();
        encode(&mut out, &kind, descending, value).unwrap();
        out
    };
    for descending in [false, true] {
        let null = encoded(descending, None);
        let (one, empty) = (
            encoded(descending, Some(&[0, 0, 0, 1])),
            encoded(descending, Some(&[])),
        );
        assert!(null < one && null < empty && (empty < one) != descending);
        for key in [&null, &one, &empty] {
            assert!(vec![0] < *key && *key < vec![AFTER_ALL]);
        }
        assert!(!decode(&mut Vec::new(), &kind, descending, &mut null.as_slice()).unwrap());
    }
}
