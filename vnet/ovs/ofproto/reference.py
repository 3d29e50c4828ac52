"""The reference page of fields and actions, made from the tables that the switch works by.

``docs/ovs.md`` is what :func:`markdown` returns. A row says "works" where nothing is known to be
missing; what is missing is listed here, by name, with a word of what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import getdoc

from vnet.ovs.flow.field import Field
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.prerequisites import Prerequisite
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.ofpacts import Ofpact
from vnet.ovs.openflow.text.actions.registry import KINDS

WORKS = "works"
BAR = "\\|"

_NO_TUNNELS = "partly: matched, set and printed; there are no tunnel ports yet"

FIELD_LIMITS = {
    **{name: _NO_TUNNELS for name in FIELDS if name.startswith("tun_")},
    **{
        name: "partly: read and printed; options must be mapped first, which tunnels will bring"
        for name, field in FIELDS.items()
        if field.is_tun_metadata
    },
    "nd_options_type": "partly: as in Open vSwitch 3.1, moving it reads 0",
}

ACTION_LIMITS: dict[type[Ofpact], str] = {
    ofpacts.Sample: "partly: accepted; there are no collectors to sample for",
    ofpacts.SetTunnel: _NO_TUNNELS,
    ofpacts.DeleteField: "partly: accepted; what it deletes are tunnel options",
    ofpacts.Enqueue: "partly: sets priority and DSCP; links have no queues yet",
    ofpacts.SetQueue: "partly: sets priority and DSCP; links have no queues yet",
    ofpacts.Controller: "partly: packet-ins go to Python; nobody resumes a paused packet yet",
    ofpacts.Ct: "partly: all but timeout policies",
    ofpacts.Group: "partly: all but watching the controller's port",
}

NOT_WRITTEN = frozenset({ofpacts.Nat, ofpacts.UnrollXlate})
"""Part of ``ct``, and made by translation alone."""

_HEAD = """\
# Open vSwitch's switch

A switch with `type: ovs` treats every frame as the userspace datapath of Open vSwitch 3.1 does:
exact-match cache, megaflows, upcall, translation, installed megaflow. Flows, groups and meters are
written as for `ovs-ofctl`; [topologies.md](topologies.md) shows where. This page is what
`vnet openflow` prints, made from the switch's own tables.

## How it was compared

* Recorded bridges of all kinds, and fresh ones made for the purpose, give the same frames, flow
  and group statistics, learned stations, port counters, connections and refusals as Open vSwitch.
* The traces of Open vSwitch's own test suite give the same datapath actions and megaflows.
* Random flows are parsed, refused and printed as by `ovs-ofctl parse-flows`; random frames are
  taken apart as by `ovs-ofctl parse-pcap`; random traces read like `ofproto/trace`, word for word.

The reference is Debian's 3.1.0-2+deb12u1, with its fixes of translation and classifier.

## What is known to differ

* Bonds send by their first interface. There is no LACP, STP, RSTP, CFM, BFD, LLDP or multicast
  snooping, and no in-band control.
* Floods go out in an order of their own; Open vSwitch's is that of a hash table of pointers.
* NAT chooses within a range of addresses by the lab's seed; Open vSwitch draws a number at start.
* Timeouts fall due to the nanosecond. Open vSwitch looks for them now and then.
* A trace of a packet that recirculates for ever ends.
"""


def markdown() -> str:
    """The page ``docs/ovs.md``."""
    fields = _table(
        ("field", "bits", "mask", "write", "needs", "NXM or OXM", "state"),
        (_field_row(field) for field in FIELDS.values()),
    )
    actions = _table(("action", "written as", "state"), _action_rows())
    return (
        f"{_HEAD}\n## Fields\n\nAs ovs-fields(7) has them; after a slash, an older name.\n\n"
        f"{fields}\n## Actions and instructions\n\nAs ovs-actions(7) has them.\n\n{actions}"
    )


def _field_row(field: Field) -> tuple[str, ...]:
    name = f"`{field.name}`" + (f" / `{field.alias}`" if field.alias else "")
    needs = "" if field.prerequisite is Prerequisite.NONE else field.prerequisite.value
    headers = ", ".join(f"`{header.name}`" for header in field.headers)
    return (
        name,
        str(field.n_bits),
        field.maskable.value,
        "yes" if field.writable else "no",
        needs,
        headers,
        FIELD_LIMITS.get(field.name, WORKS),
    )


def _action_rows() -> Iterator[tuple[str, ...]]:
    for action, kind in KINDS.items():
        if action not in NOT_WRITTEN:
            yield f"`{kind.name}`", _first_sentence(action), ACTION_LIMITS.get(action, WORKS)


def _first_sentence(action: type[Ofpact]) -> str:
    text = " ".join((getdoc(action) or "").replace("``", "`").split())
    return text.split(". ")[0].split("; ")[0].rstrip(".")


def _table(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    heads = tuple(heads)
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |\n" for row in lines)
