"""What Open vSwitch 3.1.0 makes of small flow tables: datapath actions, masks and errors.

``recorded_translations.txt`` is what it said, one block a case: the flows (``flow``, or ``flow15``
for those that only OpenFlow 1.5 can say), groups, flows of the second bridge (``br1``), the packet,
and then for each time that the packet is looked up a mask and the actions. Numbers of recirculation
count from #1 in each block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.ovs.command_switch import Switch
from vnet.ovs.openflow.messages import GROUP_ALL, GroupMod, GroupModCommand

RECORDING = Path(__file__).with_name("recorded_translations.txt")

_LINES = {
    "Megaflow: ": "megaflow ",
    "Datapath actions: ": "actions ",
    "Translation failed ": "failed ",
}


def blocks() -> list[list[str]]:
    """The lines of each case."""
    text = re.sub(r"^#.*\n", "", RECORDING.read_text(encoding="utf-8"), flags=re.M)
    return [block.strip().splitlines() for block in re.split(r"\n\s*\n", text) if block.strip()]


@cache
def two_bridges() -> Switch:
    """br0 with ports 1 to 4, and br1 with port 11; a patch is port 9 of both."""
    words = ["ovs-vsctl"]
    for bridge, ports in (("br0", (1, 2, 3, 4)), ("br1", (11,))):
        words += ["--", "add-br", bridge, "--", "set", "bridge", bridge]
        words += ["datapath-type=dummy", "fail-mode=secure"]
        for number in ports:
            words += ["--", "add-port", bridge, f"p{number}"]
            words += ["--", "set", "interface", f"p{number}", "type=dummy"]
            words += [f"ofport_request={number}"]
    for bridge, port, peer in (("br0", "a", "b"), ("br1", "b", "a")):
        words += ["--", "add-port", bridge, port, "--", "set", "interface", port, "type=patch"]
        words += [f"options:peer={peer}", "ofport_request=9"]
    switch = Switch()
    switch.run(words)
    return switch


def set_up(switch: Switch, lines: list[str]) -> None:
    """Make the flows and groups of a case the only ones."""
    for bridge in ("br0", "br1"):
        switch.ofctl(["del-flows", bridge])
    switch.bridge("br0").group_mod(GroupMod(GroupModCommand.DELETE, GROUP_ALL))
    for line in lines:
        word, _, text = line.partition(" ")
        if word == "group":
            switch.ofctl(["-OOpenFlow15", "add-group", "br0", text])
        elif word == "flow15":
            switch.ofctl(["-OOpenFlow15", "add-flow", "br0", text])
        elif word in ("flow", "br1"):
            switch.ofctl(["-OOpenFlow10", "add-flow", "br1" if word == "br1" else "br0", text])


def shortened(trace: str) -> Iterator[str]:
    """A trace as the recording has it."""
    numbers: dict[int, str] = {}

    def in_order(found: re.Match[str]) -> str:
        return found[1] + numbers.setdefault(int(found[2], 0), f"#{len(numbers) + 1}")

    for line in trace.splitlines():
        error = re.fullmatch(r" *>>>> (.*) <<<<", line)
        if error:
            yield f"error {error[1]}"
        for start, word in _LINES.items():
            if line.startswith(start):
                text = re.sub(r"(recirc\(|recirc_id=)(0x[0-9a-f]+)", in_order, line[len(start) :])
                yield word + re.sub(r"(,recirc_id=)(\d+)", in_order, text)


@pytest.mark.parametrize(
    "lines", blocks(), ids=lambda lines: next(x for x in lines if x.startswith("flow"))
)
def test_a_translation_is_what_open_vswitch_makes_of_it(lines: list[str]) -> None:
    switch = two_bridges()
    (trace,) = (at for at, line in enumerate(lines) if line.startswith("trace "))
    set_up(switch, lines[:trace])
    said = switch.appctl(["ofproto/trace", "br0", lines[trace].removeprefix("trace ")])
    assert list(shortened(said)) == lines[trace + 1 :]
