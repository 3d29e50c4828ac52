"""Mutilated messages into everything that reads DNS: each is answered or dropped, none raises."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from dnslib import QTYPE, RR, DNSRecord

from tests.linux.dns.test_answers_recorded import answering
from vnet.linux.services.dns.answer import parse_answer
from vnet.linux.services.dns.query import labels_of
from vnet.linux.services.dns_server.message import (
    LEAST_UDP_BYTES,
    parse_query,
    passed_back,
    passed_on,
    read_name,
    room_for,
)
from vnet.linux.services.dns_server.records import record_from_text
from vnet.linux.services.dns_server.settings import DnsServing
from vnet.linux.services.names import HostNames

RECORDED = Path(__file__).parent / "dnsmasq_answers.txt"


def mutilated(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(changed) + 1)
        deed = random.randrange(4)
        if deed == 0:
            changed[at : at + 1] = random.randbytes(1)
        elif deed == 1:
            del changed[at : at + random.randrange(1, 5)]
        elif deed == 2:
            changed[at:at] = random.randbytes(random.randrange(1, 5))
        else:
            changed[at : at + 2] = b"\xc0" + bytes((random.randrange(40),))
    return bytes(changed)


@pytest.mark.parametrize("seed", range(4))
def test_queries(seed: int) -> None:
    random, server = Random(seed), answering()
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    for _ in range(1_500):
        data = mutilated(random, bytes.fromhex(random.choice(lines).split(" | ")[1]))
        query = parse_query(data)
        if query is None:
            continue
        answer = server.answer(query, room_for(query), 0)
        assert isinstance(answer, bytes)
        assert len(answer) <= max(room_for(query), LEAST_UDP_BYTES, 15 + len(data))
        assert answer[:2] == data[:2]
        assert answer[2] & 0x80
        assert passed_on(query, data, 7)[:2] == b"\0\7"


@pytest.mark.parametrize("seed", range(4))
def test_answers_of_other_servers(seed: int) -> None:
    random, server = Random(seed), answering()
    question = DNSRecord.question("a.example", "A")
    whole = question.reply()
    whole.add_answer(*RR.fromZone("a.example 60 CNAME b.example\nb.example 60 A 10.0.0.1"))
    whole.add_answer(*RR.fromZone("b.example 60 MX 5 c.example\nb.example 60 TXT hello"))
    whole.add_auth(*RR.fromZone("example 60 SOA ns.example root.example 1 2 3 4 5"))
    packed = bytes(whole.pack())
    query = parse_query(bytes(question.pack()))
    assert query is not None
    for _ in range(1_500):
        data = mutilated(random, packed)
        parse_answer(data)
        server.learn(query, data, 0)
        server.answer(query, LEAST_UDP_BYTES, 0)
        if len(data) >= 12 + len(query.question):
            assert passed_back(query, data)[:2] == query.ident.to_bytes(2, "big")


def test_names_as_they_are_typed() -> None:
    random = Random(1)
    for _ in range(3_000):
        text = "".join(random.choices("ab.\\0129 é", k=random.randrange(12)))
        try:
            labels = labels_of(text)
        except ValueError:
            continue
        wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
        assert read_name(wire, 0) is not None


def test_records_as_they_are_spelt() -> None:
    random = Random(1)
    words = ("a.test", "A", "AAAA", "MX", "TXT", "SRV", "CNAME", "10.0.0.1", "fd00::1", "5", '"x')
    for _ in range(3_000):
        text = " ".join(random.choices(words, k=random.randrange(7)))
        try:
            record = record_from_text(text)
        except ValueError:
            continue
        assert record.type in QTYPE.forward
        names = HostNames()
        DnsServing(records=(record,))
        assert not names.has_below(record.name)
