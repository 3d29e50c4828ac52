"""The table of leases: what is over stays over."""

from __future__ import annotations

from vnet.base.ids import IpAddress
from vnet.linux.services.dhcp_server.leases import LeaseTable

IP = IpAddress(b"\x0a\0\0\x05")
CARD = bytes(5) + b"\x01"


def test_a_lease_that_ran_out_while_its_client_was_answered_is_not_ended_twice() -> None:
    now_s = [1_000]
    leases = LeaseTable(lambda: now_s[0], most_leases=10)
    old = leases.make(IP)
    assert old is not None
    leases.set_client(old, 1, CARD, None)
    leases.set_length(old, 120)
    now_s[0] += 120
    leases.prune()
    new = leases.make(IP)
    assert new is not None
    leases.set_client(new, 1, CARD, None)
    leases.set_length(new, 120)
    leases.remove(old)
    assert leases.at(IP) is new
    assert leases.of_client(1, CARD, None) is new
