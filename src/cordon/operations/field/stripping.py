"""A photo without what its camera wrote into it: where it was taken, when, by which phone.

The bytes that came are the evidence and are never changed. What is shown on a page is a copy
made here, without metadata, so that a picture that is passed on tells no more than it shows.
"""

from __future__ import annotations

import struct

from cordon.kernel.errors import BadInput

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_KEPT_PNG = frozenset((b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"IDAT",
                       b"IEND"))  # fmt: skip
_ORIENTATION = 0x0112


def media_type_of(head: bytes) -> str | None:
    """What the first bytes of a file say that it is, of what is taken; None for all else."""
    if head.startswith(JPEG):
        return "image/jpeg"
    return "image/png" if head.startswith(PNG) else None


def stripped(data: bytes) -> bytes:
    """The picture without metadata; of it, which side is up alone is kept.

    Raises:
        BadInput: the bytes are no whole JPEG or PNG.
    """
    try:
        if data.startswith(JPEG):
            return _jpeg(data)
        if data.startswith(PNG):
            return _png(data)
    except (IndexError, struct.error):
        pass
    raise BadInput("The photo cannot be shown: it is no whole JPEG or PNG.")


def _jpeg(data: bytes) -> bytes:
    """ITU-T T.81, annex B: APP1 to APP15 and COM are left out, but for ICC and Adobe's colours."""
    out, at, up = bytearray(data[:2]), 2, 1
    while True:
        if data[at] != 0xFF:
            raise IndexError
        while data[at + 1] == 0xFF:  # fill bytes
            at += 1
        marker = data[at + 1]
        if marker == 0xDA:  # the picture itself
            end = data.rfind(b"\xff\xd9")  # what stands behind its end is no picture
            if end < at:
                raise IndexError
            return bytes(_with_orientation(out, up) + data[at : end + 2])
        (length,) = struct.unpack_from(">H", data, at + 2)
        segment = data[at : at + 2 + length]
        if len(segment) != 2 + length or length < 2:
            raise IndexError
        if marker == 0xE1 and segment[4:10] == b"Exif\0\0":
            up = _orientation(segment[10:])
        icc = marker == 0xE2 and segment[4:16] == b"ICC_PROFILE\0"
        if not (0xE1 <= marker <= 0xEF or marker == 0xFE) or icc or marker == 0xEE:
            out += segment
        at += 2 + length


def _orientation(tiff: bytes) -> int:
    """Which side is up (TIFF 6.0, tag 274): 1 to 8, 1 where it is not said."""
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for n in range(min(count, 200)):
            tag, _type, _count, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * n)
            if tag == _ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except (KeyError, struct.error):
        pass
    return 1


def _with_orientation(head: bytearray, up: int) -> bytearray:
    if up == 1:
        return head
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, up, 0, 0)
    body = b"Exif\0\0" + tiff
    return head[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + head[2:]


def _png(data: bytes) -> bytes:
    out, at = bytearray(data[:8]), 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        chunk = data[at : at + 12 + length]
        if len(chunk) != 12 + length:
            raise IndexError
        if kind in _KEPT_PNG:
            out += chunk
        if kind == b"IEND":
            return bytes(out)
        at += 12 + length
