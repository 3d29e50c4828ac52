"""IGMP as Scapy builds it, where Scapy has it as a core layer (2.8 and later)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.base.ids import ip_from_text, ip_text
from vnet.base.units import NS_PER_S
from vnet.wire import igmp
from vnet.wire.igmp import Record

layers = pytest.importorskip("scapy.layers.igmp", reason="Scapy before 2.8 has no layers.igmp")

IP4 = st.binary(min_size=4, max_size=4)
RECORD = st.builds(Record, st.integers(0, 255), IP4, st.lists(IP4, max_size=4).map(tuple))

GROUP = ip_from_text("239.1.2.3")


@given(st.lists(RECORD, max_size=5).map(tuple))
def test_the_same_version_3_report(records: tuple[Record, ...]) -> None:
    groups = [
        layers.IGMPv3_MR_Group(
            rtype=record.type,
            maddr=ip_text(record.group),
            srcaddrs=[ip_text(source) for source in record.sources],
        )
        for record in records
    ]
    built = bytes(layers.IGMPv3_MR(records=groups))
    assert built == igmp.report_v3(records)
    assert igmp.parse_report(built) == records


@given(st.sampled_from((igmp.REPORT_V1, igmp.REPORT_V2, igmp.LEAVE)), IP4)
def test_the_same_version_2_message(kind: int, group: bytes) -> None:
    built = bytes(layers.IGMP(type=kind, mrcode=0, gaddr=ip_text(group)))
    assert built == igmp.message_v2(kind, group)


def test_queries_of_every_version_are_read() -> None:
    sources = ["10.0.0.9", "10.0.0.8"]
    built = bytes(layers.IGMPv3_MQ(mrcode=208, gaddr="239.1.2.3", srcaddrs=sources))
    read = tuple(ip_from_text(source) for source in sources)
    assert igmp.parse_query(built) == (3, 208 * NS_PER_S // 10, GROUP, read)
    built = bytes(layers.IGMP(type=igmp.QUERY, mrcode=5, gaddr="239.1.2.3"))
    assert igmp.parse_query(built) == (2, NS_PER_S // 2, GROUP, ())
