"""What Wireshark thinks of every capture that the shipped topologies write."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from vnet import Lab
from vnet.lab.shipped import shipped

pytestmark = pytest.mark.tshark

GOLDEN = Path(__file__).parent.parent / "pcaps" / "golden"
CaptureOf = Callable[[str], Path]

CHECKSUMS = [f"-o{protocol}.check_checksum:TRUE" for protocol in ("ip", "udp", "tcp")]
FAULTS = (
    "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || "
    "tcp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || "
    "igmp.checksum.status == 0 || _ws.expert.severity == error"
)


def tshark(path: Path, *arguments: str) -> list[str]:
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    done = subprocess.run(
        [program, "-r", str(path), *CHECKSUMS, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> CaptureOf:
    """The capture of a shipped topology: the one that is kept, or else of a run."""
    written: dict[str, Path] = {}

    def capture(name: str) -> Path:
        kept = GOLDEN / name / f"{name}.pcapng"
        if kept.exists():
            return kept
        if name not in written:
            folder = tmp_path_factory.mktemp(name)
            with Lab.load(f"@{name}", pcap_dir=folder) as lab:
                lab.run()
            written[name] = folder / f"{lab.name}.pcapng"
        return written[name]

    return capture


def frames_matching(path: Path, *filters: str) -> list[int]:
    """How many frames each filter finds, all of them in one run of tshark."""
    *_, row, _end = tshark(path, "-q", "-z", ",".join(["io,stat,0", *filters]))
    return [int(count) for count in row.strip("| ").split("|")[1::2]]


@pytest.mark.parametrize(
    "name",
    [
        # A large topology is run for it, which takes a few seconds.
        name if (GOLDEN / name).is_dir() else pytest.param(name, marks=pytest.mark.slow)
        for name in sorted(shipped())
    ],
)
def test_nothing_is_malformed_and_every_checksum_holds(captures: CaptureOf, name: str) -> None:
    # Without a controller, questions for addresses are all that there is.
    traffic = "arp" if name == "controlled-switches" else "icmp || icmpv6 || tcp"
    faults, seen = frames_matching(captures(name), FAULTS, traffic)
    assert faults == 0, tshark(captures(name), "-Y", FAULTS)
    assert seen, "there should be traffic in it"


def test_a_wrong_checksum_would_be_found(captures: CaptureOf, tmp_path: Path) -> None:
    data = bytearray(captures("two-hosts").read_bytes())
    data[data.index(b"\x08\x00\x45") + 10] ^= 1  # an IPv4 header's TTL
    (tmp_path / "wrong.pcapng").write_bytes(data)
    faults, _ = frames_matching(tmp_path / "wrong.pcapng", FAULTS, "icmp")
    assert faults == 1


def test_points_are_interfaces_with_names_and_directions(captures: CaptureOf) -> None:
    fields = ("-T", "fields", "-e", "frame.interface_name", "-e", "frame.packet_flags_direction")
    seen = set(tshark(captures("two-hosts"), "-Y", "eth", *fields))
    points = ("vm1:eth0", "h1:vif1.0", "h1:peth0", "h2:peth0", "vm2:eth0")
    assert seen == {f"{point}\t{way}" for point in points for way in ("0x00000001", "0x00000002")}


def test_rtnetlink_is_dissected_beside_the_frames(captures: CaptureOf) -> None:
    shown = tshark(captures("two-hosts"), "-Y", "netlink-route", "-V")
    text = "\n".join(shown)
    for expected in (
        "Device name: peth0",
        "Device name: xenbr0",
        "Local address: 192.0.2.1",
        "Delete IP address",
    ):
        assert expected in text
    assert tshark(captures("two-hosts"), "-Y", "netlink-route && _ws.malformed") == []


def test_a_frame_keeps_its_time_to_the_nanosecond(captures: CaptureOf) -> None:
    times = tshark(captures("two-hosts"), "-Y", "icmp", "-T", "fields", "-e", "frame.time_epoch")
    assert times[0] == "1735689601.002000672"
