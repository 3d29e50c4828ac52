"""What a lab writes: the same frames in memory and in every kind of file, complete and legible."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, Ether
from scapy.layers.l2 import LLC, Dot3
from scapy.packet import Raw

from vnet.lab.lab import Lab
from vnet.wire.pcap import read_pcap
from vnet.wire.pcapng import LINK_NETLINK, read_pcapng

MS = 1_000_000
S = 1_000 * MS
LabWith = Callable[..., Lab]
PING = "  - {at: 1s, ping: {from: vm1, to: vm2, count: 3}, expect: {received: 3}}\n"
POINTS = ["vm1:eth0", "h1:peth0", "vm2:eth0", "h1:nlmon"]

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def heard(lab: Lab) -> dict[str, list[tuple[int, bytes]]]:
    return {
        name: [(int(p.time * S), bytes(p)) for p in packets]
        for name, packets in lab.captures.items()
    }


def written(path: Path) -> dict[str, list[tuple[int, bytes]]]:
    found: dict[str, list[tuple[int, bytes]]] = {}
    with path.open("rb") as stream:
        for packet in read_pcapng(stream, strict=True):
            found.setdefault(packet.interface.name, []).append((packet.time_ns, packet.data))
    return found


def tshark(path: Path, *options: str) -> list[str]:
    run = subprocess.run(
        ["tshark", "-r", str(path), *options], capture_output=True, text=True, check=True
    )
    return run.stdout.splitlines()


def test_files_hold_what_memory_would(lab_with: LabWith, tmp_path: Path) -> None:
    in_memory, in_file = lab_with(PING), lab_with(PING, pcap_dir=tmp_path)
    for lab in (in_memory, in_file):
        lab.run()
    expected = heard(in_memory)
    assert list(expected) == POINTS
    assert all(expected.values())
    assert heard(in_file) == expected  # read back from the file
    in_file.close()
    assert heard(in_file) == expected  # even when it is closed
    assert written(tmp_path / "small.pcapng") == expected
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.json", "small.pcapng"]


def test_captures_are_packets(lab_with: LabWith) -> None:
    lab = lab_with(PING)
    lab.run()
    packets = lab.captures["vm1:eth0"]
    assert [packet[ICMP].type for packet in packets if ICMP in packet] == [8, 0] * 3
    assert packets.listname == "vm1:eth0"
    assert {type(packet) for packet in packets} == {Ether}
    assert {type(packet) for packet in lab.captures["h1:nlmon"]} == {Raw}


def test_interfaces_say_what_they_are(lab_with: LabWith, tmp_path: Path) -> None:
    with lab_with(PING, pcap_dir=tmp_path) as lab:
        lab.run()
    with (tmp_path / "small.pcapng").open("rb") as stream:
        interfaces = {p.interface.name: p.interface for p in read_pcapng(stream)}
    assert interfaces["vm1:eth0"].description == "vnic eth0 of vm1"
    assert interfaces["vm1:eth0"].mac == bytes.fromhex(lab.vm("vm1").vnic(0).mac.replace(":", ""))
    assert interfaces["h1:peth0"].description == "nic peth0 of h1"
    assert interfaces["h1:nlmon"].link_type == LINK_NETLINK


def test_directions(lab_with: LabWith, tmp_path: Path) -> None:
    with lab_with(PING, pcap_dir=tmp_path) as lab:
        lab.run()
    own = lab.vm("vm1").vnic(0).interface.device.mac
    with (tmp_path / "small.pcapng").open("rb") as stream:
        for packet in read_pcapng(stream):
            if packet.interface.name == "vm1:eth0":
                assert packet.outbound is (packet.data[6:12] == own)


@pytest.mark.parametrize("form", ["pcapng", "pcap"])
def test_split_files(lab_with: LabWith, tmp_path: Path, form: str) -> None:
    expected = lab_with(PING)
    expected.run()
    with lab_with(PING, pcap_dir=tmp_path, split=True, pcap_format=form) as lab:
        report = lab.run()
        assert heard(lab) == heard(expected)
    names = [point.replace(":", ".") + "." + form for point in POINTS]
    assert report.files == names
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*names, "run.json"])
    for point, name in zip(POINTS, names, strict=True):
        if form == "pcapng":
            assert list(written(tmp_path / name).values()) == [heard(expected)[point]]
        else:
            with (tmp_path / name).open("rb") as stream:
                frames = [(p.time_ns, p.data) for p in read_pcap(stream)]
            assert frames == heard(expected)[point]


def test_pcap_always_splits(lab_with: LabWith, tmp_path: Path) -> None:
    with lab_with(PING, pcap_dir=tmp_path, pcap_format="pcap") as lab:
        lab.run()
    assert (tmp_path / "vm1.eth0.pcap").exists()


def test_a_dropped_frame_has_its_reason_as_a_comment(lab_with: LabWith, tmp_path: Path) -> None:
    with lab_with(pcap_dir=tmp_path) as lab:
        lab.vm("vm1").ping("10.0.0.2", count=1)
        lab.vm("vm1").vnic(0).send(Ether(dst=lab.vm("vm2").vnic(0).mac, type=0x88B5) / b"odd")
        lab.advance("1s")
        lab.network.links[0].set_up(False)
        lab.vm("vm1").vnic(0).send(IP(dst="10.0.0.2") / ICMP())
        lab.advance("1s")
    with (tmp_path / "small.pcapng").open("rb") as stream:
        comments = [(p.interface.name, p.comment) for p in read_pcapng(stream) if p.comment]
    assert comments[0] == (
        "vm2:eth0",
        "dropped: unknown-ethertype: no protocol here handles the frame's EtherType",
    )


def test_hellos_of_bridges_are_no_trouble_to_machines(lab_with: LabWith, tmp_path: Path) -> None:
    hello = Dot3(dst="ff:ff:ff:ff:ff:ff") / LLC(dsap=0x42, ssap=0x42, ctrl=3) / bytes(35)
    with lab_with(pcap_dir=tmp_path) as lab:
        lab.vm("vm1").vnic(0).send(hello)
        lab.advance("1s")
        drops = [(row.place, row.reason.word, row.frames) for row in lab.report().drops]
    assert ("vm2:eth0", "llc-without-listener", 1) in drops
    with (tmp_path / "small.pcapng").open("rb") as stream:
        assert not any(packet.comment for packet in read_pcapng(stream))


def test_run_json(lab_with: LabWith, tmp_path: Path) -> None:
    with lab_with(PING, pcap_dir=tmp_path) as lab:
        report = lab.run()
    content = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert content == json.loads(json.dumps(report.as_json()))
    assert (content["lab"], content["seed"], content["held"]) == ("small", 1, True)
    assert content["virtual_time"] == "3.002s"
    (step,) = content["steps"]
    assert (step["started"], step["ended"], step["expected"]) == ("1s", "3.002s", {"received": 3})
    assert [capture["point"] for capture in content["captures"]] == POINTS
    assert str(tmp_path) not in json.dumps(content)


def test_an_interrupted_run_leaves_complete_files(lab_with: LabWith, tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    lab = lab_with(PING, pcap_dir=tmp_path)
    lab.scheduler.at(2_500 * MS, interrupt)
    with pytest.raises(KeyboardInterrupt), lab:
        lab.run()
    frames = written(tmp_path / "small.pcapng")["vm1:eth0"]
    echoes = [data for _, data in frames if len(data) == 98]
    assert len(echoes) == 4  # two requests and their replies
    content = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert content["held"] is False
    assert content["steps"][0]["error"] == "not finished when the run ended"
    assert content["virtual_time"] == "2.5s"


def test_many_frames_are_written_in_batches_in_order(lab_with: LabWith, tmp_path: Path) -> None:
    lab = lab_with(pcap_dir=tmp_path)
    frame = bytes(Ether(dst=lab.vm("vm2").vnic(0).mac, type=0x88B5) / Raw(b"n" * 46))
    send = lab.vm("vm1").vnic(0).send
    for number in range(4_000):
        lab.scheduler.at(number * 1_000, send, frame)
    lab.advance("1s")
    assert len(lab._captures.recorder.records) < 10_000  # not all of it waits in memory
    lab.close()
    found = written(tmp_path / "small.pcapng")
    assert [len(found[p]) for p in ("vm1:eth0", "h1:peth0", "vm2:eth0")] >= [4_000] * 3
    for frames in found.values():
        assert [time_ns for time_ns, _ in frames] == sorted(time_ns for time_ns, _ in frames)


@pytest.mark.tshark
@needs_tshark
def test_wireshark_reads_the_netlink_messages(lab_with: LabWith, tmp_path: Path) -> None:
    with lab_with(PING, pcap_dir=tmp_path) as lab:
        lab.run()
    path = tmp_path / "small.pcapng"
    lines = tshark(path, "-Y", "netlink-route", "-V")
    assert sum("Linux rtnetlink" in line for line in lines) == len(lab.captures["h1:nlmon"])
    text = "\n".join(lines)
    for word in ("Create network interface", "Add IP address", "Add network route"):
        assert word.lower() in text.lower() or "Message type" in text, word
    assert "Device name: peth0" in text
    assert "Device name: vif1.0" in text
    assert not tshark(path, "-Y", "_ws.malformed")


@pytest.mark.slow
@pytest.mark.tshark
@needs_tshark
@pytest.mark.parametrize("form", ["pcapng", "pcap"])
def test_wireshark_finds_no_fault(lab_with: LabWith, tmp_path: Path, form: str) -> None:
    scenario = PING + (
        "  - {udp: {from: vm1, to: vm2, count: 2, size: 3000}, expect: {received: 2}}\n"
        "  - {ping: {from: vm1, to: '2001:db8::2', count: 1, size: 2000}, expect: {received: 1}}\n"
        "  - {udp: {from: vm2, to: '2001:db8::1', count: 2}, expect: {received: 2}}\n"
        "  - {arping: {from: vm1, to: 10.0.0.2}}\n"
        "  - {ping: {from: vm1, to: 10.0.0.99, count: 1}}\n"
    )
    with lab_with(scenario, pcap_dir=tmp_path, split=True, pcap_format=form) as lab:
        assert lab.run().held
    checks = [f"-o{p}.check_checksum:TRUE" for p in ("ip", "udp", "tcp")]
    fault = "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0"
    for path in sorted(tmp_path.glob(f"*.{form}")):
        assert tshark(path, *checks, "-Y", fault) == []
        assert tshark(path)
