"""``docs/ovs-tools.md``: what may be typed, as the transcript says.

``python -m tests.ovs.tools.page > docs/ovs-tools.md``
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.ovs.tools.scene import Row, all_scenes

_HEAD = """\
# The programs of Open vSwitch

`ovs-vsctl`, `ovs-ofctl`, `ovsdb-client`, `ovsdb-tool` and `ovs-appctl`, as Debian's
openvswitch-switch 3.1.0 has them, speak to vnet's daemons as to Open vSwitch's own. For every
sub-command, command lines with its options and its errors are typed to both, side by side; where
what Open vSwitch answers does not depend on chance, both answer the same, to the letter: output,
complaints and exit code. The lines are in `tests/ovs/tools/scenes/`, and this page is made of them
(`python -m tests.ovs.tools.page > docs/ovs-tools.md`).
"""
_TAIL = """\
## Beyond commands

* Bridges of Open vSwitch have a datapath for each `datapath_type`. Here all of a host's bridges
  share one: what ovs-appctl shows of the datapath shows it once, as `dummy@ovs-dummy` where any
  bridge is of that type, with the ports and flows of all. Patch ports lead to bridges of the same
  type only, as in Open vSwitch.
* `vlog/set dpif_netdev:dbg dpif:dbg ct_dpif:dbg` has the log tell of flows, upcalls, ports, meters
  and flushed connections as Open vSwitch does, and of the dumps of flows that keep them true, but
  not of what else that daemon asks its datapath for its own ends: probes of what it can do, dumps
  of ports, and statistics.
"""
_PROGRAMS = {
    "ovs-vsctl": "what the switch is to be, as the database says",
    "ovs-ofctl": "flows, groups and all else that OpenFlow says to a bridge",
    "ovsdb-client": "the database itself",
    "ovsdb-tool": "its file, which either server reads as the other wrote it",
    "ovs-appctl": "what a daemon is asked while it runs",
}


def page() -> str:
    """The page, in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    rows = [row for scene in all_scenes() for row in scene.rows]
    yield _HEAD
    for program, what in _PROGRAMS.items():
        yield f"## {program}: {what}\n"
        yield "| program | sub-command | state | remark |"
        yield "| --- | --- | --- | --- |"
        yield from sorted(map(_row, (row for row in rows if row.program == program)))
        yield ""
    yield _TAIL.rstrip("\n")


def _row(row: Row) -> str:
    command = row.command if row.command == "options" else f"`{row.command}`"
    return f"| {row.program} | {command} | {row.state} | {row.remark} |"


if __name__ == "__main__":
    sys.stdout.write(page())
