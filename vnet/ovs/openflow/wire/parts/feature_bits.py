"""Kinds of actions and instructions, and fields, as bits: by their numbers in each version."""

from __future__ import annotations

from functools import lru_cache

from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.openflow.messages import ActionKind, FieldNames, InstructionKind
from vnet.ovs.openflow.version import OpenFlowVersion

_ACTIONS10 = {
    ActionKind.OUTPUT: 0,
    ActionKind.SET_VLAN_VID: 1,
    ActionKind.SET_VLAN_PCP: 2,
    ActionKind.STRIP_VLAN: 3,
    ActionKind.SET_ETH_SRC: 4,
    ActionKind.SET_ETH_DST: 5,
    ActionKind.SET_IPV4_SRC: 6,
    ActionKind.SET_IPV4_DST: 7,
    ActionKind.SET_IP_DSCP: 8,
    ActionKind.SET_L4_SRC_PORT: 9,
    ActionKind.SET_L4_DST_PORT: 10,
    ActionKind.ENQUEUE: 11,
}
_OF_11_ON = {
    ActionKind.OUTPUT: 0,
    ActionKind.COPY_TTL_OUT: 11,
    ActionKind.COPY_TTL_IN: 12,
    ActionKind.SET_MPLS_TTL: 15,
    ActionKind.DEC_MPLS_TTL: 16,
    ActionKind.PUSH_VLAN: 17,
    ActionKind.STRIP_VLAN: 18,
    ActionKind.PUSH_MPLS: 19,
    ActionKind.POP_MPLS: 20,
    ActionKind.SET_QUEUE: 21,
    ActionKind.GROUP: 22,
    ActionKind.SET_IP_TTL: 23,
    ActionKind.DEC_TTL: 24,
}
_ACTIONS11 = _OF_11_ON | {
    ActionKind.SET_VLAN_VID: 1,
    ActionKind.SET_VLAN_PCP: 2,
    ActionKind.SET_ETH_SRC: 3,
    ActionKind.SET_ETH_DST: 4,
    ActionKind.SET_IPV4_SRC: 5,
    ActionKind.SET_IPV4_DST: 6,
    ActionKind.SET_IP_DSCP: 7,
    ActionKind.SET_IP_ECN: 8,
    ActionKind.SET_L4_SRC_PORT: 9,
    ActionKind.SET_L4_DST_PORT: 10,
    ActionKind.SET_MPLS_LABEL: 13,
    ActionKind.SET_MPLS_TC: 14,
}
_ACTIONS12 = _OF_11_ON | {ActionKind.SET_FIELD: 25}
_ACTIONS13 = _ACTIONS12 | {ActionKind.PUSH_PBB: 26, ActionKind.POP_PBB: 27}
_ACTIONS = {
    OpenFlowVersion.OF10: _ACTIONS10,
    OpenFlowVersion.OF11: _ACTIONS11,
    OpenFlowVersion.OF12: _ACTIONS12,
}

INSTRUCTION_NUMBERS: dict[InstructionKind, int] = {
    kind: number for number, kind in enumerate(InstructionKind, 1)
}
_WITHOUT_METER: dict[InstructionKind, int] = {
    kind: number
    for kind, number in INSTRUCTION_NUMBERS.items()
    if kind is not InstructionKind.METER
}
_WITH_METER = (OpenFlowVersion.OF13, OpenFlowVersion.OF14)

_FIELDS10 = {
    "in_port": 1 << 0,
    "vlan_vid": 1 << 1,
    "eth_src": 1 << 2,
    "eth_dst": 1 << 3,
    "eth_type": 1 << 4,
    "nw_proto": 1 << 5,
    "tcp_src": 1 << 6,
    "tcp_dst": 1 << 7,
    "ip_src": 0b111111 << 8,
    "ip_dst": 0b111111 << 14,
    "vlan_pcp": 1 << 20,
    "ip_dscp": 1 << 21,
}
_FIELDS11 = {
    "in_port": 1 << 0,
    "vlan_vid": 1 << 1,
    "vlan_pcp": 1 << 2,
    "eth_type": 1 << 3,
    "ip_dscp": 1 << 4,
    "nw_proto": 1 << 5,
    "tcp_src": 1 << 6,
    "tcp_dst": 1 << 7,
    "mpls_label": 1 << 8,
    "mpls_tc": 1 << 9,
    "eth_src": 1 << 11,
    "eth_dst": 1 << 12,
    "ip_src": 1 << 13,
    "ip_dst": 1 << 14,
    "metadata": 1 << 15,
}

ALL_FIELDS10 = sum(_FIELDS10.values())
ALL_FIELDS11 = sum(_FIELDS11.values())

_OXM_BASIC = 0x8000
_OXM_BITS = 64


def action_numbers(version: OpenFlowVersion) -> dict[ActionKind, int]:
    """The kinds of actions of a version."""
    return _ACTIONS.get(version, _ACTIONS13)


@lru_cache(maxsize=32)
def action_bits(actions: frozenset[ActionKind], version: OpenFlowVersion) -> int:
    """Actions of which a version has some."""
    return sum(1 << bit for kind, bit in action_numbers(version).items() if kind in actions)


def actions_of(bits: int, version: OpenFlowVersion) -> frozenset[ActionKind]:
    """The other way round; bits that mean nothing are passed over."""
    return frozenset(kind for kind, bit in action_numbers(version).items() if bits >> bit & 1)


def _instruction_numbers(version: OpenFlowVersion) -> dict[InstructionKind, int]:
    """Meters are an instruction in 1.3 and 1.4."""
    return INSTRUCTION_NUMBERS if version in _WITH_METER else _WITHOUT_METER


@lru_cache(maxsize=32)
def instruction_bits(instructions: frozenset[InstructionKind], version: OpenFlowVersion) -> int:
    """Instructions of which a version has some."""
    numbers = _instruction_numbers(version)
    return sum(1 << bit for kind, bit in numbers.items() if kind in instructions)


def instructions_of(bits: int, version: OpenFlowVersion) -> frozenset[InstructionKind]:
    """The other way round; bits that mean nothing are passed over."""
    numbers = _instruction_numbers(version)
    return frozenset(kind for kind, bit in numbers.items() if bits >> bit & 1)


@lru_cache(maxsize=32)
def field_bits10(names: FieldNames) -> int:
    """Fields as 1.0's wildcards; an address has six bits."""
    return sum(bits for name, bits in _FIELDS10.items() if name in names)


def fields_of10(bits: int) -> FieldNames:
    """The other way round."""
    return frozenset(name for name, mask in _FIELDS10.items() if bits & mask)


@lru_cache(maxsize=32)
def field_bits11(names: FieldNames) -> int:
    """Fields as 1.1 numbers them."""
    return sum(bits for name, bits in _FIELDS11.items() if name in names)


def fields_of11(bits: int) -> FieldNames:
    """The other way round."""
    return frozenset(name for name, mask in _FIELDS11.items() if bits & mask)


@lru_cache(maxsize=32)
def field_bits12(names: FieldNames) -> int:
    """Those of OXM's basic class by their numbers."""
    return sum(1 << number for name, number in _basic_numbers().items() if name in names)


def fields_of12(bits: int) -> FieldNames:
    """The other way round."""
    return frozenset(name for name, number in _basic_numbers().items() if bits >> number & 1)


@lru_cache(maxsize=1)
def _basic_numbers() -> dict[str, int]:
    headers = {field.name: field.header(OpenFlowVersion.OF12) for field in FIELDS.values()}
    return {
        name: header.number
        for name, header in headers.items()
        if header is not None
        and header.header_class.number == _OXM_BASIC
        and header.number < _OXM_BITS
    }
