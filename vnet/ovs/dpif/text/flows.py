"""Datapath flows in text: what ``dpctl/dump-flows`` prints, and what is read back.

A flow's ``in_port`` is a port of the datapath here. Bad text raises
:class:`~vnet.ovs.flow.errors.OvsTextError`.
"""

from __future__ import annotations

from typing import Literal

from vnet.ovs.dpif.dpif import DatapathFlow
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.dpif.text.attribute import Attribute, attributes_text
from vnet.ovs.dpif.text.from_flow import key_attributes, mask_attributes
from vnet.ovs.dpif.text.kind import PortNames, PortNumbers, Style
from vnet.ovs.dpif.text.miniflow_bits import miniflow_bits_text
from vnet.ovs.dpif.text.parse_flow import FlowSyntaxError, parse_attributes
from vnet.ovs.dpif.text.stats import stats_text
from vnet.ovs.dpif.text.to_flow import Fitness, key_of, mask_of
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.extract import DEFAULT_VLAN_LIMIT
from vnet.ovs.flow.flow import FLOW_BITS, Flow, with_tag_told
from vnet.ovs.flow.hashing import hash_bytes
from vnet.ovs.flow.ports import ODPP_NONE

FlowPart = Literal["key", "mask", "in_port"]

FlowAttributes = tuple[list[Attribute], list[Attribute]]
"""Those of a flow's key and of its mask."""

_FLOW_BYTES = -(-FLOW_BITS // 8)


class NotInstallableError(OvsTextError):
    """A flow that a datapath refuses to install, for its ``part``, and ``why``, if that is told."""

    def __init__(self, part: FlowPart, why: str = "") -> None:
        super().__init__("updating flow table (Invalid argument)")
        self.part = part
        self.why = why


def flow_text(
    key: int,
    mask: int,
    *,
    port_names: PortNames | None = None,
    verbose: bool = False,
    vlan_limit: int = DEFAULT_VLAN_LIMIT,
) -> str:
    """``recirc_id(0),in_port(1),eth_type(0x0800),ipv4(frag=no)``.

    The input port of a datapath flow is always exact. ``verbose`` shows what is wildcarded, too.
    """
    return match_text(
        key,
        mask | Flow.in_port.mask,
        port_names=port_names,
        verbose=verbose,
        vlan_limit=vlan_limit,
    )


def match_text(
    key: int,
    mask: int,
    *,
    port_names: PortNames | None = None,
    verbose: bool = False,
    vlan_limit: int = DEFAULT_VLAN_LIMIT,
) -> str:
    """The same of a row that need not say the input port, as those of ``tnl/ports/show -v``."""
    return attributes_text(
        key_attributes(key, mask, vlan_limit=vlan_limit),
        mask_attributes(key, mask, vlan_limit=vlan_limit),
        Style(verbose, port_names),
    )


def key_text(key: int, *, vlan_limit: int = DEFAULT_VLAN_LIMIT) -> str:
    """A flow without a mask, every attribute in full (``odp_flow_key_format``)."""
    return attributes_text(key_attributes(key, vlan_limit=vlan_limit), None, Style(verbose=True))


def shown_key(text: str, port_numbers: PortNumbers) -> str:
    """A flow of one packet as it is understood, whatever it means."""
    attributes, _masks = parse_attributes(text, port_numbers)
    return attributes_text(attributes, None, Style(verbose=True))


def parse_key(
    text: str,
    *,
    port_numbers: PortNumbers | None = None,
    vlan_limit: int = DEFAULT_VLAN_LIMIT,
) -> int:
    """A flow of one packet; masks are read and forgotten.

    What is not said is 0, but for the port, which is none. A flow without ``eth()`` is one of a
    packet without an Ethernet header.
    """
    attributes, _masks = parse_attributes(text, port_numbers or {})
    try:
        key, _fitness = key_of(attributes, vlan_limit=vlan_limit)
    except OvsTextError as error:
        shown = attributes_text(attributes, None, Style(verbose=True))
        raise OvsTextError(f"{error.what}; the flow key in error is: {shown}") from error
    return key


def parse_flow(
    text: str,
    *,
    port_numbers: PortNumbers | None = None,
    vlan_limit: int = DEFAULT_VLAN_LIMIT,
) -> tuple[int, int]:
    """Key and mask of a flow to install, as ``dpctl/add-flow`` takes them, and refuses them.

    What is not named does not matter, but for recirculation and the absence of a tag. The input
    port has to be named. The key keeps the bits that the mask leaves out: dumps show them.
    """
    return installable(read_flow(text, port_numbers), vlan_limit)


def read_flow(text: str, port_numbers: PortNumbers | None = None) -> FlowAttributes:
    """A flow's text taken apart, whatever it means."""
    try:
        return parse_attributes(text, port_numbers or {})
    except FlowSyntaxError as error:
        raise OvsTextError(f"parsing flow key ({error.what}) ({error.why})") from error


def installable(
    attributes: FlowAttributes, vlan_limit: int = DEFAULT_VLAN_LIMIT
) -> tuple[int, int]:
    """Key and mask of a flow that was read. Raises :class:`NotInstallableError`."""
    keys, masks = attributes
    try:
        key, fitness = key_of(keys, vlan_limit=vlan_limit)
    except OvsTextError as error:
        raise NotInstallableError("key", error.what) from error
    if fitness is not Fitness.PERFECT:
        raise NotInstallableError("key")
    try:
        mask, fitness = mask_of(masks, key, vlan_limit=vlan_limit)
    except OvsTextError as error:
        raise NotInstallableError("mask", "error") from error
    if fitness is not Fitness.PERFECT:
        raise NotInstallableError("mask", fitness.name.lower())
    if Flow.in_port.of(mask) != ODPP_NONE:
        raise NotInstallableError("in_port")
    return key, with_tag_told(mask)


def read_text(attributes: FlowAttributes) -> str:
    """A flow that was read, whatever it means, with all that it leaves open."""
    return attributes_text(*attributes, Style(verbose=True))


def read_key_text(attributes: FlowAttributes) -> str:
    """Its key alone."""
    return attributes_text(attributes[0], None, Style(verbose=True))


def ufid_text(key: int, mask: int) -> str:
    """``ufid:...``, a name for a flow that is the same in every run.

    Open vSwitch draws a seed for it each time it starts.
    """
    return _ufid((key & mask).to_bytes(_FLOW_BYTES, "big"))


def refused_ufid_text(text: str) -> str:
    """The same for a flow that there is not, by its text."""
    return _ufid(text.encode())


def _ufid(data: bytes) -> str:
    digits = "".join(f"{hash_bytes(data, basis):08x}" for basis in range(4))
    return f"ufid:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def ufid_of(flow: DatapathFlow) -> str:
    """The name that a flow was given, or else has by itself."""
    return flow.ufid or ufid_text(flow.key, flow.mask)


def dump_line(
    flow: DatapathFlow,
    now_ns: int,
    *,
    port_names: PortNames | None = None,
    verbose: bool = False,
    vlan_limit: int = DEFAULT_VLAN_LIMIT,
) -> str:
    """A flow with its statistics and actions, as ``dpctl/dump-flows`` shows it (with ``-m``:
    ``verbose``)."""
    shown, stats, actions = _parts(flow, now_ns, port_names, verbose, vlan_limit)
    if verbose:
        name = ufid_of(flow)
        extra = miniflow_bits_text(flow.key, flow.mask)
        return f"{name}, {shown}, {stats}, dp:ovs, {actions}, dp-extra-info:{extra}"
    return f"{shown}, {stats}, {actions}"


def bridge_dump_line(
    flow: DatapathFlow,
    now_ns: int,
    *,
    port_names: PortNames | None = None,
    verbose: bool = False,
    vlan_limit: int = DEFAULT_VLAN_LIMIT,
) -> str:
    """The same as ``dpif/dump-flows`` shows it."""
    name = f"{ufid_of(flow)} " if verbose else ""
    return name + ", ".join(_parts(flow, now_ns, port_names, verbose, vlan_limit))


def _parts(
    flow: DatapathFlow, now_ns: int, port_names: PortNames | None, verbose: bool, vlan_limit: int
) -> tuple[str, str, str]:
    shown = flow_text(
        flow.key, flow.mask, port_names=port_names, verbose=verbose, vlan_limit=vlan_limit
    )
    actions = actions_text(flow.actions, port_names=port_names)
    return shown, stats_text(flow.stats, now_ns), f"actions:{actions}"
