"""The scenario of a file: each step to one of the model's steps, its expectations judged.

An expectation is only worth something if the step reports the key it names, so the keys
of each verb are listed here, with the type of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from vnet.base.ids import ip_from_text, mac_from_text, mac_text
from vnet.base.text import did_you_mean, one_of, quote
from vnet.topology.expand import addresses_of
from vnet.topology.explain import Cut
from vnet.topology.fields import kind_of
from vnet.topology.model import (
    ArpingStep,
    Endpoint,
    Expectation,
    Link,
    LinkStep,
    PingStep,
    SendStep,
    Step,
    UdpStep,
    WaitStep,
    WireSwitch,
)
from vnet.topology.report import Path, Report
from vnet.topology.schema import VERBS, StepFile, TopologyFile
from vnet.topology.validate import Directory

_RELATION = re.compile(r"(==|!=|<=|>=|<|>)\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)


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


_COUNT = _Type("a whole number", True, _read_count)
_NUMBER_TYPE = _Type("a number", True, _read_number)
_PACKETS = {"sent": _COUNT, "received": _COUNT}
_LOSSES = {**_PACKETS, "lost": _COUNT, "errors": _COUNT}

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
        "mac": _Type("a MAC address", False, _read_mac),
        "duplicate": _Type("true or false", False, _read_bool),
    },
    "udp": _LOSSES,
    "send": {"sent": _COUNT},
    "link": {"state": _Type("up or down", False, _read_state)},
    "wait": {},
}
"""What each verb reports, which is what ``expect`` may name."""


def make_scenario(file: TopologyFile, directory: Directory, links: list[Link]) -> list[Step]:
    """The steps of ``file``; what is wrong with them goes to the report."""
    maker = _StepMaker(directory, links, len(links) == len(file.links or ()))
    return list(maker.steps(file.scenario or []))


class _Common(NamedTuple):
    """What every step has, in the order of :class:`~vnet.topology.model.Step`."""

    at_ns: int | None
    expect: tuple[Expectation, ...]
    line: int


class _StepMaker:
    def __init__(self, directory: Directory, links: list[Link], all_links: bool) -> None:
        self.directory = directory
        self.report: Report = directory.report
        self.cut: Cut = directory.cut
        self.ends = [end for link in links for end in link.ends]
        self.links_known = all_links and "links" not in {*self.cut.sections, *self.cut.kept}

    def steps(self, files: list[StepFile]) -> Iterator[Step]:
        for position, file in enumerate(files):
            path: Path = ("scenario", self.cut.index("scenario", position))
            verb = self.verb(file, path)
            if verb is not None:
                expect = tuple(self.expectations(verb, file, path))
                common = _Common(file.at, expect, self.report.line(path))
                made: Step | None = getattr(self, f"make_{verb}")(
                    getattr(file, verb), (*path, verb), common
                )
                if made is not None:
                    yield made

    def verb(self, file: StepFile, path: Path) -> str | None:
        written = [verb for verb in VERBS if verb in file.model_fields_set]
        if not written:
            self.report.add(path, "the step does nothing", f"it needs one of {one_of(VERBS)}")
            return None
        if len(written) > 1:
            what = f"the step does two things: {written[0]} and {written[1]}"
            self.report.add((*path, written[1]), what, "write two steps", at_key=True)
            return None
        if getattr(file, written[0]) is None:
            self.report.add((*path, written[0]), f"{written[0]} says nothing", at_key=True)
            return None
        return written[0]

    def expectations(self, verb: str, file: StepFile, path: Path) -> Iterator[Expectation]:
        reports = REPORTS[verb]
        for key, value in file.expect.items():
            here = (*path, "expect", key)
            kind = reports.get(key)
            if kind is None:
                hint = did_you_mean(key, list(reports), "it reports") or "it reports nothing"
                self.report.add(here, f"{verb} does not report {quote(key)}", hint, at_key=True)
                continue
            match = _RELATION.fullmatch(value) if isinstance(value, str) else None
            relation, wanted = match.groups() if match else ("==", value)
            known = kind.read(wanted)
            if known is None:
                what = f"{key} is compared with {kind.noun}, not {kind_of(value)}"
                self.report.add(here, what, "for example 3 or '>= 2'" if kind.ordered else "")
            elif relation not in ("==", "!=") and not kind.ordered:
                what = f"{key} cannot be compared by {relation}"
                self.report.add(here, what, f"it is {kind.noun}; use == or !=")
            else:
                yield Expectation(key, relation, known)

    # --- who and whom ---

    def machine(self, name: str, path: Path) -> bool:
        """Whether ``name`` is a machine with an IP stack."""
        if not self.directory.has_node(name, path):
            return False
        if isinstance(self.directory.nodes.find(name), WireSwitch):
            what = f"{quote(name)} is a switch"
            self.report.add(path, what, "steps are made by hosts, VMs and routers")
            return False
        return True

    def target(self, text: str, path: Path, only_ipv4: bool = False) -> bool:
        """Whether ``text`` is an address, or a machine that has one."""
        try:
            addresses = [bytes(ip_from_text(text))]
        except ValueError:
            if not self.machine(text, path):
                return False
            node = self.directory.nodes.find(text)
            assert node is not None
            assert not isinstance(node, WireSwitch)
            addresses = [address.ip for address in addresses_of(node)]
            if not addresses:
                self.report.add(path, f"{text} has no IP address", "write an address instead")
                return False
        if only_ipv4 and all(len(address) == 16 for address in addresses):
            self.report.add(path, f"{text} has no IPv4 address", "ARP is for IPv4 only")
            return False
        return True

    def pair(self, given: Any, path: Path, only_ipv4: bool = False) -> bool:
        source = self.machine(given.from_, (*path, "from"))
        return self.target(given.to, (*path, "to"), only_ipv4) and source

    # --- one method for each verb ---

    def make_ping(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.pair(given, path):
            return None
        return PingStep(
            *common,
            given.from_,
            given.to,
            given.count,
            given.interval,
            given.size,
            given.ttl,
            given.df,
            given.timeout,
        )

    def make_arping(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.pair(given, path, only_ipv4=True):
            return None
        return ArpingStep(*common, given.from_, given.to, given.count, given.interval, given.mode)

    def make_udp(self, given: Any, path: Path, common: _Common) -> Step | None:
        if not self.pair(given, path):
            return None
        return UdpStep(
            *common,
            given.from_,
            given.to,
            given.port,
            given.count,
            given.interval,
            given.size,
            given.echo,
            given.timeout,
        )

    def make_send(self, given: Any, path: Path, common: _Common) -> Step | None:
        name, device = given.from_
        here = (*path, "from")
        if not self.machine(name, here):
            return None
        if device is None:
            devices = self.directory.devices(name)
            if not devices or devices[0] == "nlmon":
                self.report.add(here, f"{name} has no card to send from")
                return None
            device = devices[0]
        elif not self.directory.has_device(Endpoint(name, device), here):
            return None
        return SendStep(*common, name, device, given.packet, given.count, given.interval)

    def make_link(self, given: Any, path: Path, common: _Common) -> Step | None:
        if given.end in self.ends:
            return LinkStep(*common, given.end, given.state == "up")
        if self.directory.has_node(given.end.node, (*path, "end")) and self.links_known:
            ends = [str(end) for end in self.ends]
            hint = did_you_mean(str(given.end), ends, "links end at") or "there are no links"
            self.report.add((*path, "end"), f"no link ends at {given.end}", hint)
        return None

    def make_wait(self, given: int, path: Path, common: _Common) -> Step | None:  # noqa: ARG002
        return WaitStep(*common, given)
