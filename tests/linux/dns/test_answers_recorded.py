"""553 queries, sound and mutilated, which dnsmasq 2.90 was asked, and what it said to each.

``dnsmasq_answers.txt`` has a line for each: what it is, the query, and the answer or ``-``. They
were asked in this order, which matters where several addresses take turns.
"""

from __future__ import annotations

from pathlib import Path

from vnet.base.ids import IpAddress, ip_from_text
from vnet.linux.services.dns_server.answering import Answering
from vnet.linux.services.dns_server.message import parse_query, room_for
from vnet.linux.services.dns_server.records import record_from_text
from vnet.linux.services.dns_server.settings import DnsServing
from vnet.linux.services.names import HostNames

RECORDED = Path(__file__).parent / "dnsmasq_answers.txt"
HOSTS = """
    10.9.0.1 gw / 10.9.0.2 vm1 / 10.9.0.3 vm1 / 2001:db8:9::2 vm1 / 10.9.0.4 vm2
    / 10.9.0.5 vm3.other / 10.9.0.4 second
"""
RECORDS = (
    "rec.other 300 A 192.0.2.7",
    "rec.other 300 AAAA 2001:db8::7",
    'txt.test TXT "hello world" second',
    f"big.test TXT {'a' * 184} {'b' * 188} {'c' * 148}",
    "test MX 10 mail.test",
    "_ldap._tcp.test SRV 1 2 389 ldap.test",
    "alias.test CNAME vm1.test",
    "c1.test CNAME c2.test",
    "c2.test CNAME vm2.test",
    "ext.test CNAME up.example",
    "9.0.9.10.in-addr.arpa PTR ptrname.test",
)


def answering() -> Answering:
    def ip(text: str) -> IpAddress:
        return ip_from_text(text)

    names = HostNames("test")
    for line in HOSTS.split("/"):
        address, name = line.split()
        names.add(name, [ip(address)])
    settings = DnsServing(
        domain="test",
        addresses=(
            ("www.example.test", ip("203.0.113.100")),
            ("blocked.example", None),
            ("six.example", ip("2001:db8::77")),
            ("both.example", ip("203.0.113.101")),
            ("both.example", ip("2001:db8::78")),
        ),
        records=tuple(map(record_from_text, RECORDS)),
    )
    return Answering(settings, (names,))


def test_every_answer_is_that_of_dnsmasq() -> None:
    server, differ = answering(), []
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        what, asked, said = line.split(" | ")
        query = parse_query(bytes.fromhex(asked))
        answer = None if query is None else server.answer(query, room_for(query), 0)
        assert answer is None or isinstance(answer, bytes)
        ours = "-" if answer is None else answer.hex()
        if ours != said:
            differ.append(f"{what}\n  query   {asked}\n  dnsmasq {said}\n  vnet    {ours}")
    assert not differ, "\n".join(differ)
