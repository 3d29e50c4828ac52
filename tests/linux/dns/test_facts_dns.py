"""The DNS steps of the recording ``c_nat``: dig 9.18 asks dnsmasq 2.90, byte by byte."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vnet.base.ids import ip_from_text
from vnet.linux.services.dns import query
from vnet.linux.services.dns_server.answering import Answering
from vnet.linux.services.dns_server.message import parse_query, room_for
from vnet.linux.services.dns_server.records import reverse_name
from vnet.linux.services.dns_server.settings import DnsServing
from vnet.linux.services.names import HostNames

CONFIGURED = (
    "ee2c0120000100000000000103777777076578616d706c650474657374000001000100002904d000000000000c"
    "000a0008cd8be48a512591a5",
    "ee2c8580000100010000000103777777076578616d706c6504746573740000010001c00c00010001000000000004"
    "cb00716400002904d0000000000000",
)
NO_UPSTREAM = (
    "8c7e01200001000000000001066e6f73756368076578616d706c65036f7267000001000100002904d00000000000"
    "0c000a0008c84e073e8530110b",
    "8c7e81850001000000000001066e6f73756368076578616d706c65036f7267000001000100002904d00000000000"
    "06000f0002000e",
)
REVERSE = (
    "140f012000010000000000010331363103313232033136380331393207696e2d61646472046172706100000c0001"
    "00002904d000000000000c000a00080feaf79a476978b0",
    "140f858000010001000000010331363103313232033136380331393207696e2d61646472046172706100000c0001"
    "c00c000c000100000000000902766d04746573740000002904d0000000000000",
)


def answer(asked: str) -> str:
    leases = HostNames("test")
    leases.add("vm", [ip_from_text("192.168.122.161")])
    settings = DnsServing(
        domain="test",
        local=False,
        addresses=(("www.example.test", ip_from_text("203.0.113.100")),),
    )
    read = parse_query(bytes.fromhex(asked))
    assert read is not None
    found = Answering(settings, (leases,)).answer(read, room_for(read), 0)
    assert isinstance(found, bytes)
    return found.hex()


def test_a_configured_name_is_answered_with_authority_and_a_time_to_live_of_0() -> None:
    assert answer(CONFIGURED[0]) == CONFIGURED[1]


def test_without_upstream_dns_a_name_is_refused_as_not_ready() -> None:
    assert answer(NO_UPSTREAM[0]) == NO_UPSTREAM[1]


def test_the_address_of_a_lease_has_the_name_that_its_client_sent() -> None:
    assert answer(REVERSE[0]) == REVERSE[1]


@pytest.mark.parametrize(
    ("asked", "name", "kind"),
    [
        (CONFIGURED[0], "www.example.test", query.A),
        (NO_UPSTREAM[0], "nosuch.example.org", query.A),
        (REVERSE[0], reverse_name(ip_from_text("192.168.122.161")), query.PTR),
    ],
)
def test_dig_asks_with_edns_a_cookie_and_the_wish_for_recursion(
    asked: str, name: str, kind: int
) -> None:
    ident, cookie = int(asked[:4], 16), bytes.fromhex(asked[-16:])
    ours = query.emit_query(
        ident,
        query.labels_of(name),
        kind,
        flags=query.RECURSION_DESIRED | query.AUTHENTIC_DATA,
        edns=query.emit_edns(1232, cookie=cookie),
    )
    assert ours.hex() == asked


@pytest.mark.slow
def test_a_lab_without_dns_does_without_all_that_it_is_made_of() -> None:
    code = (
        "import sys; from vnet import Lab\n"
        "text = 'version: 1\\nhosts: {h: {switches: {b: }}}\\n'\n"
        "text += 'vms: {v: {host: h, vnics: [{ip: 10.0.0.1/24}]}}\\n'\n"
        "with Lab.from_text(text) as lab: lab.run('1s')\n"
        "wrong = [m for m in sys.modules if m.startswith('dnslib')"
        " or m.startswith('vnet.linux.services.dns_server.server')"
        " or m.startswith('vnet.linux.services.resolver')]\n"
        "assert not wrong, wrong\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
