"""What the tests with foreign clients share: a broker process, the clients, raw frames, a fault proxy."""

from __future__ import annotations

import functools
import logging

import confluent_kafka

# librdkafka says on stderr that a broker is gone, which here is what a test wants, and goes on to say so after the
# last line of a run. Every client of confluent-kafka gets a logger that drops it, unless it brings its own.
QUIET = logging.getLogger("librdkafka")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False
confluent_kafka.Producer = functools.partial(confluent_kafka.Producer, logger=QUIET)
confluent_kafka.Consumer = functools.partial(confluent_kafka.Consumer, logger=QUIET)
