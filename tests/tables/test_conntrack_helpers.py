"""FTP and TFTP: what their control connections announce, and how it is translated."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.packet import Packet

from tests.tables.conntrack_lab import (
    CLIENT,
    CLIENT6,
    LOOK,
    OTHER,
    OUTSIDE,
    OUTSIDE6,
    SERVER,
    SERVER6,
    UNDO,
    Lab,
    Tracked,
    dnat,
    snat,
    sums_up,
    tcp,
    udp,
)
from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.packet import IPV4, CtMeta, CtPacket

FTP = CtAction(commit=True, helper="ftp")
COMMIT = CtAction(commit=True)


class Session:
    """A control connection, as each end sees the other."""

    def __init__(self, action: CtAction, client: str = CLIENT, server: str = SERVER) -> None:
        self.lab = Lab()
        self.back = UNDO if action.nat else LOOK
        self.inside = (client, server)
        opening = self.lab.send(self.segment("S", 99, 0), action).layers
        self.outside = (opening.src, opening.dst)
        self.lab.send(self.segment("SA", 499, 100, reply=True), self.back)
        self.lab.send(self.segment("A", 100, 500), self.back)

    def segment(
        self, flags: str, seq: int, ack: int, text: bytes = b"", *, reply: bool = False
    ) -> Packet:
        ends = self.outside if reply else self.inside
        return tcp(flags, seq, ack, payload=text, reply=reply, ends=ends, ports=(1000, 21))

    def say(self, text: bytes, seq: int = 100, ack: int = 500) -> Tracked:
        """The client speaks."""
        return self.lab.send(self.segment("PA", seq, ack, text), self.back)

    def answer(self, text: bytes, seq: int = 500, ack: int = 100) -> Tracked:
        """The server does."""
        return self.lab.send(self.segment("PA", seq, ack, text, reply=True), self.back)


def test_an_active_transfer_is_related() -> None:
    session = Session(FTP)
    assert session.say(b"PORT 10,0,0,1,4,1\r\n").state == "est|trk"
    data = tcp("S", ends=(SERVER, CLIENT), ports=(20, 1025))
    assert session.lab.send(data).state == "new|rel|trk"
    first = session.lab.send(data, replace(COMMIT, mark=(7, 0xFF)))
    assert first.state == "new|rel|trk"
    assert first.meta.original == session.say(b"NOOP\r\n", 119).meta.original
    answer = tcp("SA", 5, 1, ends=(CLIENT, SERVER), ports=(1025, 20))
    assert session.lab.send(answer).state == "est|rel|rpl|trk"


def test_a_passive_transfer_is_related() -> None:
    session = Session(FTP)
    session.answer(b"227 Entering Passive Mode (10,0,0,2,8,0)\r\n")
    data = tcp("S", ends=(CLIENT, SERVER), ports=(40000, 2048))
    assert session.lab.send(data, COMMIT).state == "new|rel|trk"
    lines = session.lab.dump(verbose=True)
    assert ",helper=ftp" in lines[0]
    assert lines[1].endswith(",parent=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=21)")


def test_ipv6_has_its_own_commands() -> None:
    session = Session(FTP, CLIENT6, SERVER6)
    session.say(b"EPRT |2|fd00::1|1025|\r\n")
    session.answer(b"229 Entering Extended Passive Mode (|||2048|)\r\n", ack=123)
    active = tcp("S", ends=(SERVER6, CLIENT6), ports=(20, 1025))
    passive = tcp("S", ends=(CLIENT6, SERVER6), ports=(40000, 2048))
    assert [session.lab.send(it).state for it in (active, passive)] == ["new|rel|trk"] * 2


def test_a_transfer_inherits_mark_and_label() -> None:
    session = Session(replace(FTP, mark=(7, 0xFF), label=(9, 0xFF)))
    session.say(b"PORT 10,0,0,1,4,1\r\n")
    action = replace(COMMIT, mark=(1, 0xFF), label=(1, 0xFF))
    data = session.lab.send(tcp("S", ends=(SERVER, CLIENT), ports=(20, 1025)), action)
    assert (data.meta.mark, data.meta.label) == (7, 9)


def test_only_a_watched_connection_announces() -> None:
    session = Session(COMMIT)
    session.say(b"PORT 10,0,0,1,4,1\r\n")
    data = tcp("S", ends=(SERVER, CLIENT), ports=(20, 1025))
    assert session.lab.send(data).state == "new|trk"


@pytest.mark.parametrize(
    "text",
    [
        b"PORT 10,0,0,3,4,1\r\n",
        b"PORT 10,0,0,1,4,256\r\n",
        b"PORT 10,0,0,1,256,1\r\n",
        b"PORT 10,0,0,1,12345,1\r\n",
        b"PORT 10,0,0,1,4\r\n",
        b"PORT 10,0,0,256,4,1\r\n",
        b"PORT 10,0,0\r\n",
        b"PORT\r\n",
        b"PORT \r\n",
        b"PORT x\r\n",
    ],
)
def test_announcements_of_third_parties_and_nonsense_are_invalid(text: bytes) -> None:
    session = Session(FTP)
    assert session.say(text).state == "est|inv|trk"
    assert len(session.lab.tracker.store.expectations) == 0


@pytest.mark.parametrize(
    "text",
    [
        b"EPRT |1|fd00::1|1025|\r\n",
        b"EPRT |2|fd00::9|1025|\r\n",
        b"EPRT |2|fd00::1|65536|\r\n",
        b"EPRT |2||1025|\r\n",
        b"EPRT |2",
    ],
)
def test_the_same_over_ipv6(text: bytes) -> None:
    assert Session(FTP, CLIENT6, SERVER6).say(text + b"\n").state == "est|inv|trk"


def test_a_translated_client_announces_its_translated_address() -> None:
    session = Session(replace(snat(OUTSIDE), helper="ftp"))
    said = session.say(b"PORT 10,0,0,1,4,1\r\n")
    assert said.layers[TCP].load == b"PORT 192,0,2,1,4,1\r\n"
    assert sums_up(said.layers)
    # One byte more: the server acknowledges 120, of which the client has sent 119.
    answer = session.answer(b"200 ok\r\n", ack=120)
    assert (answer.state, answer.layers[TCP].ack) == ("est|rpl|trk|dnat", 119)
    assert sums_up(answer.layers)
    following = session.say(b"LIST\r\n", 119, 508)
    assert (following.state, following.layers[TCP].seq) == ("est|trk|snat", 120)
    data = session.lab.send(
        tcp("S", ends=(SERVER, OUTSIDE), ports=(20, 1025)), replace(UNDO, commit=True)
    )
    assert (data.state, data.layers.dst) == ("new|rel|trk|dnat", CLIENT)
    back = session.lab.send(tcp("SA", 1, 1, ends=(CLIENT, SERVER), ports=(1025, 20)), UNDO)
    assert (back.state, back.layers.src) == ("est|rel|rpl|trk|snat", OUTSIDE)


def test_skews_add_up() -> None:
    session = Session(replace(snat(OUTSIDE), helper="ftp"))
    session.say(b"PORT 10,0,0,1,4,1\r\n")
    second = session.say(b"PORT 10,0,0,1,4,2\r\n", 119)
    assert (second.layers[TCP].seq, second.layers[TCP].load) == (120, b"PORT 192,0,2,1,4,2\r\n")
    assert session.say(b"NOOP\r\n", 138).layers[TCP].seq == 140


def test_a_translated_server_announces_its_public_address() -> None:
    session = Session(replace(dnat(SERVER), helper="ftp"), server=OUTSIDE)
    said = session.answer(b"227 Entering Passive Mode (10,0,0,2,8,0)\r\n")
    assert said.layers[TCP].load == b"227 Entering Passive Mode (192,0,2,1,8,0)\r\n"
    data = tcp("S", ends=(CLIENT, OUTSIDE), ports=(40000, 2048))
    out = session.lab.send(data, replace(UNDO, commit=True))
    assert (out.state, out.layers.dst) == ("new|rel|trk|dnat", SERVER)


def test_addresses_of_ipv6_are_rewritten() -> None:
    session = Session(replace(snat(OUTSIDE6), helper="ftp"), CLIENT6, SERVER6)
    said = session.say(b"EPRT |2|fd00::1|1025|\r\n")
    assert said.layers[TCP].load == b"EPRT |2|2001:db8::1|1025|\r\n"
    assert sums_up(said.layers)


def test_what_was_announced_is_forgotten_with_its_connection() -> None:
    session = Session(FTP)
    session.say(b"PORT 10,0,0,1,4,1\r\n")
    assert len(session.lab.tracker.store.expectations) == 1
    session.lab.tracker.flush()
    assert len(session.lab.tracker.store.expectations) == 0


def test_there_is_a_limit_to_announcements() -> None:
    session = Session(FTP)
    expectations = session.lab.tracker.store.expectations
    expectations.limit = 2
    for port in (1, 2, 3):
        session.say(b"PORT 10,0,0,1,4,%d\r\n" % port)
    assert len(expectations) == 2


def test_a_helper_follows_the_port_of_the_rule() -> None:
    lab = Lab()
    for flags, target_port in (("S", 2121), ("A", 2121)):
        frame = CtPacket(
            lab.send(tcp(flags, 99, ports=(1000, 2121))).data, 14, IPV4, CtMeta(), None, 0, 1000
        )
        frame.target_port = target_port
        lab.tracker.execute(frame, FTP, 0)
    assert lab.dump()[0].endswith(",helper=ftp")


def test_a_tftp_transfer_comes_from_another_port() -> None:
    lab = Lab()
    lab.send(udp(dport=69), CtAction(commit=True, helper="tftp"))
    block = udp(SERVER, CLIENT, 3000, 1000)
    assert lab.send(block, COMMIT).state == "new|rel|trk"
    assert lab.send(udp(CLIENT, SERVER, 1000, 3000)).state == "est|rel|rpl|trk"
    assert lab.send(udp(OTHER, CLIENT, 3000, 1000)).state == "new|trk"


def test_a_tftp_transfer_is_translated_back() -> None:
    lab = Lab()
    lab.send(udp(dport=69), replace(snat(OUTSIDE), helper="tftp"))
    block = lab.send(udp(SERVER, OUTSIDE, 3000, 1000), replace(UNDO, commit=True))
    assert (block.state, block.layers.dst) == ("new|rel|trk|dnat", CLIENT)
    reply = lab.send(udp(CLIENT, SERVER, 1000, 3000), UNDO)
    assert (reply.layers.src, reply.layers[UDP].dport) == (OUTSIDE, 3000)
