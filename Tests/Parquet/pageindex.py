"""A second reading of footers, page headers and page indexes, in plain Python: what pyarrow does not show."""
import dataclasses
import struct
import zlib


class Compact:
    """Thrift's compact protocol: structures become dictionaries from field number to value."""

    def __init__(self, data, position=0):
        self.data = data
        self.position = position

    def byte(self):
        self.position += 1
        return self.data[self.position - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def binary(self):
        length = self.varint()
        self.position += length
        return bytes(self.data[self.position - length:self.position])

    def value(self, kind, inside=False):
        if kind in (1, 2):
            return self.byte() == 1 if inside else kind == 1
        if kind == 3:
            return struct.unpack("b", bytes([self.byte()]))[0]
        if kind in (4, 5, 6):
            return self.zigzag()
        if kind == 8:
            return self.binary()
        if kind == 9:
            head = self.byte()
            count = head >> 4 if head >> 4 != 15 else self.varint()
            return [self.value(head & 15, True) for _ in range(count)]
        if kind == 12:
            return self.structure()
        raise ValueError(f"wire type {kind}")

    def structure(self):
        fields, last = {}, 0
        while True:
            head = self.byte()
            if head == 0:
                return fields
            last = last + (head >> 4) if head >> 4 else self.zigzag()
            fields[last] = self.value(head & 15)


def footer(path):
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<I", data[-8:-4])[0]
    return data, Compact(data, len(data) - 8 - length).structure()


@dataclasses.dataclass
class Bounds:
    minimum: bytes
    maximum: bytes
    minimum_exact: bool
    maximum_exact: bool


def chunks(path, column):
    data, metadata = footer(path)
    for group in metadata[4]:
        for chunk in group[1]:
            if b".".join(chunk[3][3]).decode() == column:
                yield data, group, chunk


def column_statistics(path, group, column):
    _, _, chunk = list(chunks(path, column))[group]
    stored = chunk[3][12]
    return Bounds(stored.get(6), stored.get(5), stored.get(8), stored.get(7))


def problems(path, table):
    """What the page indexes of a file say that its pages and the table's values do not."""
    found = []
    _, metadata = footer(path)
    if len(metadata.get(7, [])) != table.num_columns:
        found.append("column orders are missing")
    for name in table.column_names:
        first_row = 0
        for data, group, chunk in chunks(path, name):
            rows = group[3]
            values = table.column(name).slice(first_row, rows).to_pylist()
            found += [f"{name} from row {first_row}: {problem}" for problem in chunk_problems(data, chunk, rows, values, name)]
            first_row += rows
    return found


def chunk_problems(data, chunk, rows, values, name):
    locations = Compact(data, chunk[4]).structure()[1]
    starts = [location[3] for location in locations] + [rows]
    if starts[0] != 0 or starts != sorted(set(starts)):
        yield f"first rows {starts}"
    for location in locations:
        header = Compact(data, location[1])
        fields = header.structure()
        if header.position - location[1] + fields[3] != location[2]:
            yield f"the page at {location[1]} is not {location[2]} bytes long"
        body = data[header.position:header.position + fields[3]]
        if fields[4] & 0xFFFFFFFF != zlib.crc32(body):
            yield f"the page at {location[1]} has another checksum"
    pages = [values[start:end] for start, end in zip(starts, starts[1:])]
    if 6 not in chunk:
        if name != "nan" and name not in ("top", "b"):
            yield "no column index"
        return
    index = Compact(data, chunk[6]).structure()
    if index[1] != [all(value is None for value in page) for page in pages]:
        yield f"null pages {index[1]}"
    if index[5] != [sum(value is None for value in page) for page in pages]:
        yield f"null counts {index[5]}"
    for minimum, maximum, page in zip(index[2], index[3], pages):
        present = [value for value in page if value is not None and value == value]
        if present and not (below(minimum, min(present)) and below(max(present), maximum)):
            yield f"bounds {minimum}, {maximum}"
    if name == "i" and index[4] != 1:
        yield f"boundary order {index[4]} of ascending values"


def plain(value, like):
    if isinstance(value, bytes) and isinstance(like, int):
        return int.from_bytes(value, "little", signed=True)
    if isinstance(value, bytes) and isinstance(like, float):
        return struct.unpack("<d", value)[0]
    return value.encode() if isinstance(value, str) else value


def below(left, right):
    left, right = plain(left, right), plain(right, left)
    return left <= right
