"""The file format of databases (ovsdb(7), "Standalone Format"): records, each with its hash.

The first record is the schema, each later one a commit. What is cut short or damaged ends a log:
records behind it are not read, and the next one is to be written in its place.
"""

from __future__ import annotations

import json as python_json
import re
from hashlib import sha1

from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.json_text import Json

MAGIC = "JSON"
"""What records of a database of its own begin with."""
CLUSTER_MAGIC = "CLUSTER"
"""What records of a clustered database begin with. Those are not read here."""

_LONGEST_HEADER = 127
_HEADER = re.compile(rb"OVSDB ([^ \n]*) ([0-9]{1,19}) ([0-9a-fA-F]{40})\n")
_ENCODER = python_json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))


def frame_record(record: Json) -> bytes:
    """A record as it is written to a file."""
    body = _ENCODER.encode(record).encode("utf-8", "surrogateescape") + b"\n"
    return b"OVSDB %s %d %s\n" % (MAGIC.encode(), len(body), sha1(body).hexdigest().encode()) + body


class LogReader:
    """Reads a file's records. ``name`` is how errors call it.

    ``offset`` is where the records read so far end, in bytes; ``fault`` is why no more can be
    read, or None where the log simply ends. Raises :class:`OvsdbError` for other kinds of files.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.offset = 0
        self.fault: OvsdbError | None = None
        self._data = data
        self._previous_offset = 0
        self._identify()

    def _identify(self) -> None:
        if not self._data:
            raise OvsdbError("ovsdb error", f"{self.name}: cannot identify file type")
        header = _HEADER.match(self._data)
        if header is None or len(header[0]) > _LONGEST_HEADER:
            raise OvsdbError("ovsdb error", f"{self.name}: unexpected file format")
        if header[1] == CLUSTER_MAGIC.encode():
            what = "cannot apply this operation to clustered database file"
            raise OvsdbError("ovsdb error", f"{self.name}: {what}")
        if header[1] != MAGIC.encode():
            raise OvsdbError("ovsdb error", f"{self.name}: cannot identify file type")

    def read(self) -> dict[str, Json] | None:
        """The next record. None is the end, be it the file's or what ``fault`` says."""
        if self.fault is not None or self.offset == len(self._data):
            return None
        try:
            return self._read()
        except OvsdbError as fault:
            self.fault = fault
            return None

    def unread(self) -> None:
        """The record read last makes no sense: the log ends before it."""
        self.offset = self._previous_offset

    def _read(self) -> dict[str, Json]:
        header = _HEADER.match(self._data, self.offset)
        if header is None or header[1] != MAGIC.encode():
            raise self._bad_header()
        begin, length = header.end(), int(header[2])
        body = self._data[begin : begin + length]
        if len(body) < length:
            details = f"{self.name}: error reading {length} bytes starting at offset {begin}"
            raise OvsdbError("I/O error", details, io_error="End of file")
        place = f"{self.name}: {length} bytes starting at offset {begin}"
        actual, expected = sha1(body).hexdigest(), header[3].decode().lower()
        if actual != expected:
            difference = f"have SHA-1 hash {actual} but should have hash {expected}"
            raise OvsdbError("syntax error", f"{place} {difference}")
        record = _parse(place, body)
        self._previous_offset, self.offset = self.offset, begin + length
        return record

    def _bad_header(self) -> OvsdbError:
        line = self._data[self.offset : self.offset + _LONGEST_HEADER].split(b"\n", 1)[0]
        text = line.decode("utf-8", "surrogateescape")
        place = f"{self.name}: parse error at offset {self.offset} in header line"
        return OvsdbError("syntax error", f'{place} "{text}"')


def _parse(place: str, body: bytes) -> dict[str, Json]:
    try:
        record = python_json.loads(body.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as fault:
        raise OvsdbError("syntax error", f"{place} are not valid JSON ({fault})") from None
    if not isinstance(record, dict):
        raise OvsdbError("syntax error", f"{place} are not a JSON object")
    return record
