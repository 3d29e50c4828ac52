"""The spelling of steps that change a bridge of Open vSwitch, or look at what it has counted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vnet.topology.schema.fields import Name, Source
from vnet.topology.schema.parts import Part
from vnet.topology.schema.switch import Program

_SWITCH = "A switch of Open vSwitch: one on the wire, or one of a host: h1:br0."


class FlowsFile(Part):
    """Changes flows of a bridge, all or none, and reports the counters of some."""

    switch: Source = Field(..., description=_SWITCH)
    delete: Program = Field(
        default=[],
        description="Which flows go first, each text as for ovs-ofctl del-flows; an empty one "
        "means all. A list, a text with one a line, or a file.",
        examples=[["table=1,icmp"]],
    )
    modify: Program = Field(
        default=[], description="What to change then, each text as for ovs-ofctl mod-flows."
    )
    add: Program = Field(
        default=[],
        description="What to add at last, as for ovs-ofctl add-flows.",
        examples=[["priority=10,icmp,actions=drop"]],
    )
    strict: bool = Field(
        default=False,
        description="Whether 'delete' and 'modify' mean flows with exactly that match and "
        "priority, and not all that match nothing else.",
    )
    match: str | None = Field(
        default=None,
        description="Whose counters to report, as for ovs-ofctl dump-flows; left out, of all "
        "flows together.",
        examples=["table=1,icmp"],
    )


class GroupsFile(Part):
    """Changes groups of a bridge, all or none, and reports the counters of one, or of all."""

    switch: Source = Field(..., description=_SWITCH)
    delete: Program = Field(
        default=[],
        description="Which groups go first, each text as for ovs-ofctl del-groups; an empty one "
        "means all. A list, a text with one a line, or a file.",
        examples=[["group_id=1"]],
    )
    modify: Program = Field(
        default=[], description="What to change then, each text as for ovs-ofctl mod-group."
    )
    add: Program = Field(
        default=[], description="What to add at last, as for ovs-ofctl add-groups."
    )
    group: Annotated[int, Field(ge=0, le=0xFFFFFF00)] | None = Field(
        default=None, description="Whose counters to report; left out, of all groups together."
    )


class MetersFile(Part):
    """Changes meters of a bridge one by one, and reports the counters of one, or of all."""

    switch: Source = Field(..., description=_SWITCH)
    delete: Program = Field(
        default=[],
        description="Which meters go first, each text as for ovs-ofctl del-meters; an empty one "
        "means all. A list, a text with one a line, or a file.",
        examples=[["meter=1"]],
    )
    modify: Program = Field(
        default=[], description="What to change then, each text as for ovs-ofctl mod-meter."
    )
    add: Program = Field(
        default=[], description="What to add at last, each text as for ovs-ofctl add-meter."
    )
    meter: Annotated[int, Field(ge=1, le=0xFFFF0000)] | None = Field(
        default=None, description="Whose counters to report; left out, of all meters together."
    )


class TablesFile(Part):
    """Reads what tables of flows have counted."""

    switch: Source = Field(..., description=_SWITCH)
    table: Annotated[int, Field(ge=0, le=253)] | None = Field(
        default=None, description="Which table; left out, all together."
    )


class BondFile(Part):
    """Looks at how a bond fares."""

    switch: Source = Field(..., description=_SWITCH)
    port: Name = Field(..., description="The port that is a bond.", examples=["bond0"])


class MegaflowsFile(Part):
    """Looks at what the datapath does with frames that come in by a bridge, without asking."""

    switch: Source = Field(..., description=_SWITCH)
    matching: str = Field(
        default="",
        description="Only flows that have this text in their line, as ovs-appctl dpif/dump-flows "
        "--names shows them; left out, all.",
        examples=["actions:drop"],
    )
