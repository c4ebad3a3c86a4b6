"""Made-up tables of every type, with what is hard about each: nulls, extremes, long and equal texts."""

import datetime
import decimal

import numpy
import pyarrow

UTC = datetime.timezone.utc


def texts(source, count, kind):
    if kind == 0:
        return [f"user_{source.randrange(50)}" for _ in range(count)]
    if kind == 1:
        return ["".join(source.choice("aé€😀 \x00z") for _ in range(source.randrange(30))) for _ in range(count)]
    return ["x" * source.choice([0, 1, 7, 8, 15, 16, 17, 63, 64, 65, 300, 5000]) + str(source.random()) for _ in range(count)]


def integers(source, count, low, high, kind):
    if kind == 0:
        return [source.randint(low, high) for _ in range(count)]
    if kind == 1:
        return [source.choice([low, high, 0, 1, high - 1, low + 1]) for _ in range(count)]
    if kind == 2:
        return [min(high, low + 3 * index) for index in range(count)]
    return [source.randint(0, min(high, 9)) for _ in range(count)]


def floats(source, count, kind):
    special = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 5e-324, 1.7976931348623157e308, 1.5]
    if kind == 0:
        return [source.gauss(0, 1) for _ in range(count)]
    if kind == 1:
        return [source.choice(special) for _ in range(count)]
    return [float(source.randrange(20)) for _ in range(count)]


def decimals(source, count, precision, scale):
    with decimal.localcontext() as context:
        context.prec = 80
        largest = 10**precision - 1
        numbers = [source.choice([source.randint(-largest, largest), largest, -largest, 0, -1]) for _ in range(count)]
        return [decimal.Decimal(number).scaleb(-scale) for number in numbers]


def column(source, count):
    """A pyarrow array of a random type, with nulls or without."""
    kind = source.randrange(4)
    microseconds = lambda: integers(source, count, -(2**53), 2**53, source.randrange(4))
    makers = [
        lambda: (pyarrow.bool_(), [source.random() < 0.3 for _ in range(count)]),
        lambda: (pyarrow.int8(), integers(source, count, -128, 127, kind)),
        lambda: (pyarrow.int16(), integers(source, count, -(2**15), 2**15 - 1, kind)),
        lambda: (pyarrow.int32(), integers(source, count, -(2**31), 2**31 - 1, kind)),
        lambda: (pyarrow.int64(), integers(source, count, -(2**63), 2**63 - 1, kind)),
        lambda: (pyarrow.uint8(), integers(source, count, 0, 255, kind)),
        lambda: (pyarrow.uint16(), integers(source, count, 0, 2**16 - 1, kind)),
        lambda: (pyarrow.uint32(), integers(source, count, 0, 2**32 - 1, kind)),
        lambda: (pyarrow.uint64(), integers(source, count, 0, 2**64 - 1, kind)),
        lambda: (pyarrow.float32(), [float(numpy.float32(value)) for value in floats(source, count, source.choice([0, 2]))]),
        lambda: (pyarrow.float64(), floats(source, count, source.randrange(3))),
        lambda: (pyarrow.string(), texts(source, count, source.randrange(3))),
        lambda: (pyarrow.binary(), [text.encode() + b"\xff\x00" for text in texts(source, count, source.randrange(3))]),
        lambda: (pyarrow.binary(5), [source.randbytes(5) for _ in range(count)]),
        lambda: (pyarrow.date32(), integers(source, count, -700_000, 2_000_000, source.randrange(4))),
        lambda: (pyarrow.timestamp("us", "UTC"), microseconds()),
        lambda: (pyarrow.timestamp("ms", "UTC"), [value // 1000 for value in microseconds()]),
        lambda: (pyarrow.timestamp("us"), microseconds()),
        lambda: decimal_column(source, count),
    ]
    data_type, values = source.choice(makers)()
    nulls = source.choice([0, 0, 0.01, 0.5, 1]) if count else 0
    values = [None if source.random() < nulls else value for value in values]
    return pyarrow.array(values, data_type)


def decimal_column(source, count):
    precision = source.choice([1, 5, 9, 10, 18, 19, 25, 38])
    scale = source.randrange(precision + 1)
    return pyarrow.decimal128(precision, scale), decimals(source, count, precision, scale)


def random_table(source):
    count = source.choice([0, 1, 2, 7, 100, 1_000, 5_000, 20_000])
    columns = {f"c{index}": column(source, count) for index in range(source.randint(1, 8))}
    return pyarrow.table(columns)
