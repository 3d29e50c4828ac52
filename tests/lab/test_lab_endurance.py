"""A lab outlives what its users and its frames do to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from vnet import Lab, VnetError
from vnet.base.errors import RunawayError, StorageError, TopologyError
from vnet.sim import link
from vnet.tables import storm

LabWith = Callable[..., Lab]

LOOP = """\
version: 1
name: loop
hosts: {h1: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.1/24}}}}
switches: {s1: , s2: }
links:
  - {ends: ['h1:eth0', 's1:up']}
  - {ends: ['s1:a', 's2:a'] %s}
  - {ends: ['s1:b', 's2:b'] %s}
scenario: [{at: 1s, arping: {from: h1, to: 10.0.0.2}}]
"""


@pytest.mark.parametrize("keys", ["", ", latency: 1ms, reorder: 100%"])
def test_a_loop_in_which_no_time_passes_ends_with_a_name(
    monkeypatch: pytest.MonkeyPatch, keys: str
) -> None:
    monkeypatch.setattr(link, "MOST_FRAMES_PER_INSTANT", 1000)
    monkeypatch.setattr(storm, "MOST_COPIES_PER_INSTANT", 1_000_000)
    with Lab.from_text(LOOP % (keys, keys)) as lab:
        with pytest.raises(RunawayError, match=r"1001 frames crossed .* no time passed") as caught:
            lab.run()
        assert lab.now_ns == 1_000_000_000
        assert "(loops lead over s1:a--s2:a, s1:b--s2:b: break the loop, " in str(caught.value)


@pytest.mark.parametrize("kind", ["", "type: ovs"])
@pytest.mark.parametrize("third", ["", "  - {ends: ['s1:c', 's2:c']}\n"])
def test_a_storm_in_which_no_time_passes_ends_soon_and_names_its_cables(
    kind: str, third: str
) -> None:
    text = (LOOP % ("", "")).replace("{s1: , s2: }", f"{{s1: {{{kind}}}, s2: {{{kind}}}}}")
    text = text.replace("scenario:", f"{third}scenario:")
    with Lab.from_text(text) as lab:
        for _ in range(2):  # Asked to go on, it does not hang either.
            with pytest.raises(RunawayError) as caught:
                lab.run()
        assert re.match("[12]000 frames came back to s[12] and no time passed", caught.value.what)
        cables = "s1:a--s2:a, s1:b--s2:b" + (", s1:c--s2:c" if third else "")
        assert caught.value.hint.startswith(f"loops lead over {cables}: break the loop, or give ")
        assert sum(end.tx_frames for cable in lab.network.links for end in cable.ends) < 20_000


@pytest.mark.slow
def test_a_loop_that_spanning_tree_has_opened_carries_as_many_frames_as_it_is_given() -> None:
    """A ring of cables that take no time is sound while one of them is blocked."""
    rapid = "{type: ovs, rstp: true}"
    text = (LOOP % ("", "")).replace("{s1: , s2: }", f"{{s1: {rapid}, s2: {rapid}}}")
    with Lab.from_text(text) as lab:
        lab.run(until="9s")
        sender = lab.host("h1").vnic("eth0")
        for number in range(3000):
            sender.send(Ether(dst="ff:ff:ff:ff:ff:ff", type=0x88B5) / number.to_bytes(50, "big"))
        lab.advance(0)
        assert lab.network.links[0].ends[0].tx_frames > 3000
        assert lab.report().storms == []


def test_a_loop_that_takes_time_runs_as_long_as_asked() -> None:
    with Lab.from_text(LOOP % ("", ", latency: 1ms")) as lab:
        lab.run(until="1100ms")
        assert lab.now_ns == 1_100_000_000
        assert lab.network.links[2].ends[0].tx_frames > 50


MULTIPLYING = LOOP.replace("scenario:", "  - {ends: ['s1:c', 's2:c'] %s}\nscenario:")
"""Three cables between two switches: of each broadcast that arrives, two go back."""


def test_a_loop_that_multiplies_ends_with_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "MOST_FRAMES_IN_FLIGHT", 1000)
    monkeypatch.setattr(storm, "MOST_COPIES_PER_INSTANT", 1_000_000)
    with Lab.from_text(MULTIPLYING % ((", latency: 1ms",) * 3)) as lab:
        with pytest.raises(RunawayError, match=r"1000 frames are under way on s1:.--s2:. at once"):
            lab.run()
        assert 1_000_000_000 < lab.now_ns < 1_020_000_000


def test_of_a_storm_that_multiplies_a_switch_tells_soon() -> None:
    with Lab.from_text(MULTIPLYING % ((", latency: 1ms",) * 3)) as lab:
        with pytest.raises(RunawayError, match=r"1000 frames came back to s[12] at once") as caught:
            lab.run()
        cables = "s1:a--s2:a, s1:b--s2:b, s1:c--s2:c"
        hint = f"loops lead over {cables}: break the loop, or give its links a bandwidth"
        assert caught.value.hint == hint


def test_a_loop_that_multiplies_is_held_by_its_bandwidth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "MOST_FRAMES_IN_FLIGHT", 1000)
    with Lab.from_text(MULTIPLYING % ((", latency: 1ms, bandwidth: 10mbit, queue: 5",) * 3)) as lab:
        lab.run(until="1100ms")
        assert lab.now_ns == 1_100_000_000


@pytest.mark.parametrize("source", ["0.0.0.0", "8.8.8.8"])
def test_an_echo_server_leaves_unanswered_whom_it_cannot_reach(
    lab_with: LabWith, source: str
) -> None:
    with lab_with() as lab:
        server = lab.vm("vm2").serve_echo()
        lab.vm("vm1").vnic(0).send(
            Ether(dst="ff:ff:ff:ff:ff:ff")
            / IP(src=source, dst="255.255.255.255")
            / UDP(sport=9, dport=7)
        )
        lab.advance("1s")
        assert (server.received, server.unanswerable) == (1, 1)


def test_echo_servers_do_not_answer_each_other(lab_with: LabWith) -> None:
    with lab_with() as lab:
        servers = [lab.vm(name).serve_echo() for name in ("vm1", "vm2")]
        lab.vm("vm1").ping("10.0.0.2", count=1)
        lab.vm("vm1").vnic(0).send(IP(dst="10.0.0.2") / UDP(sport=7, dport=7))
        lab.advance("1s")
        assert [server.received for server in servers] == [0, 1]


def test_a_frame_of_one_byte_is_sent_captured_and_shown(lab_with: LabWith) -> None:
    with lab_with() as lab:
        lab.vm("vm1").vnic(0).send(b"\xff")
        lab.advance("1s")
        assert b"\xff" in [bytes(packet) for packet in lab.captures["vm1:eth0"]]
        assert bytes(lab.vm("vm1").vnic(0).sent[0]) == b"\xff"


@pytest.mark.parametrize(
    "options", [{"count": "3"}, {"count": 2.5}, {"count": True}, {"size": "1"}]
)
def test_a_figure_of_the_wrong_type_is_the_callers_mistake(
    lab_with: LabWith, options: dict[str, Any]
) -> None:
    with lab_with() as lab, pytest.raises(VnetError, match="a whole number"):
        lab.vm("vm1").ping("10.0.0.2", **options)


def test_captures_that_were_deleted_cannot_be_read(lab_with: LabWith, tmp_path: Path) -> None:
    lab = lab_with(pcap_dir=tmp_path)
    lab.vm("vm1").ping("10.0.0.2", count=1)
    (tmp_path / "small.pcapng").unlink()
    with pytest.raises(StorageError, match="cannot read"):
        lab.captures  # noqa: B018
    with pytest.raises(StorageError, match=r"small\.pcapng was removed while the lab ran"):
        lab.close()


def test_hosts_have_scapy_faces_too_one_for_each_device(lab_with: LabWith) -> None:
    with lab_with() as lab:
        face = lab.host("h1").vnic("eth0")
        assert lab.host("h1").vnic("eth0") is face
        reply = face.sr1(IP(dst="192.0.2.2") / UDP(dport=9), timeout=2)
        assert reply is not None
        assert reply.summary().startswith("IP / ICMP 192.0.2.2 > 192.0.2.1 dest-unreach")


def test_a_capture_point_that_is_not_there_is_named(lab_with: LabWith) -> None:
    with lab_with() as lab, pytest.raises(VnetError, match="no capture point vm9:eth0"):
        lab.captures["vm9:eth0"]


def test_a_packet_that_scapy_cannot_build_is_the_callers_mistake(lab_with: LabWith) -> None:
    with lab_with() as lab, pytest.raises(VnetError, match="cannot be built"):
        lab.vm("vm1").vnic(0).send(IP(dst="10.0.0.2", ttl=9999))


def test_what_a_scenario_cannot_send_is_told_before_it_runs(lab_with: LabWith) -> None:
    step = "  - send: {from: vm1, packet: 'IP(dst=\"10.0.0.2\", ttl=9999)'}"
    with pytest.raises(TopologyError, match=r"<text>:13:31: packet .* cannot be built: .*"):
        lab_with(step)


def test_a_load_wants_a_path() -> None:
    with pytest.raises(VnetError, match="None is not the path of a topology"):
        Lab.load(None)  # type: ignore[arg-type]


def test_captures_of_another_run_do_not_stay_beside_the_new_ones(
    lab_with: LabWith, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    for options in ({}, {"split": True}, {"pcap_format": "pcap"}, {}):
        with lab_with(pcap_dir=tmp_path, **options) as lab:
            lab.vm("vm1").ping("10.0.0.2", count=1)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["mine.txt", "run.json", "small.pcapng"]
