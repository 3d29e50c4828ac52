"""``nat``, an argument of ``ct`` that counts as an action within it (ovs-actions(7), "ct")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vnet.ovs.flow.address_text import ipv4_text, ipv6_text, parse_ipv6
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.prerequisites import dl_type_of, is_ip
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP, ETH_TYPE_IPV6
from vnet.ovs.flow.tokens import key_values
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Nat
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Printer, Reader

_NUMBER = r"\s*([+-]?[0-9]+)"
_IPV4 = re.compile(r"\.".join([_NUMBER] * 4), re.ASCII)
_IPV6 = re.compile(r"([0-9a-fA-F:.]{1,46})|\[([0-9a-fA-F:.]{1,46})\]")
_PORT = re.compile(_NUMBER, re.ASCII)
_IPV4_BYTES = 4


# -- what is read


@dataclass
class _Range:
    """The addresses and ports read so far; a second range overwrites what it names."""

    address_min: bytes | None = None
    address_max: bytes | None = None
    port_min: int = 0
    port_max: int = 0

    def read(self, text: str) -> None:
        """Take in ``MIN[-MAX][:PORT[-PORT]]``."""
        address, at = _scan_address(text, 0)
        self.address_min, self.address_max = address, None
        if address is not None:
            if text.startswith("-", at):
                self.address_max, at = _scan_address(text, at + 1)
                if not _is_range(address, self.address_max):
                    raise OvsTextError(f'invalid nat range "{text}"')
            if text.startswith(":", at):
                at = self._read_ports(text, at + 1)
        if at != len(text):
            raise OvsTextError(f'garbage ({text[at:]}) after nat range "{text}" (pos: {at})')

    def _read_ports(self, text: str, at: int) -> int:
        first, at = _scan_port(text, at)
        last: int | None = 0
        if first is not None and text.startswith("-", at):
            last, at = _scan_port(text, at + 1)
            if last is None or last < first:
                raise OvsTextError(f'invalid nat range "{text}"')
        if first is None or last is None:
            raise OvsTextError(f'invalid nat range "{text}"')
        self.port_min, self.port_max = first, last
        return at


def _is_range(first: bytes, last: bytes | None) -> bool:
    return last is not None and len(first) == len(last) and first <= last


def _scan_address(text: str, at: int) -> tuple[bytes | None, int]:
    """An address at ``at``, and the place up to which was read, even if it is none."""
    found = _IPV4.match(text, at)
    if found is not None:
        return bytes(int(part) & 0xFF for part in found.groups()), found.end()
    found = _IPV6.match(text, at)
    if found is None:
        return None, at
    address = parse_ipv6(found[1] or found[2])
    return None if address is None else address.to_bytes(16, "big"), found.end()


def _scan_port(text: str, at: int) -> tuple[int | None, int]:
    found = _PORT.match(text, at)
    return (None, at) if found is None else (int(found[1]) & 0xFFFF, found.end())


def parse_nat(value: str, _reader: Reader) -> Nat:
    """The arguments of ``nat``."""
    range_ = _Range()
    words = set()
    for key, text in key_values(value):
        if key not in ("src", "dst", "persistent", "hash", "random"):
            raise OvsTextError(f'invalid key "{key}" in "nat" argument')
        words.add(key)
        if key in ("src", "dst"):
            range_.read(text)
    if {"src", "dst"} <= words:
        raise OvsTextError('May only specify one of "src" or "dst".')
    if words and not words & {"src", "dst"}:
        raise OvsTextError('Flags allowed only with "src" or "dst".')
    if {"hash", "random"} <= words:
        raise OvsTextError('Both "hash" and "random" are not allowed.')
    return Nat(
        "src" in words if words else None,
        range_.address_min,
        range_.address_max,
        range_.port_min,
        range_.port_max,
        "persistent" in words,
        "hash" in words,
        "random" in words,
    )


# -- what is printed


def nat_text(action: Nat, _printer: Printer) -> str:
    """``nat`` with its arguments."""
    if action.is_source is None:
        return "nat"
    arguments = ["src" if action.is_source else "dst"]
    if action.address_min is not None:
        arguments[0] += f"={_range_text(action)}"
        flags = (
            ("persistent", action.is_persistent),
            ("hash", action.is_hash),
            ("random", action.is_random),
        )
        arguments += [word for word, is_set in flags if is_set]
    return f"nat({','.join(arguments)})"


def _range_text(action: Nat) -> str:
    has_ports = bool(action.port_min)
    first, last = action.address_min, action.address_max
    shown = "" if first is None else _address_text(first, has_ports)
    if last is not None and any(last) and last != first:
        shown += f"-{_address_text(last, has_ports)}"
    if has_ports:
        shown += f":{action.port_min}"
        if action.port_max and action.port_max != action.port_min:
            shown += f"-{action.port_max}"
    return shown


def _address_text(address: bytes, has_ports: bool) -> str:
    number = int.from_bytes(address, "big")
    if len(address) == _IPV4_BYTES:
        return ipv4_text(number)
    return f"[{ipv6_text(number)}]" if has_ports else ipv6_text(number)


# -- what is checked, and what arrives


def _check_nat(action: Nat, checker: Checker) -> Nat:
    fits = is_ip(checker.flow)
    if action.address_min is not None:
        is_ipv4 = len(action.address_min) == _IPV4_BYTES
        fits = dl_type_of(checker.flow) == (ETH_TYPE_IP if is_ipv4 else ETH_TYPE_IPV6)
    if not fits:
        raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
    return action


KIND: AnyKind = ActionKind(Nat, "nat", {"nat": parse_nat}, nat_text, _check_nat)
