"""The keys of ports of Linux bridges: the settings of bridge-vlan(8) and bridge-link(8)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from vnet.topology.schema.fields import Duration
from vnet.topology.schema.parts import Part
from vnet.topology.schema.values import RefusedError, kind_of

LARGEST_VID = 4094

_VLAN: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": LARGEST_VID}
_VLANS: dict[str, Any] = {
    "anyOf": [_VLAN, {"type": "array", "items": _VLAN}, {"type": "string"}],
    "examples": [[10, 20], "10,20-29"],
}


def parse_vlans(value: object) -> tuple[int, ...]:
    """A VLAN, a list of them, or a text such as ``10,20-29``."""
    if isinstance(value, list):
        return tuple(dict.fromkeys(vid for item in value for vid in parse_vlans(item)))
    if type(value) is int:
        return (_vlan(value),)
    if not isinstance(value, str):
        raise RefusedError(f"wants VLANs, not {kind_of(value)}", "[10, 20], or '10,20-29'")
    found: dict[int, None] = {}
    for part in value.split(","):
        first, dash, last = part.strip().partition("-")
        low = _vlan(first)
        high = _vlan(last) if dash else low
        if high < low:
            raise RefusedError(f"{part.strip()} is no range of VLANs", "the lower one comes first")
        found.update(dict.fromkeys(range(low, high + 1)))
    return tuple(found)


def _vlan(value: int | str) -> int:
    text = str(value).strip()
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not 1 <= number <= LARGEST_VID:
        raise RefusedError(f"there is no VLAN {text[:20]!r}".replace("'", ""), "1 to 4094")
    return number


def parse_pvid(value: object) -> int:
    """A VLAN; 0 or ``none`` for none."""
    if value in (0, "none") and not isinstance(value, bool):
        return 0
    if type(value) is not int:
        raise RefusedError(f"wants a VLAN, not {kind_of(value)}", "1 to 4094, or none")
    return _vlan(value)


def parse_mask(value: object) -> int:
    """A mask of 16 bits, as a number (``0x4000``) or as text."""
    try:
        number = int(value, 0) if isinstance(value, str) else value
    except ValueError:
        number = None
    if type(number) is not int or not 0 <= number <= 0xFFFF:
        raise RefusedError(f"wants a mask of 16 bits, not {kind_of(value)}", "write 0x4000")
    return number


Vlans = Annotated[tuple[int, ...], PlainValidator(parse_vlans), WithJsonSchema(_VLANS)]
Pvid = Annotated[
    int,
    PlainValidator(parse_pvid),
    WithJsonSchema({"anyOf": [{**_VLAN, "minimum": 0}, {"const": "none"}]}),
]
Mask = Annotated[
    int,
    PlainValidator(parse_mask),
    WithJsonSchema({"type": ["integer", "string"], "examples": ["0x4000"]}),
]


_Count = Annotated[int, Field(ge=0, le=255)]


class LinuxPortFile(Part):
    """A port of a Linux bridge; under the bridge's own name, the bridge as the host's port."""

    pvid: Pvid | None = Field(
        default=None,
        description="The VLAN of frames that come in untagged; it leaves untagged, too, unless it "
        "is among 'tagged'. Left out, the bridge's default_pvid; 'none' for none.",
    )
    tagged: Vlans = Field(default=(), description="The VLANs that leave with a tag.")
    untagged: Vlans = Field(
        default=(), description="VLANs besides the pvid that leave without a tag."
    )
    hairpin: bool = Field(default=False, description="Send frames back by the port they came in.")
    isolated: bool = Field(
        default=False, description="Whether it may not talk to other isolated ports."
    )
    learning: bool = Field(default=True, description="Learn stations from what comes in.")
    flood: bool = Field(default=True, description="Take frames for unknown stations.")
    mcast_flood: bool = Field(default=True, description="Take multicast that is flooded.")
    bcast_flood: bool = Field(default=True, description="Take broadcast.")
    neigh_suppress: bool = Field(
        default=False,
        description="Answer ARP and ND for stations behind the port that the host knows, and do "
        "not flood such questions to it.",
    )
    locked: bool = Field(
        default=False, description="Let in frames of stations that are known here only."
    )
    guard: bool = Field(default=False, description="Shut the port if a BPDU comes in.")
    root_block: bool = Field(default=False, description="Never let it lead to the root.")
    cost: Annotated[int, Field(ge=1, le=65_535)] | None = Field(
        default=None, description="What the way by it costs in the spanning tree."
    )
    priority: Annotated[int, Field(ge=0, le=63)] | None = Field(
        default=None, description="Its priority in the spanning tree; 32 if left out."
    )
    fastleave: bool = Field(
        default=False, description="Who leaves a group was its last member behind the port."
    )
    mcast_to_unicast: bool = Field(
        default=False, description="Send each member of a group a copy of its own."
    )
    mcast_router: Annotated[int, Field(ge=0, le=3)] | None = Field(
        default=None,
        description="Whether a multicast router is behind it: 0 never, 1 if one is heard "
        "(default), 2 always, 3 for a time.",
    )
    group_fwd_mask: Mask = Field(
        default=0,
        description="Which of 01:80:C2:00:00:00 to 0F it lets in to be forwarded: bit N for 0N.",
    )


FLAGS = (
    *("hairpin", "isolated", "learning", "flood", "mcast_flood", "bcast_flood"),
    *("neigh_suppress", "locked", "guard", "root_block", "fastleave", "mcast_to_unicast"),
)


class MulticastFile(Part):
    """Multicast on a Linux bridge, by the names of ip-link(8) without their ``mcast_``."""

    querier: bool = Field(default=False, description="Ask who wants what, unless others do.")
    query_use_ifaddr: bool = Field(
        default=False, description="Ask from an address of the host, and not from 0.0.0.0."
    )
    igmp_version: Literal[2, 3] = Field(default=2, description="The version of IGMP to speak.")
    mld_version: Literal[1, 2] = Field(default=1, description="The version of MLD to speak.")
    hash_max: Annotated[int, Field(ge=1, le=1 << 20)] = Field(
        default=4096, description="How many groups are remembered; one more ends snooping."
    )
    router: Annotated[int, Field(ge=0, le=2)] = Field(
        default=1,
        description="Whether the host is a multicast router: 0 never, 1 if it asks, 2 always.",
    )
    last_member_count: _Count = Field(
        default=2, description="How often is asked whether others listen when somebody leaves."
    )
    startup_query_count: _Count = Field(
        default=2, description="How many questions are asked in quick succession at first."
    )
    last_member_interval: Duration | None = Field(
        default=None, description="How long to wait for others when somebody leaves; 1s."
    )
    membership_interval: Duration | None = Field(
        default=None, description="How long a member counts after it was heard; 260s."
    )
    querier_interval: Duration | None = Field(
        default=None, description="How long another querier counts after it was heard; 255s."
    )
    query_interval: Duration | None = Field(
        default=None, description="How long between two questions; 125s."
    )
    query_response_interval: Duration | None = Field(
        default=None, description="How long there is to answer; 10s."
    )
    startup_query_interval: Duration | None = Field(
        default=None, description="How long between the first questions; 31.25s."
    )
