"""What a step is expected to see: each expectation read, and judged for what it can name.

An expectation is only worth something if the step reports the key it names, so the keys of
each verb are listed here, with the type of each. Besides, any step may count the frames that
pass a device meanwhile: ``frames matching icmp on vm1:eth0: 6``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from vnet.base.drops import all_drop_reasons
from vnet.base.ids import mac_from_text, mac_text
from vnet.base.text import did_you_mean, quote
from vnet.topology.checks.validate import Directory
from vnet.topology.devices import NLMON
from vnet.topology.reading.report import Path
from vnet.topology.scenario.step_names import StepNames
from vnet.topology.schema.values import RefusedError, kind_of, parse_endpoint, parse_station
from vnet.topology.steps import Expectation, FrameQuery

_RELATION = re.compile(r"(==|!=|<=|>=|<|>)\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)
_FRAMES = re.compile(r"frames(?:\s+matching\s+(.*\S))?\s+on\s+(\S+)", re.DOTALL)


class _Type(NamedTuple):
    noun: str
    ordered: bool
    read: Callable[[object], int | float | str | bool | None]


def _read_number(value: object) -> int | float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15
    return value if good else None  # type: ignore[return-value]


def _read_count(value: object) -> int | None:
    number = _read_number(value)
    return number if isinstance(number, int) else None


def _read_bool(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value)
    return value if isinstance(value, bool) else None


def _read_mac(value: object) -> str | None:
    try:
        return mac_text(mac_from_text(str(value)))
    except ValueError:
        return None


def _read_state(value: object) -> str | None:
    return value if isinstance(value, str) and value in ("up", "down") else None


def _read_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _read_name(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


_COUNT = _Type("a whole number", True, _read_count)
_NUMBER_TYPE = _Type("a number", True, _read_number)
_NAME = _Type("a name", False, _read_name)
_MAC = _Type("a MAC address or a machine's name", False, _read_mac)
_BOOL = _Type("true or false", False, _read_bool)
_PACKETS = {"sent": _COUNT, "received": _COUNT}
_LOSSES = {**_PACKETS, "lost": _COUNT, "errors": _COUNT}
_GROUPS = {"device": _NAME, "groups": _Type("groups such as 239.1.1.1", False, _read_text)}
_STREAM = dict.fromkeys(("sent_bytes", "received_bytes", "errors"), _COUNT)

REPORTS: dict[str, dict[str, _Type]] = {
    "ping": {
        **_LOSSES,
        "duplicates": _COUNT,
        "rtt_min_ms": _NUMBER_TYPE,
        "rtt_avg_ms": _NUMBER_TYPE,
        "rtt_max_ms": _NUMBER_TYPE,
    },
    "arping": {
        **_PACKETS,
        "mac": _MAC,
        "duplicate": _BOOL,
    },
    "udp": _LOSSES,
    "tcp": {**_STREAM, "connect_ms": _NUMBER_TYPE, "duration_ms": _NUMBER_TYPE},
    "iperf3": {**_STREAM, "retransmits": _COUNT, "goodput_mbit": _NUMBER_TYPE},
    "http": {
        "status": _COUNT,
        "duration_ms": _NUMBER_TYPE,
        "received_bytes": _COUNT,
        "errors": _COUNT,
    },
    "dns": {
        **_PACKETS,
        "status": _NAME,
        "answers": _COUNT,
        "data": _Type("the answers, joined by commas", False, _read_text),
        "authoritative": _BOOL,
        "tcp": _BOOL,
        "time_ms": _NUMBER_TYPE,
    },
    "dhcp": {
        **dict.fromkeys(("address", "server", "router", "dns", "domain", "state"), _NAME),
        **dict.fromkeys(("lease_s", "prefix_length", "errors"), _COUNT),
        **dict.fromkeys(("discover", "offer", "request", "ack", "nak"), _COUNT),
        **dict.fromkeys(("release", "decline"), _COUNT),
        "time_ms": _NUMBER_TYPE,
    },
    "traceroute": {
        **_PACKETS,
        "hops": _COUNT,
        "reached": _BOOL,
        "path": _NAME,
        "note": _Type("text such as !H", False, _read_text),
    },
    "tracepath": {
        **dict.fromkeys(("sent", "pmtu", "hops", "back"), _COUNT),
        "reached": _BOOL,
        "path": _NAME,
    },
    "pingall": {**_PACKETS, "lost": _COUNT},
    "send": {"sent": _COUNT},
    "join": _GROUPS,
    "leave": _GROUPS,
    "link": {"state": _Type("up or down", False, _read_state)},
    "move": {"host": _NAME, "device": _NAME},
    "wait": {},
    "fdb": {"port": _NAME, "entries": _COUNT, "moves": _COUNT},
    "iptables": {"commands": _COUNT},
    "sysctl": {"settings": _COUNT},
    "counters": {
        **dict.fromkeys(("rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "drops"), _COUNT),
    },
    "tc": {
        "kind": _NAME,
        **dict.fromkeys(
            ("sent_bytes", "sent_packets", "dropped", "overlimits", "requeues"), _COUNT
        ),
        **dict.fromkeys(("backlog_bytes", "backlog_packets"), _COUNT),
    },
    "rules": dict.fromkeys(("rules", "packets", "bytes", "policy_packets"), _COUNT),
    "conntrack": dict.fromkeys(
        ("entries", "assured", "unreplied", "translated", "packets", "bytes"), _COUNT
    ),
    "flows": {"flows": _COUNT, "n_packets": _COUNT, "n_bytes": _COUNT},
    "groups": {"groups": _COUNT, "packet_count": _COUNT, "byte_count": _COUNT},
    "meters": dict.fromkeys(("meters", "flow_count", "packet_in_count", "byte_in_count"), _COUNT),
    "tables": {"active": _COUNT, "lookup": _COUNT, "matched": _COUNT},
    "megaflows": {"megaflows": _COUNT, "packets": _COUNT, "bytes": _COUNT},
    "bond": {
        **dict.fromkeys(("links", "enabled"), _COUNT),
        **dict.fromkeys(("active", "lacp"), _NAME),
    },
    "repeat": {"rounds": _COUNT},
    "parallel": {},
    "expect": {},
}
"""What each verb reports, which is what ``expect`` may name.

``counters`` reports each drop reason as well, by its word, and what is :data:`_NUMBERED` has more
for each of its parts.
"""

_NUMBERED = {
    "groups": re.compile(r"bucket[0-9]+:(packet|byte)_count", re.ASCII),
    "meters": re.compile(r"band[0-9]+:(packet|byte)_count", re.ASCII),
}
"""Counters of the buckets of a group, and of the bands of a meter, which count from 0."""


def _reports(verb: str) -> Mapping[str, _Type]:
    if verb != "counters":
        return REPORTS[verb]
    return REPORTS[verb] | dict.fromkeys((r.word for r in all_drop_reasons()), _COUNT)


def _is_numbered(verb: str, key: str) -> bool:
    return verb in _NUMBERED and _NUMBERED[verb].fullmatch(key) is not None


def make_expectations(
    verb: str, given: Mapping[str, object], path: Path, names: StepNames
) -> Iterator[Expectation]:
    """The expectations of a step at ``path``; what is wrong with one goes to the report."""
    directory = names.directory
    report = directory.report
    reports = _reports(verb)
    for key, value in given.items():
        here = (*path, "expect", key)
        counted = _FRAMES.fullmatch(key)
        frames = None
        if counted is not None:
            frames = _frame_query(counted[1] or "", counted[2], here, directory)
            kind: _Type | None = _COUNT
        else:
            kind = _COUNT if _is_numbered(verb, key) else reports.get(key)
        if kind is None:
            hint = did_you_mean(key, list(reports), "it reports") or "it reports nothing"
            if key.startswith("frame"):
                hint = "write 'frames matching FILTER on DEVICE', or 'frames on DEVICE'"
            what = f"{verb} does not report {quote(key)}"
            report.add(here, what, hint, at_key=True)
            continue
        match = _RELATION.fullmatch(value) if isinstance(value, str) else None
        relation, wanted = match.groups() if match else ("==", value)
        known = kind.read(wanted)
        if kind is _MAC and known is None and isinstance(wanted, str):
            mac = _mac_of(wanted, here, names)
            if mac is False:
                continue
            known = mac
        if known is None:
            what = f"{quote(key)[1:-1]} is compared with {kind.noun}, not {kind_of(value)}"
            report.add(here, what, "for example 3 or '>= 2'" if kind.ordered else "")
        elif relation not in ("==", "!=") and not kind.ordered:
            what = f"{key} cannot be compared by {relation}"
            report.add(here, what, f"it is {kind.noun}; use == or !=")
        elif counted is None or frames is not None:
            yield Expectation(key, relation, known, frames)


def _mac_of(station: str, path: Path, names: StepNames) -> str | Literal[False] | None:
    """The MAC of a machine's card, as ``fdb`` names it; False when it leads nowhere, which is
    reported; None for what is no name."""
    try:
        mac = names.station(parse_station(station), path)
    except RefusedError:
        return None
    return mac_text(mac) if mac else False


def _frame_query(
    filter_text: str, point: str, path: Path, directory: Directory
) -> FrameQuery | None:
    """Which frames are counted where; None when that leads nowhere."""
    # Most files count no frames, and need not wait for the import.
    from vnet.wire.filter import FilterError, compile_filter

    try:
        end = parse_endpoint(point)
        compile_filter(filter_text)
    except RefusedError as error:
        directory.report.add(path, error.what, error.hint, at_key=True)
        return None
    except FilterError as error:
        what = f"filter {quote(filter_text)}, column {error.column}: {error.what}"
        directory.report.add(path, what, error.hint, at_key=True)
        return None
    if end.device == NLMON:
        what = f"no frames pass {end}"
        directory.report.add(path, what, "it records rtnetlink messages", at_key=True)
        return None
    known = directory.has_device(end, path, at_key=True)
    return FrameQuery(end, filter_text) if known else None
