"""Protocol Buffers as they stand on the wire: what of them TAK protocol version 1 needs.

Source: the encoding of proto3 (varints, 64-bit and length-delimited fields), and the messages
TakMessage, CotEvent, Detail, Contact and Track as published with ATAK-CIV.
"""

from __future__ import annotations

import struct
from typing import Any

Fields = dict[int, list[Any]]
"""Values of a message by the number of their field, in their order: ints, floats or bytes."""

_MOST_FIELDS = 1_000
_LONGEST_VARINT = 10  # bytes


class WrongWire(ValueError):
    """Bytes that are no message."""


def varint(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends; IndexError where it is cut."""
    value = 0
    for n in range(_LONGEST_VARINT):
        byte = data[at + n]
        value |= (byte & 0x7F) << (7 * n)
        if byte < 0x80:
            return value, at + n + 1
    raise WrongWire


def fields(data: Any) -> Fields:
    """The fields of a message; WrongWire where it is none."""
    if not isinstance(data, bytes):
        raise WrongWire
    found: Fields = {}
    at = count = 0
    try:
        while at < len(data):
            key, at = varint(data, at)
            value, at = _value(data, at, key & 7)
            found.setdefault(key >> 3, []).append(value)
            count += 1
            if count > _MOST_FIELDS:
                raise WrongWire
    except (IndexError, struct.error):
        raise WrongWire from None
    return found


def _value(data: bytes, at: int, form: int) -> tuple[Any, int]:
    if form == 0:
        return varint(data, at)
    if form == 1:
        return struct.unpack_from("<d", data, at)[0], at + 8
    if form == 5:
        return struct.unpack_from("<f", data, at)[0], at + 4
    if form == 2:
        length, at = varint(data, at)
        if at + length > len(data):
            raise WrongWire
        return data[at : at + length], at + length
    raise WrongWire


def text(message: Fields, number: int) -> str:
    """A field of text; empty where it is left out."""
    value = message.get(number, [b""])[-1]
    if not isinstance(value, bytes):
        raise WrongWire
    return value.decode("utf-8", "replace")


def double(message: Fields, number: int, default: float) -> float:
    """A field of a 64-bit float."""
    value = message.get(number, [default])[-1]
    if not isinstance(value, float):
        raise WrongWire
    return value
