"""What Wireshark's analysis says of our conversations, seen from one end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_captures_in_tshark import tshark
from vnet.lab.lab import Lab
from vnet.lab.report import Report

pytestmark = pytest.mark.tshark

LAB = """
version: 1
name: tcp
hosts:
  h1: {{hypervisor: kvm, nics: {{eth0: {{ip: 10.0.0.1/24}}}}}}
  h2: {{hypervisor: kvm, nics: {{eth0: {{ip: 10.0.0.2/24}}}}}}
links: [{{ends: ['h1:eth0', 'h2:eth0'], latency: 10ms, bandwidth: 100mbit, loss: {loss}}}]
captures: ['{point}:eth0']
scenario:
  - at: 1s
    iperf3: {{from: h1, to: h2, size: 400000}}
  - http: {{from: h2, to: h1, path: /file, size: 100000}}
"""
NOT_CLEAN = " || ".join(
    f"tcp.analysis.{flag}"
    for flag in (
        *("retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order"),
        *("lost_segment", "ack_lost_segment", "duplicate_ack", "zero_window", "window_full"),
    )
)

SENT_AGAIN = " || ".join(
    f"tcp.analysis.{flag}" for flag in ("retransmission", "fast_retransmission", "out_of_order")
)
"""What Wireshark calls them depends on how soon they come."""


def captured(folder: Path, *, loss: str, point: str = "h1") -> tuple[Path, Report]:
    with Lab.from_text(LAB.format(loss=loss, point=point), pcap_dir=folder) as lab:
        report = lab.run()
    return folder / "tcp.pcapng", report


@pytest.mark.parametrize("point", ["h1", "h2"])
def test_a_clean_link_has_nothing_to_analyse(tmp_path: Path, point: str) -> None:
    path, _report = captured(tmp_path, loss="0%", point=point)
    assert tshark(path, "-Y", NOT_CLEAN) == []
    assert len(tshark(path, "-Y", "tcp.len > 1000")) > 300


def test_what_was_lost_is_sent_again_and_nothing_else(tmp_path: Path) -> None:
    path, report = captured(tmp_path, loss="4%")
    fields = ("-T", "fields", "-e", "tcp.stream", "-e", "tcp.seq", "-e", "tcp.len")
    from_h1 = "ip.src == 10.0.0.1 && (tcp.len > 0 || tcp.flags.syn == 1)"
    lost = tshark(path, "-Y", f"frame.comment && {from_h1}", *fields)
    again = tshark(path, "-Y", f"({SENT_AGAIN}) && {from_h1}", *fields)
    assert len(lost) >= 5
    assert sorted(again) == sorted(lost)
    assert report.steps[0].seen["received_bytes"] == 400_000


def test_the_receiver_sees_the_holes(tmp_path: Path) -> None:
    path, _report = captured(tmp_path, loss="2%", point="h2")
    assert tshark(path, "-Y", "tcp.analysis.lost_segment && ip.src == 10.0.0.1")
    assert tshark(path, "-Y", "tcp.options.sack && ip.src == 10.0.0.2")
