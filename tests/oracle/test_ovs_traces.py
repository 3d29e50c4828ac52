"""Open vSwitch's own test suite: set-up commands, and what ``ofproto/trace`` says afterwards.

The real ``ovs-vsctl`` and ``ovs-appctl`` type them. Cases of one test share a switch there, and
what a trace with a packet learned stays; so the cases of one source are played in their order, each
with the set-up lines that it adds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from tests.oracle.path import oracle_path
from tests.ovs.private_ovs import IS_INSTALLED
from tests.ovs.tools.own_switch import OwnSwitch, own_switch
from vnet.ovs.dpif.actions import OdpActions, Output
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.dpif.text.parse_actions import parse_actions
from vnet.ovs.flow.match_parse import parse_match

FILE = oracle_path("ovs-tests", "trace-cases.json")

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
    pytest.mark.skipif(FILE is None, reason="VNET_ORACLE does not lead to ovs-tests"),
]

Case = dict[str, Any]


_TUNNELS = "vxlan|gre|geneve|erspan|gtpu|bareudp|srv6|lisp|stt|ip6gre"
_HAS_TUNNEL = re.compile(rf"type=({_TUNNELS})\b")


def _load() -> dict[str, list[Case]]:
    """The cases of each test of the suite."""
    by_source: dict[str, list[Case]] = {}
    if FILE is not None:
        for case in json.loads(FILE.read_text(encoding="utf-8")):
            by_source.setdefault(case["source"].removeprefix("tests/"), []).append(case)
    return by_source


CASES = _load()


def _names(*, with_tunnels: bool) -> Iterator[str]:
    for source, cases in CASES.items():
        for number, case in enumerate(cases, start=1):
            if bool(_HAS_TUNNEL.search(json.dumps(case["setup"]))) is with_tunnels:
                yield f"{source} #{number}"


NAMES = list(_names(with_tunnels=False))
TUNNEL_NAMES = list(_names(with_tunnels=True))


def _data(name: str) -> list[Any]:
    found: list[Any] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return found


DIFFERENCES: dict[str, str] = {
    entry["case"]: entry["why"] for entry in _data("known_ovs_differences.json")
}
UNRECORDED: dict[str, list[list[str]]] = {
    entry["case"]: entry["appctl"] for entry in _data("ovs_trace_setups.json")
}
"""What a test of Open vSwitch does before a case and the recording of its set-up leaves out."""


@dataclass
class Traced:
    """What a trace says, one entry for each time that the packet is looked up."""

    actions: list[str]
    megaflows: list[str]

    @classmethod
    def of(cls, text: str) -> Traced:
        return cls(
            re.findall(r"^Datapath actions: (.*)$", text, re.M),
            re.findall(r"^Megaflow: (.*)$", text, re.M),
        )


REFUSED = [
    "ovs-appctl -t ovs-ofctl exit",  # a monitor of the suite's, which nobody started here
    "ovs-appctl tnl/neigh/aging 0",
    "ovs-appctl tnl/neigh/aging 3601",
    "ovs-vsctl set Flow_Table t0 prefixes=nw_dst,nw_dst",
    "ovs-vsctl set Flow_Table t0 prefixes=nw_dst,nw_src,tun_dst,tun_src",
]
"""Lines of the suite that are there to be refused."""


class Played(NamedTuple):
    """What traces say, and what lines were refused."""

    traces: list[Traced]
    refused: list[str]


@cache
def play(source: str) -> Played:
    """Play all cases of a test on one switch: for each its further set-up lines, and its trace."""
    with TemporaryDirectory(prefix="vnet-") as directory, own_switch(Path(directory)) as switch:
        return _play(switch, source)


def _play(switch: OwnSwitch, source: str) -> Played:
    done: list[Any] = []
    played = Played([], [])
    for case in CASES[source]:
        for step in case["setup"][len(done) :]:
            if step["argv"][1:] in [other["trace"] for other in CASES[source]]:
                continue  # a case of its own, which was played already
            answer = switch.run(step["argv"], step.get("lines", ()))
            if answer.exit_code and step["argv"][0] != "ovs-ofctl":
                played.refused.append(" ".join(step["argv"]))
        done = case["setup"]
        for words in UNRECORDED.get(f"{source} #{len(played.traces) + 1}", ()):
            assert switch.run(["ovs-appctl", *words]).exit_code == 0, words
        # Nothing is traced where there is a tunnel in it that there is none of here.
        played.traces.append(Traced.of(switch.run(["ovs-appctl", *case["trace"]]).output))
    return played


def case_named(name: str) -> tuple[Case, Traced]:
    source, number = name.rsplit(" #", 1)
    return CASES[source][int(number) - 1], play(source).traces[int(number) - 1]


def outputs(actions: str, tags: list[str]) -> list[tuple[str, list[str]]]:
    """Where a packet that came with ``tags`` goes, and with which, in no order.

    Open vSwitch floods in the order of a hash table of pointers.
    """
    found = []
    parsed: OdpActions = () if actions == "drop" else parse_actions(actions)
    for action in parsed:
        text = actions_text((action,))
        if isinstance(action, Output):
            found.append((text, tags))
        elif text == "pop_vlan":
            tags = tags[1:]
        else:
            tags = [text.removeprefix("push_"), *tags]
    return sorted(found)


def agree(case: Case, got: list[str]) -> bool:
    wanted = case["actual_all"]
    if case.get("compare"):
        tags = re.findall(r"vlan\([^)]*\)", case["trace"][-1])
        return [outputs(text, tags) for text in got] == [outputs(text, tags) for text in wanted]
    patterns = [re.escape(text).replace(r"\?", ".*").replace("X", ".*") for text in wanted]
    return len(got) == len(patterns) and all(map(re.fullmatch, patterns, got))


@pytest.mark.parametrize("name", NAMES)
def test_datapath_actions_are_those_of_open_vswitch(name: str) -> None:
    check_actions(name)


@pytest.mark.parametrize("name", TUNNEL_NAMES)
def test_datapath_actions_of_tunnels_are_those_of_open_vswitch(name: str) -> None:
    check_actions(name)


def check_actions(name: str) -> None:
    case, traced = case_named(name)
    if name in DIFFERENCES:
        assert not agree(case, traced.actions), f"agrees now: {DIFFERENCES[name]}"
    else:
        assert agree(case, traced.actions), f"{traced.actions} instead of {case['actual_all']}"


def comparable(megaflows: list[str], case: Case) -> list[str]:
    """Numbers of ports that asked for none are drawn: OVS goes through them in UUID order."""
    if "ofport_request" in json.dumps(case["setup"]):
        return megaflows
    return [re.sub(r"\bin_port=\d+", "in_port=1", megaflow) for megaflow in megaflows]


def floods_otherwise(case: Case, traced: Traced) -> bool:
    """Which tags of a packet are looked at goes by the order in which ports are flooded, and that
    by their numbers: where the first that wants another tag comes last, nothing is taken off."""
    return bool(case.get("compare")) and traced.actions != case["actual_all"]


def _mask(megaflow: str) -> int:
    named = re.sub(r"\bin_port=\w+", "in_port=1", megaflow)
    return parse_match(re.sub(r",mpls_lse\d=\w+", "", named)).mask


def test_the_programs_take_every_other_line_of_the_suite() -> None:
    assert sorted(line for source in CASES for line in play(source).refused) == REFUSED


def test_megaflows_are_never_wider_and_nearly_always_the_same() -> None:
    n_same = n_shown = 0
    for name in NAMES + TUNNEL_NAMES:
        case, traced = case_named(name)
        wanted = comparable(Traced.of(case["actual_trace_output"]).megaflows, case)
        if name in DIFFERENCES or not wanted or floods_otherwise(case, traced):
            continue
        got = comparable(traced.megaflows, case)
        n_shown += 1
        n_same += got == wanted
        for ours, theirs in zip(got, wanted, strict=True):
            missing = _mask(theirs) & ~_mask(ours)
            assert not missing, f"{name}: {ours} is wider than {theirs}"
    assert n_shown > 250
    assert n_same >= 0.95 * n_shown, f"{n_same} of {n_shown}"
