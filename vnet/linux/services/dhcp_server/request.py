"""What a client says, and what is known of it: the state of one request while it is answered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from vnet.base.ids import IpAddress
from vnet.linux.services.dhcp_server.leases import Lease
from vnet.linux.services.dhcp_server.pools import Pool
from vnet.linux.services.dhcp_server.settings import Reservation
from vnet.wire import dhcp_options
from vnet.wire.dhcp import Dhcp

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\..*)?", re.ASCII | re.DOTALL)
_MOST_NAME_BYTES = 1_024
_NO_ADDRESS = IpAddress(bytes(4))

FQDN_SERVER_UPDATES = 0x01
FQDN_OVERRIDE = 0x02
FQDN_ENCODED = 0x04
FQDN_NO_UPDATE = 0x08


class LocalNetwork(NamedTuple):
    """An address of the interface that a request came in by, and its network."""

    ip: IpAddress
    prefix_length: int
    broadcast: IpAddress | None


class Arrival(NamedTuple):
    """How a request came: by what interface with which networks, the first of them first; from
    whom, and whether to one address alone."""

    interface: str
    networks: tuple[LocalNetwork, ...]
    source: bytes
    source_port: int
    was_unicast: bool


@dataclass(slots=True)
class Request:
    """A request, and what has been found out so far.

    ``hardware`` is the MAC that is hashed and logged, or what stands for it. ``subnet`` is the
    network that the client or its relay chose, ``server_id`` the name of the server that a relay
    wants to be told, each empty where nobody did.
    """

    message: Dhcp
    arrival: Arrival
    pools: list[Pool]
    hardware: bytes = b""
    client_id: bytes | None = None
    lease: Lease | None = None
    reservation: Reservation | None = None
    name: str = ""
    said_domain: str = ""
    offered_name: str = ""
    name_is_given: bool = False
    ends_text_with_nul: bool = False
    fqdn_flags: int = 0
    subnet: bytes = b""
    server_id: bytes = b""
    agent: bytes | None = None
    requested: bytes | None = field(default=None)
    """The options that the client asks for; None if it does not say: it gets all."""

    def wants(self, code: int) -> bool:
        return self.requested is None or code in self.requested

    @property
    def reserved_ip(self) -> IpAddress | None:
        return None if self.reservation is None else self.reservation.ip

    @property
    def is_ignored(self) -> bool:
        return self.reservation is not None and self.reservation.ignored


class ClientName(NamedTuple):
    """A name that a client gave itself, if it is one a host can have."""

    text: str
    flags: int
    ended_with_nul: bool


def name_of(message: Dhcp) -> ClientName:
    """The name in a request: its full one (RFC 4702), or else its host name."""
    value = message.option(dhcp_options.CLIENT_FQDN, 3)
    if value is not None:
        return _full_name(value)
    value = message.option(dhcp_options.HOSTNAME, 1)
    if value is None:
        return ClientName("", 0, False)
    ended = value.endswith(b"\0")
    return ClientName(_legal(value.partition(b"\0")[0]), 0, ended)


def _full_name(value: bytes) -> ClientName:
    flags, said = value[0], value[3:]
    if not flags & FQDN_SERVER_UPDATES:
        flags |= FQDN_SERVER_UPDATES | FQDN_OVERRIDE
    flags &= ~FQDN_NO_UPDATE
    if flags & FQDN_ENCODED:
        labels = []
        while said and said[0] and said[0] < len(said):
            labels.append(said[1 : 1 + said[0]])
            said = said[1 + said[0] :]
        return ClientName(_legal(b".".join(labels)), flags, False)
    return ClientName(_legal(said.partition(b"\0")[0]), flags, said.endswith(b"\0"))


def _legal(name: bytes) -> str:
    """``name`` as text; empty if no host can be called so. Only its first part is looked at."""
    text = name.decode("ascii", "replace")
    return text if len(text) <= _MOST_NAME_BYTES and _NAME.fullmatch(text) else ""


def hardware_of(message: Dhcp, client_id: bytes | None) -> bytes:
    """What stands for the client's MAC, which some kinds of network put into the identifier."""
    if message.chaddr or client_id is None or len(client_id) <= 3:
        return message.chaddr
    return client_id[1:] if client_id[0] == message.htype else client_id
