"""What a window covers, from the definition (DESIGN.md section 3) and not from the program's code.

Times are epoch milliseconds. A row is (time, partition, offset, value); rows come in that order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
HOPS = sorted(count * unit for count, unit in [
    *((count, unit) for unit in (SECOND, MINUTE) for count in (1, 2, 5, 10, 15, 30)),
    *((count, HOUR) for count in (1, 2, 3, 6, 12)), (1, DAY)])
INFINITELY_LONG_AGO = -(1 << 62)


def default_hop(length: int) -> int:
    """The largest usual step that is at most a twelfth of the window and divides it; else a twelfth, else all of it."""
    usual = [hop for hop in HOPS if hop * 12 <= length and length % hop == 0]
    return max(usual, default=length // 12 if length % 12 == 0 else length)


@dataclass(frozen=True)
class Window:
    kind: str
    length: int = 0
    hop: int = 0
    count: int = 0

    def bounds(self, at: int) -> tuple[int, int]:
        """The first and the last millisecond of event time that it covers when it is read at `at`."""
        if self.kind == "sliding":
            return at // self.hop * self.hop - self.length, at
        if self.kind == "tumbling":
            end = at // self.length * self.length
            return end - self.length, end - 1
        return INFINITELY_LONG_AGO, at

    def rows(self, rows: list[tuple], at: int) -> tuple[int, int]:
        """The positions [first, last) of the rows that it covers."""
        low, high = self.bounds(at)
        first, last = bisect_left(rows, (low,)), bisect_right(rows, (high, 1 << 62))
        if self.kind == "last":
            first = max(0, last - self.count)
        elif self.kind == "session":
            first = last
            while first > 0 and (first == last or rows[first][0] - rows[first - 1][0] <= self.length):
                first -= 1
            # A session that is over is no session any more.
            if first < last and at - rows[last - 1][0] > self.length:
                first = last
        return first, last

    def counts(self, time: int, watermark: int, lateness: int) -> bool:
        """Whether an event of this time can still be in a window that is read from now on (the second ring)."""
        if self.kind == "sliding":
            tile_end = time // self.hop * self.hop + self.hop
            return tile_end > (watermark - lateness) // self.hop * self.hop - self.length
        if self.kind == "tumbling":
            tile_end = time // self.length * self.length + self.length
            return tile_end > (watermark - lateness) // self.length * self.length - self.length
        return True
