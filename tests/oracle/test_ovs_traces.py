"""Open vSwitch's own test suite: set-up commands, and what ``ofproto/trace`` says afterwards.

The real programs type them. Cases of one test share a switch there, and what a trace with a packet
learned stays; so the cases of one source are played in their order, each with the set-up lines that
it adds.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.oracle.path import oracle_path
from tests.ovs.private_ovs import IS_INSTALLED
from tests.ovs.tools.own_switch import OwnSwitch, own_switch
from vnet.ovs.dpif.actions import OdpActions, Output
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.dpif.text.parse_actions import parse_actions

FILE = oracle_path("ovs-tests", "trace-cases.json")

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
    pytest.mark.skipif(FILE is None, reason="VNET_ORACLE does not lead to ovs-tests"),
]

Case = dict[str, Any]


def _load() -> dict[str, list[Case]]:
    """The cases of each test of the suite."""
    by_source: dict[str, list[Case]] = {}
    if FILE is not None:
        for case in json.loads(FILE.read_text(encoding="utf-8")):
            by_source.setdefault(case["source"].removeprefix("tests/"), []).append(case)
    return by_source


CASES = _load()


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


REFUSED = {
    "ovs-appctl -t ovs-ofctl exit",  # a monitor of the suite's, which nobody started here
    "ovs-appctl tnl/neigh/aging 0",
    "ovs-appctl tnl/neigh/aging 3601",
    "ovs-vsctl set Flow_Table t0 prefixes=nw_dst,nw_dst",
    "ovs-vsctl set Flow_Table t0 prefixes=nw_dst,nw_src,tun_dst,tun_src",
}
"""Lines of the suite that are there to be refused."""


class Played(NamedTuple):
    """What traces say, and what lines were refused."""

    traces: list[Traced]
    refused: list[str]


def _play(switch: OwnSwitch, source: str) -> Played:
    """Play all cases of a test on one switch: for each its further set-up lines, and its trace."""
    done: list[Any] = []
    played = Played([], [])
    numbers: dict[int, int] = {}
    for case in CASES[source]:
        for step in case["setup"][len(done) :]:
            if step["argv"][1:] in [other["trace"] for other in CASES[source]]:
                continue  # a case of its own, which was played already
            if switch.run(step["argv"], step.get("lines", ())).exit_code:
                played.refused.append(" ".join(step["argv"]))
        done = case["setup"]
        for words in UNRECORDED.get(f"{source} #{len(played.traces) + 1}", ()):
            assert switch.run(["ovs-appctl", *words]).exit_code == 0, words
        # Nothing is traced where there is a tunnel in it that there is none of here.
        output = switch.run(["ovs-appctl", *_renumbered(case["trace"], numbers)]).output
        played.traces.append(Traced.of(output))
        numbers |= zip(_frozen(case["actual_trace_output"]), _frozen(output), strict=False)
    return played


def _frozen(output: str) -> list[int]:
    """The numbers under which packets of a trace wait for what follows."""
    return [int(number, 0) for number in re.findall(r"\brecirc\((\w+)\)", output)]


def _renumbered(words: list[str], numbers: dict[int, int]) -> list[str]:
    """What is asked of packets that wait, by the numbers that they have here."""

    def renumbered(found: re.Match[str]) -> str:
        number = int(found[1], 0)
        return f"recirc_id({numbers.get(number, number)})"

    return [re.sub(r"\brecirc_id\((\w+)\)", renumbered, word) for word in words]


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


def comparable(megaflows: list[str], case: Case) -> list[str]:
    """Without the numbers that are anybody's own: of frozen packets, and of ports that asked for
    none, which are drawn: OVS goes through them in UUID order."""
    named = [re.sub(r"\brecirc_id=0x\w+", "recirc_id=0x1", megaflow) for megaflow in megaflows]
    if "ofport_request" in json.dumps(case["setup"]):
        return named
    return [re.sub(r"\bin_port=\d+", "in_port=1", megaflow) for megaflow in named]


def floods_otherwise(case: Case, traced: Traced) -> bool:
    """Which tags of a packet are looked at goes by the order in which ports are flooded, and that
    by their numbers: where the first that wants another tag comes last, nothing is taken off."""
    return bool(case.get("compare")) and traced.actions != case["actual_all"]


def complaint(name: str, case: Case, traced: Traced) -> str:
    """What is wrong with a trace, or nothing."""
    if name in DIFFERENCES:
        return f"{name} agrees now: {DIFFERENCES[name]}" if agree(case, traced.actions) else ""
    if not agree(case, traced.actions):
        return f"{name}: {traced.actions} instead of {case['actual_all']}"
    wanted = comparable(Traced.of(case["actual_trace_output"]).megaflows, case)
    got = comparable(traced.megaflows, case)
    if wanted and got != wanted and not floods_otherwise(case, traced):
        return f"{name}: {got} instead of {wanted}"
    return ""


@pytest.mark.parametrize("source", CASES)
def test_traces_are_those_of_open_vswitch(source: str, tmp_path: Path) -> None:
    with own_switch(tmp_path) as switch:
        played = _play(switch, source)
    names = (f"{source} #{number}" for number, _ in enumerate(CASES[source], start=1))
    cases = zip(names, CASES[source], played.traces, strict=True)
    complaints = [text for case in cases if (text := complaint(*case))]
    assert not complaints, "\n".join(complaints)
    lines = (" ".join(step["argv"]) for step in CASES[source][-1]["setup"])
    assert played.refused == [line for line in lines if line in REFUSED]
