"""librdkafka's producer called directly, a thousand records a call: through Python objects the client would be the limit.

The library is the one that confluent-kafka brings along, so it is the same stock client.
"""

import ctypes
import glob
import os
import time
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p

import confluent_kafka

PRODUCER = 0
COPY = 0x2
TEXT_BYTES = 512


class Message(ctypes.Structure):
    """rd_kafka_message_t"""

    _fields_ = [
        ("err", c_int),
        ("topic", c_void_p),
        ("partition", c_int32),
        ("payload", c_void_p),
        ("length", c_size_t),
        ("key", c_void_p),
        ("key_length", c_size_t),
        ("offset", c_int64),
        ("private", c_void_p),
    ]


def load():
    beside = os.path.join(os.path.dirname(confluent_kafka.__file__), "..", "confluent_kafka.libs", "librdkafka*")
    lib = ctypes.CDLL((glob.glob(beside) or ["librdkafka.so.1"])[0])
    for name, answer, arguments in [
        ("conf_new", c_void_p, []),
        ("conf_set", c_int, [c_void_p, c_char_p, c_char_p, c_char_p, c_size_t]),
        ("new", c_void_p, [c_int, c_void_p, c_char_p, c_size_t]),
        ("topic_new", c_void_p, [c_void_p, c_char_p, c_void_p]),
        ("produce_batch", c_int, [c_void_p, c_int32, c_int, POINTER(Message), c_int]),
        ("flush", c_int, [c_void_p, c_int]),
    ]:
        call = getattr(lib, "rd_kafka_" + name)
        call.restype, call.argtypes = answer, arguments
    return lib


LIB = load()


class Producer:
    """One librdkafka producer for one topic. It lives as long as the process."""

    def __init__(self, config, topic):
        text = ctypes.create_string_buffer(TEXT_BYTES)
        conf = LIB.rd_kafka_conf_new()
        for key, value in config.items():
            if LIB.rd_kafka_conf_set(conf, key.encode(), str(value).encode(), text, TEXT_BYTES) != 0:
                raise ValueError(text.value.decode())
        self.handle = LIB.rd_kafka_new(PRODUCER, conf, text, TEXT_BYTES)
        if not self.handle:
            raise RuntimeError(text.value.decode())
        self.topic = LIB.rd_kafka_topic_new(self.handle, topic.encode(), None)

    def send(self, batch, partition):
        """Queues the records of `batch` for one partition, waiting for room. Answers how many they were.

        Not by librdkafka's own blocking, which holds the lock that its first look at the topic needs.
        """
        left = len(batch)
        while left > 0:
            left -= LIB.rd_kafka_produce_batch(self.topic, partition, COPY, batch, left)
            if left > 0:
                time.sleep(0.0005)
        return len(batch)

    def flush(self, seconds=300):
        assert LIB.rd_kafka_flush(self.handle, int(seconds * 1000)) == 0, "records were left"


def batch(value, count):
    """`count` records of the same value, which must outlive them."""
    messages = (Message * count)()
    for message in messages:
        message.payload = ctypes.cast(c_char_p(value), c_void_p)
        message.length = len(value)
    return messages
