"""What a traced packet comes back with when the datapath looks it up again.

A trace cannot ask the connection tracker. The user says what the tracker will find
(``--ct-next``), or it is a new connection; and addresses are translated to the first that the
``nat`` allows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from vnet.base.ids import ip_text
from vnet.ovs.flow.flag_text import CT_STATES, flags_text
from vnet.ovs.flow.flow import Bits, Flow
from vnet.ovs.ofproto.xlate.context import RecircNode
from vnet.ovs.openflow.ofpacts import Nat

CT_NEW = 0x01
CT_TRACKED = 0x20
_RULER = "=" * 79


def recirculation_lines(node: RecircNode, states: deque[int]) -> Iterator[str]:
    """The heading of the next pass; ``node.flow`` is made what that pass begins with."""
    yield _RULER
    title = f"recirc({node.recirc_id:#x})"
    if node.reason == "ct":
        if states:
            node.flow.ct_state = states.popleft()
            title += (
                f" - resume conntrack with ct_state={flags_text(CT_STATES, node.flow.ct_state)}"
            )
        else:
            node.flow.ct_state = CT_TRACKED | CT_NEW
            title += (
                " - resume conntrack with default ct_state=trk|new (use --ct-next to customize)"
            )
    yield title
    if isinstance(node.nat, Nat):
        yield "Replacing src/dst IP/ports to simulate NAT:"
        yield f" Initial flow: {_endpoints_text(node.flow, node.nat)}"
        _translate(node.flow, node.nat)
        yield f" Modified flow: {_endpoints_text(node.flow, node.nat)}"
    yield _RULER
    yield ""


def _address_bits(nat: Nat) -> tuple[Bits, Bits] | None:
    """Where source and destination stand for the family of the range; None without one."""
    if nat.address_min is None:
        return None
    if len(nat.address_min) == 4:
        return Flow.nw_src, Flow.nw_dst
    return Flow.ipv6_src, Flow.ipv6_dst


def _translate(flow: Flow, nat: Nat) -> None:
    bits = _address_bits(nat)
    if nat.is_source is None or bits is None or nat.address_min is None:
        return
    flow.put(bits[0] if nat.is_source else bits[1], int.from_bytes(nat.address_min, "big"))
    if nat.port_min:
        flow.put(Flow.tp_src if nat.is_source else Flow.tp_dst, nat.port_min)


def _endpoints_text(flow: Flow, nat: Nat) -> str:
    bits = _address_bits(nat)
    if bits is None:
        return ""
    prefix, width, form = ("nw", 4, "{}") if bits[0] is Flow.nw_src else ("ipv6", 16, "[{}]")
    source, destination = (
        form.format(ip_text(flow.get(member).to_bytes(width, "big"))) for member in bits
    )
    return (
        f"{prefix}_src={source},tp_src={flow.tp_src},"
        f"{prefix}_dst={destination},tp_dst={flow.tp_dst}"
    )
