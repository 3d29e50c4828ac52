"""dnsmasq(8) for the DHCP and DNS servers, and the relays, of one machine: its command lines."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vnet.base.ids import IpAddress, ip_text, mac_text
from vnet.linux.services.dhcp_server.settings import (
    FOREVER_S,
    DhcpOption,
    DhcpServing,
    Reservation,
)
from vnet.linux.services.dns_server import message
from vnet.linux.services.dns_server.settings import DnsServing, Record
from vnet.live.kernel.plan import NodePlan, RelayPlan, ServedPlan

_USUAL = (
    "--conf-file=",
    "--no-hosts",
    "--no-resolv",
    "--no-poll",
    "--user=root",
    "--group=root",
    "--bind-interfaces",
    "--except-interface=lo",
)
"""Nothing of the machine that it runs on."""


def daemons(node: NodePlan) -> Iterator[tuple[Sequence[ServedPlan], Sequence[RelayPlan]]]:
    """What each daemon of a machine is for: one for each virtual network, and one for the rest."""
    rest = [each for each in node.served if not each.is_apart]
    if rest or node.relays:
        yield rest, node.relays
    for each in node.served:
        if each.is_apart:
            yield (each,), ()


def words(
    served: Sequence[ServedPlan], relays: Sequence[RelayPlan], leases: Path, pid: Path
) -> list[str]:
    """The command of a daemon that serves ``served``."""
    said = ["dnsmasq", *_USUAL, f"--pid-file={pid}", f"--dhcp-leasefile={leases}"]
    devices = [each.device for each in served] + [relay.device for relay in relays]
    said += [f"--interface={device}" for device in devices]
    if not any(_has_names(each) for each in served):
        said.append("--port=0")
    for each in served:
        if each.dhcp is not None:
            said += _dhcp(each, each.dhcp)
        if each.dns is not None:
            said += _dns(each.dns, each.names)
    for relay in relays:
        own = ip_text(relay.address.ip)
        said += [f"--dhcp-relay={own},{ip_text(server)}" for server in relay.servers]
    return list(dict.fromkeys(said))


def _has_names(served: ServedPlan) -> bool:
    return served.dns is not None or (served.dhcp is not None and served.dhcp.serves_names)


# -- DHCP


def _dhcp(served: ServedPlan, serving: DhcpServing) -> Iterator[str]:
    tag = f"tag:{served.device}"
    mask = (1 << 32) - (1 << (32 - served.address.prefix_length))
    for each in serving.ranges:
        ends = f"{ip_text(each.start)},{ip_text(each.end)},{ip_text(mask.to_bytes(4, 'big'))}"
        yield f"--dhcp-range=set:{served.device},{ends},{_time(serving.lease_s)}"
    for reservation in serving.reservations:
        yield f"--dhcp-host={','.join(_host(reservation))}"
    for option in serving.options:
        forced = "-force" if option.forced else ""
        yield f"--dhcp-option{forced}={','.join((tag, str(option.code), *_value(option)))}"
    yield f"--dhcp-lease-max={serving.most_leases}"
    if serving.domain:
        yield f"--domain={serving.domain}"
    for word, on in (
        ("--dhcp-authoritative", serving.authoritative),
        ("--dhcp-no-override", not serving.overload),
        ("--no-ping", not serving.checks),
        ("--dhcp-sequential-ip", serving.sequential),
        ("--dhcp-rapid-commit", serving.rapid_commit),
    ):
        if on:
            yield word


def _host(reservation: Reservation) -> Iterator[str]:
    if reservation.mac is not None:
        yield mac_text(reservation.mac)
    if reservation.client_id is not None:
        yield f"id:{reservation.client_id.hex(':')}"
    if reservation.ip is not None:
        yield ip_text(reservation.ip)
    if reservation.name:
        yield reservation.name
    if reservation.lease_s is not None:
        yield _time(reservation.lease_s)
    if reservation.ignored:
        yield "ignore"


def _value(option: DhcpOption) -> Sequence[str]:
    value = option.value
    if option.is_addresses:
        return [ip_text(value[at : at + 4]) for at in range(0, len(value), 4)]
    if option.is_text:
        return [value.decode(errors="replace")]
    return [value.hex(":")] if len(value) > 1 else [str(byte) for byte in value]


def _time(seconds: int) -> str:
    return "infinite" if seconds == FOREVER_S else str(seconds)


# -- DNS


def _dns(serving: DnsServing, names: Mapping[str, Sequence[IpAddress]]) -> Iterator[str]:
    if serving.domain:
        yield f"--domain={serving.domain}"
        yield "--expand-hosts"
        if serving.local:
            yield f"--local=/{serving.domain}/"
    hosts = dict(serving.hosts)
    for name, addresses in {**names, **hosts}.items():
        full = f"{name}.{serving.domain}" if serving.domain and "." not in name else name
        aliases = [full, name] if full != name else [name]
        # Further addresses of one family are records of their own.
        for address in addresses:
            yield f"--host-record={','.join((*aliases, ip_text(address)))}"
    yield from map(_record, serving.records)
    for domain, answer in serving.addresses:
        yield f"--address=/{domain}/{'' if answer is None else ip_text(answer)}"
    for upstream in serving.upstreams:
        where = f"/{upstream.domain}/" if upstream.domain else ""
        yield f"--server={where}{ip_text(upstream.address)}"
    if serving.ttl_s:
        yield f"--local-ttl={serving.ttl_s}"
    yield f"--cache-size={serving.cache_names}"


def _record(record: Record) -> str:
    """A record in dnsmasq's words; only aliases and addresses may have times of their own there."""
    own_ttl = "" if record.ttl_s is None else f",{record.ttl_s}"
    data, name = record.data, record.name
    if record.type in (message.A, message.AAAA):
        return f"--host-record={name},{ip_text(data)}{own_ttl}"
    if record.type == message.CNAME:
        return f"--cname={name},{message.read_name(data, 0)}{own_ttl}"
    if record.type == message.PTR:
        return f"--ptr-record={name},{message.read_name(data, 0)}"
    if record.type == message.MX:
        (preference,) = struct.unpack_from("!H", data)
        return f"--mx-host={name},{message.read_name(data, 2)},{preference}"
    if record.type == message.SRV:
        priority, weight, port = struct.unpack_from("!3H", data)
        return f"--srv-host={name},{message.read_name(data, 6)},{port},{priority},{weight}"
    return f"--dns-rr={name},{record.type},{data.hex()}"
