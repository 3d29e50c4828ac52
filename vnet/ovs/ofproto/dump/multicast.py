"""Multicast groups as ``ovs-appctl mdb/show`` lists them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_S
from vnet.l2.membership import MAPPED_PREFIX
from vnet.l2.snooping import ROUTER_AGEING_S
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import port_text
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.switching.bundle import Bundle

SNOOPING_OFF = "multicast snooping is disabled"


def dump_mdb(bridge: Ofproto) -> Iterator[str]:
    """A heading, a line for each member of a group, and one for each router.

    Raises :class:`OvsTextError` where nobody listens in.
    """
    snooping = bridge.switching.snooping
    if snooping is None:
        raise OvsTextError(SNOOPING_OFF)
    table, now_ns = snooping.table, bridge.scheduler.now_ns
    yield " port  VLAN  GROUP                Age"
    for group in table:
        for bundle, until_s in group.members.items():
            age_s = table.member_age_s(until_s, now_ns)
            address = _address_text(group.address)
            yield f"{_port(bundle):>5}  {group.vlan:4}  {address}         {age_s:3}"
    for vlan, bundle, until_s in table.routers():
        age_s = ROUTER_AGEING_S - (until_s - now_ns // NS_PER_S)
        yield f"{_port(bundle):>5}  {vlan:4}  querier             {age_s:3}"


def _port(bundle: Bundle) -> str:
    return port_text(bundle.ports[0].number)


def _address_text(address: bytes) -> str:
    if address.startswith(MAPPED_PREFIX):
        return ip_text(address[len(MAPPED_PREFIX) :])
    return str(IPv6Address(address))
