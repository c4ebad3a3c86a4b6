"""Values of the tables `served/…`, as `headrace verify` and training sets write them."""

from __future__ import annotations

import json
import struct


def logged_value(row: dict) -> object:
    return next((row[name] for name in ("value_integer", "value_double", "value_text") if row[name] is not None), None)


def bits(value: object) -> object:
    """Bit for bit; a list is its JSON."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, str) and value.startswith("["):
        return json.dumps(json.loads(value))
    return value


def served_text(row: dict) -> str:
    """As `verify` writes it."""
    value = logged_value(row)
    text = "null" if value is None else swift_double(value) if isinstance(value, float) else str(value)
    return text if row["status"] == "PRESENT" else f"{text} {row['status']}"


def swift_double(value: float) -> str:
    """The shortest decimal that reads back as the same number, with exponents as Swift writes them."""
    magnitude = abs(value)
    if magnitude == 0 or 1e-4 <= magnitude < 2.0**53:
        return repr(value)
    mantissa, _, exponent = next(
        text for text in (f"{value:.{count}e}" for count in range(18)) if float(text) == value).partition("e")
    return f"{mantissa}e{int(exponent):+03d}"
