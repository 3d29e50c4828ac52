"""``conntrack -L|-G|-D|-F|-C``, as typed."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.linux.netfilter.conntrack import Conntrack
from vnet.linux.netfilter.conntrack_tool.reading import (
    VERSION,
    Command,
    ConntrackError,
    Reader,
)
from vnet.linux.netfilter.conntrack_tool.text import entry_text
from vnet.linux.netfilter.conntrack_tool.xml import entries_xml
from vnet.linux.netfilter.xtables.errors import Answer
from vnet.tables.conntrack.linux.entry import Entry

_FAILED = 1
USAGE = """\
Command line interface for the connection tracking system. Version 1.4.7
Usage: conntrack [commands] [options]

Commands:
  -L [table] [options]		List conntrack or expectation table
  -G [table] parameters		Get conntrack or expectation
  -D [table] parameters		Delete conntrack or expectation
  -F [table]			Flush table
  -C [table]			Show counter

Conntrack parameters and options:
  -n, --src-nat ip			source NAT ip
  -g, --dst-nat ip			destination NAT ip
  -j, --any-nat ip			source or destination NAT ip
  -m, --mark mark			Set mark
  -z, --zero 				Zero counters while listing
  -o, --output type[,...]		Output format, eg. xml

Common parameters and options:
  -s, --src, --orig-src ip		Source address from original direction
  -d, --dst, --orig-dst ip		Destination address from original direction
  -r, --reply-src ip		Source addres from reply direction
  -q, --reply-dst ip		Destination address from reply direction
  -p, --protonum proto		Layer 4 Protocol, eg. 'tcp'
  -f, --family proto		Layer 3 Protocol, eg. 'ipv6'
  -u, --status status		Set status, eg. ASSURED
  -w, --zone value		Set conntrack zone
  --orig-zone value		Set zone for original direction
  --reply-zone value		Set zone for reply direction
"""


class ConntrackTool:
    """The tool on one machine. ``conntrack`` None is a machine that tracks nothing."""

    def __init__(self, conntrack: Conntrack | None, now_ns: int) -> None:
        self._conntrack = conntrack
        self._now_ns = now_ns

    def run(self, words: Sequence[str]) -> Answer:
        """A whole command without ``conntrack``."""
        try:
            command = Reader(words).read()
            return self._do(command)
        except ConntrackError as error:
            return Answer(err=error.told(), status=error.status)

    def entries(self, words: Sequence[str]) -> list[Entry]:
        """The connections that options choose; raises :class:`ConntrackError`."""
        return self._chosen(Reader(words).read())

    def _all(self) -> list[Entry]:
        if self._conntrack is None:
            return []
        return [e for e in self._conntrack.table if e.expires_ns > self._now_ns]

    def _chosen(self, command: Command) -> list[Entry]:
        if command.table != "conntrack":
            return []
        return [entry for entry in self._all() if command.choice.fits(entry)]

    def _do(self, command: Command) -> Answer:
        match command.action:
            case "L":
                return self._list(command)
            case "G":
                return self._get(command)
            case "D":
                return self._delete(command)
            case "F":
                self._forget(self._all())
                return Answer(err=_said("connection tracking table has been emptied."))
            case "C":
                return Answer(f"{len(self._chosen(command))}\n")
            case "V":
                return Answer(f"conntrack v{VERSION}\n")
        return Answer(USAGE)

    def _lines(self, command: Command, entries: Sequence[Entry]) -> str:
        outputs = command.outputs
        if "xml" in outputs:
            return entries_xml(entries, self._now_ns)
        uses = 2 if command.action == "G" else 1
        return "".join(
            entry_text(
                *(entry, self._now_ns),
                extended="extended" in outputs,
                with_id="id" in outputs,
                uses=uses,
            )
            + "\n"
            for entry in entries
        )

    def _list(self, command: Command) -> Answer:
        found = self._chosen(command)
        out = self._lines(command, found)
        if command.zero:
            for counted in (entry.counted for entry in found if entry.counted):
                for way in counted:
                    way.packet_count = way.byte_count = 0
        what = "expectations" if command.table == "expect" else "flow entries"
        return Answer(out, _said(f"{len(found)} {what} have been shown."))

    def _get(self, command: Command) -> Answer:
        found = self._chosen(command)[:1]
        if not found:
            raise ConntrackError("Operation failed: such conntrack doesn't exist", _FAILED)
        return Answer(self._lines(command, found), _said("1 flow entries have been shown."))

    def _delete(self, command: Command) -> Answer:
        found = self._chosen(command)
        out = self._lines(command, found)
        self._forget(found)
        said = _said(f"{len(found)} flow entries have been deleted.")
        return Answer(out, said, 0 if found else _FAILED)

    def _forget(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            assert self._conntrack is not None
            self._conntrack.table.remove(entry)


def _said(text: str) -> str:
    return f"conntrack v{VERSION}: {text}\n"
