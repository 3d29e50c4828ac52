"""What a system decides its own way is asked of its policy, and of nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.tables.conntrack_lab import COMMIT, OUTSIDE, SERVER, Lab, snat, tcp, udp
from vnet.tables.conntrack.action import NatRange
from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.datagrams import Datagrams
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.key import parts_of
from vnet.tables.conntrack.policy import Policy, Update
from vnet.tables.conntrack.timeouts import Durations
from vnet.tables.conntrack.tracker import ConnTracker


class Hasty(Datagrams):
    """Established by the second packet, whoever sends it, and forgotten after a second."""

    def start(self, conn: Conn, headers: Headers, now_ms: int, durations: Durations) -> None:
        super().start(conn, headers, now_ms, durations)
        conn.expires_ms = now_ms + 1000

    def update(
        self, conn: Conn, headers: Headers, is_reply: bool, now_ms: int, durations: Durations
    ) -> Update:
        super().update(conn, headers, is_reply, now_ms, durations)
        conn.expires_ms = now_ms + 1000
        return Update.VALID


class PortFromTheTop:
    """Translates to the highest port that is free."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def choose(
        self, key: bytes, reply_key: bytes, choice: NatRange, is_taken: Callable[[bytes], bool]
    ) -> bytes | None:
        self.asked.append(key)
        reply = parts_of(reply_key)
        assert choice.first_address is not None
        for port in reversed(choice.ports):
            found = reply._replace(target=choice.first_address, target_part=port).pack()
            if not is_taken(found):
                return found
        return None


def lab_of(policy: Policy) -> Lab:
    lab = Lab()
    lab.tracker = ConnTracker(policy)
    return lab


def own_policy() -> Policy:
    base = Lab().policy
    return Policy({6: Hasty()}, base.other, PortFromTheTop(), base.counters, 5, 500)


def test_protocols_have_the_states_of_the_policy() -> None:
    lab = lab_of(own_policy())
    assert [lab.send(tcp("SFA"), COMMIT).state for _ in range(2)] == ["new|trk", "est|trk"]
    assert lab.timeout_ms() == 1000
    assert lab.send(udp(), COMMIT).state == "new|trk"


def test_translation_is_what_the_policy_picks() -> None:
    lab = lab_of(own_policy())
    picked = [lab.send(udp(sport=port), snat(OUTSIDE, 10, 19)).layers.sport for port in (1, 2)]
    assert picked == [19, 18]
    assert lab.send(udp(SERVER, OUTSIDE, 53, 18), replace(COMMIT, nat=NatRange())).layers.dport == 2


def test_limits_and_sweeps_are_the_policys() -> None:
    lab = lab_of(own_policy())
    for port in range(1, 8):
        lab.send(tcp("S", ports=(port, 80)), COMMIT)
    assert (len(lab.dump()), lab.tracker.count(lab.now_ns)) == (5, 5)
    lab.wait_ms(1000)
    assert lab.tracker.count(lab.now_ns) == 0
