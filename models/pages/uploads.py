"""Uploads: forms that carry photographs and scans, read in memory.

The framework would put a larger file into a temporary one, unencrypted; a citizen's paper may not
touch the disk before it is sealed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from models.problems import Problem

PARTS_MAX = 200
TEXT_BYTES_MAX = 64 * 1024
UPLOAD_BYTES_MAX = 44 * 1024 * 1024
"""Of a whole form: one file of the largest kind, or several smaller ones."""


class Upload(msgspec.Struct, frozen=True):
    """A file as it was sent."""

    name: str
    data: bytes


async def multipart_pairs(
    content_type: str, body: AsyncIterator[bytes]
) -> list[tuple[str, str | Upload]]:
    """The fields of a multipart form in order. Problem page.malformed."""
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise Problem("page.malformed")
    parser = PushMultipartParser(boundary, max_segment_count=PARTS_MAX)
    found: list[tuple[str, str | Upload]] = []
    segment: MultipartSegment | None = None
    data = bytearray()
    try:
        async for chunk in body:
            for event in parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    segment, data = event, bytearray()
                elif event is None and segment is not None:
                    found.append((segment.name, _value(segment, bytes(data))))
                    segment = None
                elif event is not None:
                    data += event
                    if segment is not None and not segment.filename and len(data) > TEXT_BYTES_MAX:
                        raise Problem("page.malformed")
        parser.close()
    except (MultipartError, UnicodeDecodeError) as error:
        raise Problem("page.malformed") from error
    return found


def _value(segment: MultipartSegment, data: bytes) -> str | Upload:
    if segment.filename is None:
        return data.decode()
    return Upload(segment.filename[-100:], data)
