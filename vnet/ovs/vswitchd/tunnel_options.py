"""The options of a tunnel's interface, read as Open vSwitch reads them (netdev-vport).

It is lenient: words that are no numbers are 0, and what it does not know it only warns of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from vnet.base.ids import IpAddress, ip_from_text, is_multicast_ip
from vnet.base.text import with_readable_numbers
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_bytes
from vnet.ovs.ofproto.tunnel.config import (
    ANY_ADDRESS,
    DEFAULT_TTL,
    NO_KEY,
    Key,
    PacketTypes,
    TunnelConfig,
)
from vnet.wire import geneve, vxlan

SUPPORTED_TYPES = frozenset(("vxlan", "gre", "ip6gre", "geneve"))
"""The tunnels that there are here. Interfaces of other kinds may be configured, and are not
made."""

_UDP_PORTS = {"vxlan": vxlan.UDP_PORT, "geneve": geneve.UDP_PORT}
_BOTH_LAYERS = frozenset(("gre",))
_WITH_SEQUENCE = frozenset(("gre", "ip6gre"))
_READ_ELSEWHERE = frozenset(("key", "in_key", "out_key", "packet_type"))
_FOR_IPSEC = frozenset(("remote_cert", "remote_name", "psk"))
_DSCP_MASK = 0xFC
_U64 = 0xFFFF_FFFF_FFFF_FFFF
_C_NUMBER = re.compile(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_C_DECIMAL = re.compile(r"\s*([+-]?)([0-9]+)")


class Finding(NamedTuple):
    """What Open vSwitch says of an option, given or not; ``no_address`` is the text that it took
    for an address, where that is what is wrong."""

    option: str
    sentence: str
    no_address: str = ""


class TunnelOptions(NamedTuple):
    """What the options of an interface come to, and what Open vSwitch warns of."""

    config: TunnelConfig
    warnings: tuple[Finding, ...]


class TunnelOptionsError(OvsTextError):
    """Options that make no tunnel; ``found`` is all that is wrong, which ``what`` has line by
    line."""

    def __init__(self, found: Iterable[Finding]) -> None:
        self.found = tuple(found)
        super().__init__("\n".join(finding.sentence for finding in self.found))


def read_tunnel(name: str, kind: str, options: Mapping[str, str]) -> TunnelOptions:
    """The tunnel that an interface of a :data:`SUPPORTED_TYPES` describes.

    Raises :class:`TunnelOptionsError`.
    """
    reader, given = _Reader(name, kind, options), list(options)
    # As Open vSwitch comes upon them: what it says of several shows the order.
    for position in hash_table_order(hash_bytes(option.encode(), 0) for option in given):
        reader.read(given[position], options[given[position]])
    return TunnelOptions(reader.finish(), tuple(reader.found))


class _Reader:
    """One reading. ``found`` is what there was to say so far."""

    def __init__(self, name: str, kind: str, options: Mapping[str, str]) -> None:
        self.found: list[Finding] = []
        self._name = name
        self._kind = kind
        self._options = options
        self._remote: IpAddress | None = ANY_ADDRESS
        self._local: IpAddress | None = ANY_ADDRESS
        self._tos: int | None = 0
        self._ttl: int | None = 0
        self._udp_port = _UDP_PORTS.get(kind, 0)
        self._extensions: frozenset[str] = frozenset()
        self._egress_mark: int | None = None

    def read(self, option: str, value: str) -> None:
        """Take one option."""
        match option:
            case "remote_ip" | "local_ip":
                self._read_ip(option, value)
            case "tos":
                self._tos = None if value == "inherit" else self._dscp(value)
            case "ttl":
                self._ttl = None if value == "inherit" else _decimal(value) & 0xFF
            case "dst_port" if self._kind in _UDP_PORTS:
                self._udp_port = _decimal(value) & 0xFFFF
            case "exts" if self._kind == "vxlan":
                self._read_extensions(value)
            case "egress_pkt_mark":
                self._egress_mark = _decimal(value) & 0xFFFF_FFFF
            case "csum" | "df_default":
                return
            case "seq" if self._kind in _WITH_SEQUENCE:
                return
            case _ if option not in _READ_ELSEWHERE | _FOR_IPSEC:
                self._warn(option, f"unknown {self._kind} argument '{option}'")

    def _warn(self, option: str, sentence: str, no_address: str = "") -> None:
        self.found.append(Finding(option, f"{self._name}: {sentence}", no_address))

    def _fail(self, option: str, sentence: str) -> TunnelOptionsError:
        self._warn(option, sentence)
        return TunnelOptionsError(self.found)

    def _read_ip(self, option: str, value: str) -> None:
        ip: IpAddress | None = ANY_ADDRESS
        if value == "flow":
            ip = None
        else:
            try:
                ip = ip_from_text(value)
            except ValueError:
                self._warn(option, f"bad {self._kind} '{option}'", value)
            if option == "remote_ip" and ip and is_multicast_ip(ip):
                raise self._fail(option, f"multicast remote_ip={value} not allowed")
        if option == "remote_ip":
            self._remote = ip
        else:
            self._local = ip

    def _dscp(self, value: str) -> int:
        found = _C_NUMBER.fullmatch(value)
        tos = None if found is None else _value(found)
        if tos is None or tos != tos & _DSCP_MASK:
            self._warn("tos", f"invalid TOS {value}")
            return 0
        return tos

    def _read_extensions(self, value: str) -> None:
        words = [word for word in value.split(",") if word]
        for word in words:
            if word not in ("gbp", "gpe"):
                self._warn("exts", f"unknown extension '{word}'")
        self._extensions = frozenset(words)

    def finish(self) -> TunnelConfig:
        """The tunnel. Raises :class:`TunnelOptionsError` where it would be none."""
        packet_types = self._packet_types()
        remote, local = self._remote, self._local
        if remote == ANY_ADDRESS or remote in (bytes(4), bytes(16)):
            sentence = f"{self._kind} type requires valid 'remote_ip' argument"
            raise self._fail("remote_ip", sentence)
        if local is None and remote is not None:
            sentence = f"{self._kind} type requires 'remote_ip=flow' with 'local_ip=flow'"
            raise self._fail("local_ip", sentence)
        if remote and local and len(remote) != len(local):
            sentence = "'remote_ip' and 'local_ip' has to be of the same address family"
            raise self._fail("local_ip", sentence)
        is_set = self._options.get
        return TunnelConfig(
            self._kind,
            remote,
            local,
            in_key=self._key("in_key"),
            out_key=self._key("out_key"),
            ttl=self._ttl or DEFAULT_TTL,
            inherits_ttl=self._ttl is None,
            tos=self._tos or 0,
            inherits_tos=self._tos is None,
            udp_port=self._udp_port,
            has_checksum=is_set("csum") == "true",
            has_sequence=is_set("seq") == "true" and self._kind in _WITH_SEQUENCE,
            dont_fragment=is_set("df_default") != "false",
            packet_types=packet_types,
            is_gpe="gpe" in self._extensions,
            is_gbp="gbp" in self._extensions,
            egress_mark=self._egress_mark,
        )

    def _packet_types(self) -> PacketTypes:
        word = self._options.get("packet_type", PacketTypes.LEGACY_L2.value)
        try:
            packet_types = PacketTypes(word)
        except ValueError as error:
            raise self._fail("packet_type", f"unknown packet_type '{word}'") from error
        carries_l3 = self._kind in _BOTH_LAYERS or "gpe" in self._extensions
        if packet_types is PacketTypes.LEGACY_L3 and not carries_l3:
            shown = "VXLAN (without GPE)" if self._kind == "vxlan" else self._kind
            sentence = f"legacy_l3 configured on {shown} tunnel that cannot carry L3 traffic"
            raise self._fail("packet_type", sentence)
        return packet_types

    def _key(self, option: str) -> Key:
        text = self._options.get(option, self._options.get("key"))
        if text is None:
            return NO_KEY
        if text == "flow":
            return Key(is_present=True, is_flow=True)
        found = _C_NUMBER.match(text)
        return Key(is_present=True, value=0 if found is None else _value(found) & _U64)


def _value(found: re.Match[str]) -> int:
    sign, digits = found.groups()
    is_octal = digits[0] == "0" and digits[1:2] not in ("x", "X")
    number = int(with_readable_numbers(digits), 8 if is_octal else 0)
    return -number if sign == "-" else number


def _decimal(text: str) -> int:
    """As C's ``atoi``."""
    found = _C_DECIMAL.match(text)
    return 0 if found is None else int(found[1] + with_readable_numbers(found[2]))
