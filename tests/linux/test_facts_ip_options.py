"""What Linux does with IPv4 options: on the way, to us, and in what it answers."""

from __future__ import annotations

import pytest
from scapy.layers.inet import (
    ICMP,
    IP,
    UDP,
    IPerror,
    IPOption_LSRR,
    IPOption_NOP,
    IPOption_RR,
    IPOption_Timestamp,
)
from scapy.packet import Packet

from tests.linux.kit import MS, Lab, dropped, ip, router, to_host
from vnet.base.ids import ip_from_text
from vnet.linux.netns import drops, ip_options

FAR = "10.0.2.1"
NEAR = "10.0.1.1"
ROUTER = "10.0.1.254"


def record(n_slots: int, *written: str) -> IPOption_RR:
    routers = [*written, *(n_slots - len(written)) * ["0.0.0.0"]]
    return IPOption_RR(pointer=4 + 4 * len(written), routers=routers)


def routed(option: Packet, target: str = FAR, **fields: int) -> tuple[list[IP], list[IP], Lab]:
    """What comes out behind a router, and before it, of an echo request with ``option``."""
    lab = Lab()
    _machine, probe, far = router(lab)
    probe.send(to_host(probe, ip(NEAR, target, options=[option], **fields) / ICMP(id=1)))
    lab.run(MS)
    return [p[IP] for p in far.of(ICMP)], [p[IP] for p in probe.of(IP)], lab


def test_a_router_records_the_address_of_the_way_out() -> None:
    (there,), _, _ = routed(record(3))
    option = there.options[0]
    assert (option.pointer, option.routers[0]) == (8, "10.0.2.254")
    assert IP(bytes(there)).chksum == IP(bytes(IP(bytes(there), chksum=None))).chksum


def test_a_full_record_goes_on_as_it_is() -> None:
    (there,), _, _ = routed(record(1, "9.9.9.9"))
    assert there.options[0].routers == ["9.9.9.9"]


def test_an_answer_goes_on_with_the_record() -> None:
    _, (reply,), _ = routed(record(3), target=ROUTER)
    assert reply.options[0].routers == [ROUTER, ROUTER, "0.0.0.0"]
    assert reply.options[0].pointer == 12


def test_an_error_goes_on_with_the_record_and_quotes_it() -> None:
    _, (error,), _ = routed(record(3), ttl=1)
    assert error[ICMP].type == 11
    assert error.options[0].routers == [ROUTER, ROUTER, "0.0.0.0"]
    assert error[IPerror].options[0].routers == [ROUTER, "0.0.0.0", "0.0.0.0"]


def test_who_finds_no_room_for_the_time_is_counted() -> None:
    (there,), _, _ = routed(IPOption_Timestamp(flg=0, length=8, pointer=9, timestamp=5))
    assert (there.options[0].oflw, there.options[0].timestamp) == (1, 5)


def test_the_time_is_written_in_milliseconds_of_the_day() -> None:
    lab = Lab()
    _machine, probe, far = router(lab)
    lab.run(1234 * MS)
    option = IPOption_Timestamp(flg=0, length=8, pointer=5, timestamp=0)
    probe.send(to_host(probe, ip(NEAR, FAR, options=[option]) / ICMP()))
    lab.run(MS)
    (there,) = far.of(ICMP)
    assert there[IP].options[0].timestamp == lab.scheduler.now_ns // MS - 1


def test_a_packet_with_its_own_route_is_dropped() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    route = IPOption_LSRR(routers=["10.0.2.254"])
    probe.send(to_host(probe, ip(NEAR, FAR, options=[route]) / UDP()))
    assert dropped(machine, drops.SOURCE_ROUTED) == 1
    assert far.of(UDP) == probe.of(IP) == []


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        (b"\x01\x07\x01\x00", 21),
        (b"\x07\x03\x03\x00", 22),
        (b"\x07\x06\x04\x00\x00\x00\x00\x00", 22),
        (b"\x44\x03\x05\x00", 21),
        (b"\x94\x03\x00\x00", 21),
        (b"\x07\x07\x08" + bytes(4) + b"\x07\x07\x08" + bytes(6), 27),
    ],
)
def test_a_bad_option_is_pointed_at(options: bytes, pointer: int) -> None:
    lab = Lab()
    machine, probe, _far = router(lab)
    head = ip(NEAR, FAR, ihl=5 + len(options) // 4)
    head.len = 20 + len(options) + 8
    frame = bytes(to_host(probe, head) / UDP())
    frame = frame[:34] + options + frame[34:]
    probe.send(with_checksum(frame, len(options)))
    (error,) = probe.of(IPerror)
    assert (error[ICMP].type, error[ICMP].code, error[ICMP].ptr) == (12, 0, pointer)
    assert dropped(machine, drops.OPTION_MALFORMED) == 1


def with_checksum(frame: bytes, options_bytes: int) -> bytes:
    end = 34 + options_bytes
    header = IP(frame[14:end])
    del header.chksum
    return frame[:14] + bytes(header)[: end - 14] + frame[end:]


class Values:
    def address(self) -> bytes:
        return ip_from_text(ROUTER)

    def is_foreign(self, ip: bytes) -> bool:
        return ip != self.address()

    def clock_ms(self) -> int:
        return 7


def test_what_stands_behind_the_end_is_blanked() -> None:
    assert ip_options.receive(b"\x01\x00ab", Values()).options == b"\x01\x00\x00\x00"


def test_an_address_that_is_asked_for_the_time_gives_it_and_others_do_not() -> None:
    for asked, pointer in ((ROUTER, 13), (FAR, 5)):
        option = bytes((68, 12, 5, 3)) + ip_from_text(asked) + bytes(4)
        received = ip_options.receive(option, Values())
        assert received.options[2] == pointer
        assert received.options[8:] == (7 if asked == ROUTER else 0).to_bytes(4, "big")


def test_a_timestamp_without_room_for_a_whole_answer_gets_none() -> None:
    option = bytes((68, 12, 9, 1)) + bytes(8)
    assert ip_options.receive(option, Values()).fault_at == 22
    option = bytes((68, 12, 6, 0)) + bytes(8)
    assert ip_options.echoed(option, ip_from_text(ROUTER), Values()) is not None
    option = bytes((7, 8, 6)) + bytes(5)
    assert ip_options.echoed(option, ip_from_text(ROUTER), Values()) is None


def test_no_operations_are_left_out_of_an_answer() -> None:
    options = bytes(IPOption_NOP()) + bytes(record(1, FAR))
    answer = ip_options.echoed(options, ip_from_text(ROUTER), Values())
    assert answer == bytes(record(1, FAR)) + b"\0"
