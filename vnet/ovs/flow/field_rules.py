"""Which values of a field make sense in a match at all.

A value that no packet has may still be tested for, bit by bit; only bits that nothing ever sets
are refused. Source: mf_is_value_valid() of Open vSwitch 3.1.
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.flow.field_access import port_from_ofp11


def _fits(allowed: int) -> Callable[[int], bool]:
    return lambda value: not value & ~allowed


def _is_port(value: int) -> bool:
    return port_from_ofp11(value) is not None


_RULES: dict[str, Callable[[int], bool]] = {
    "in_port_oxm": _is_port,
    "actset_output": _is_port,
    "nw_tos": _fits(0xFC),
    "ip_dscp": _fits(0x3F),
    "nw_ecn": _fits(0x03),
    "ip_frag": _fits(0x03),
    "tcp_flags": _fits(0x0FFF),
    "arp_op": _fits(0x00FF),
    "dl_vlan": _fits(0x0FFF),
    "vlan_vid": _fits(0x1FFF),
    "dl_vlan_pcp": _fits(0x07),
    "vlan_pcp": _fits(0x07),
    "ipv6_label": _fits(0xFFFFF),
    "mpls_label": _fits(0xFFFFF),
    "mpls_tc": _fits(0x07),
    "mpls_bos": _fits(0x01),
    "pbb_uca": _fits(0x01),
    "ipv6_exthdr": _fits(0x1FF),
    "tun_flags": _fits(0x0001),
    "ct_state": _fits(0xFF),
    "nsh_ttl": _fits(0x3F),
    "nsh_mdtype": lambda value: value in (1, 2),
    "nsh_spi": _fits(0xFFFFFF),
}


def is_valid(name: str, value: int) -> bool:
    """Whether the field of that name may be tested for ``value``."""
    rule = _RULES.get(name)
    return rule is None or rule(value)


def has_rule(name: str) -> bool:
    """Whether there are values that the field of that name may not be tested for."""
    return name in _RULES
