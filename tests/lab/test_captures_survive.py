"""Captures outlive long runs, full disks, Ctrl-C and what happens to their folder."""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from vnet.base.errors import StorageError
from vnet.lab import capture
from vnet.lab.block_file import BlockFile
from vnet.lab.capture import BATCH_FRAMES, Recorder
from vnet.lab.capture_files import TemporaryFile, open_captures
from vnet.lab.lab import Lab
from vnet.topology.load import parse_topology
from vnet.wire.cut import whole_blocks_bytes
from vnet.wire.pcap import read_pcap
from vnet.wire.pcapng import read_pcapng

LabWith = Callable[..., Lab]
PING = "  - {at: 1s, ping: {from: vm1, to: vm2, count: 3}, expect: {received: 3}}\n"


def heard(lab: Lab) -> dict[str, list[bytes]]:
    return {name: [bytes(p) for p in packets] for name, packets in lab.captures.items()}


# --- long runs ---


def test_memory_stays_flat_however_many_frames_are_heard() -> None:
    recorder = Recorder(0)
    points = [recorder.add_point("vm1:eth0", "", None), recorder.add_point("vm2:eth0", "", None)]
    recorder.writer = TemporaryFile(recorder.points, "long")
    most = 0
    for number in range(50_000):
        points[number % 2].capture(number, number.to_bytes(4), bool(number % 3))
        most = max(most, len(recorder.records))
    assert most <= BATCH_FRAMES
    assert len(recorder.records) < 50_000
    told = list(recorder.heard())
    assert told == [(number % 2, number, number.to_bytes(4)) for number in range(50_000)]


def test_large_frames_do_not_wait_for_a_batch_to_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "BATCH_BYTES", 100_000)
    recorder = Recorder(0)
    point = recorder.add_point("vm1:eth0", "", None)
    recorder.writer = TemporaryFile(recorder.points, "large")
    for number in range(30):
        point.capture(number, bytes(9_000), True)
        assert sum(len(record[2]) for record in recorder.records) < 110_000
    assert len(list(recorder.heard())) == 30


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go; batches of ten frames."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(capture, "BATCH_FRAMES", 10)
    return tmp_path


def test_a_lab_without_a_folder_keeps_all_it_heard(
    lab_with: LabWith, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = lab_with(PING)
    lab.run()
    (folder,) = temporary.iterdir()
    assert folder.name.startswith("vnet-")
    assert len(lab._captures.recorder.records) <= 10
    monkeypatch.setattr(capture, "BATCH_FRAMES", 10_000)
    in_memory = lab_with(PING)
    in_memory.run()
    assert list(temporary.iterdir()) == [folder]  # a short run needs no file
    assert heard(lab) == heard(in_memory)
    lab.close()
    assert heard(lab) == heard(in_memory)
    del lab
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_without_room_for_temporary_files_the_message_says_what_to_do(
    lab_with: LabWith, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(temporary / "gone"))
    with pytest.raises(StorageError) as caught, lab_with(PING) as lab:
        lab.run()
    assert str(caught.value) == (
        "cannot make a temporary folder: No such file or directory "
        "(set TMPDIR to a folder with more space, or name a pcap dir)"
    )


# --- writes that end early ---


class Interrupted(FileIO):
    """A file in whose writing Ctrl-C is pressed, once, after so many bytes."""

    after_bytes: int | None = None

    def write(self, data: Any) -> int:
        if self.after_bytes is None:
            return super().write(data)
        super().write(bytes(data)[: self.after_bytes])
        self.after_bytes = None
        raise KeyboardInterrupt


def blocks(count: int) -> bytes:
    """Pcapng blocks of growing length; nobody asks what kind they are."""
    sizes = [12 + 4 * number for number in range(count)]
    words = [size.to_bytes(4, "little") for size in sizes]
    kind = b"\x05\0\0\0"
    return b"".join(
        kind + word + bytes(size - 12) + word for size, word in zip(sizes, words, strict=True)
    )


def test_a_write_that_is_interrupted_leaves_whole_blocks_and_goes_on(tmp_path: Path) -> None:
    data = blocks(5)
    for after_bytes in range(len(data) + 1):
        path = tmp_path / f"{after_bytes}.pcapng"
        file = BlockFile(path, whole_blocks_bytes)
        file.abandon()
        stream = file._stream = Interrupted(path, "ab")
        file.start(blocks(1))
        stream.after_bytes = after_bytes
        file.take(data)
        with pytest.raises(KeyboardInterrupt):
            file.flush()
        end = path.stat().st_size - 12
        assert end == whole_blocks_bytes(data, after_bytes)
        file.close()
        assert path.read_bytes() == blocks(1) + data


def test_an_interrupt_while_a_batch_is_written_loses_and_repeats_nothing(
    lab_with: LabWith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = lab_with(PING)
    expected.run()
    monkeypatch.setattr("vnet.lab.block_file.FileIO", Interrupted)
    lab = lab_with(PING, pcap_dir=tmp_path)
    Interrupted.after_bytes = 1001
    try:
        with pytest.raises(KeyboardInterrupt), lab:
            lab.run()
    finally:
        Interrupted.after_bytes = None
    found: dict[str, list[bytes]] = {}
    for packet in read_pcapng((tmp_path / "small.pcapng").read_bytes(), strict=True):
        found.setdefault(packet.interface.name, []).append(packet.data)
    assert found == heard(expected)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_a_storage_error(lab_with: LabWith, tmp_path: Path) -> None:
    (tmp_path / "small.pcapng").symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"cannot write .*small\.pcapng: No space left"):
        lab_with(PING, pcap_dir=tmp_path)


class Full(FileIO):
    """A file that may grow to 2,000 bytes where it holds everything, or netlink messages."""

    def write(self, data: Any) -> int:
        if Path(str(self.name)).stem not in ("small", "h1.nlmon"):
            return super().write(data)
        left_bytes = 2_000 - os.fstat(self.fileno()).st_size
        if left_bytes <= 0:
            raise OSError(28, "No space left on device")
        return super().write(bytes(data)[:left_bytes])


@pytest.mark.parametrize("form", ["pcapng", "pcap"])
def test_one_file_that_does_not_fit_keeps_the_others_whole(
    lab_with: LabWith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    expected = lab_with(PING)
    expected.run()
    monkeypatch.setattr("vnet.lab.block_file.FileIO", Full)
    lab = lab_with(PING, pcap_dir=tmp_path, split=True, pcap_format=form)
    with pytest.raises(StorageError, match=r"cannot write .*h1\.nlmon\.pcap.*: No space left"), lab:
        lab.run()
    read = read_pcapng if form == "pcapng" else read_pcap
    for point, frames in heard(expected).items():
        data = (tmp_path / f"{point.replace(':', '.')}.{form}").read_bytes()
        found = [packet.data for packet in read(data, strict=True)]
        assert found == frames[: len(found)]
        assert (point == "h1:nlmon") == (len(found) < len(frames))
    content = json.loads((tmp_path / "run.json").read_text())
    assert content["held"] is True  # the lab did all it should; only the disk did not


def test_a_disk_that_fills_up_while_the_lab_runs_ends_the_run(
    lab_with: LabWith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vnet.lab.block_file.FileIO", Full)
    monkeypatch.setattr(capture, "BATCH_FRAMES", 10)
    lab = lab_with(PING, pcap_dir=tmp_path)
    with pytest.raises(StorageError, match=r"cannot write .*small\.pcapng: No space left"), lab:
        lab.run()
    assert lab.now_ns < 3_000_000_000  # and not at the end of the scenario
    assert len(list(read_pcapng((tmp_path / "small.pcapng").read_bytes(), strict=True))) > 5
    content = json.loads((tmp_path / "run.json").read_text())
    assert content["steps"][0]["held"] is False


def test_a_file_that_refused_once_is_not_written_to_again(
    lab_with: LabWith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vnet.lab.block_file.FileIO", Full)
    lab = lab_with(PING, pcap_dir=tmp_path)
    with pytest.raises(StorageError, match="No space left"):
        lab.run()
    monkeypatch.setattr(Full, "write", FileIO.write)  # space has been made
    size = (tmp_path / "small.pcapng").stat().st_size
    lab.advance("1s")
    with pytest.raises(StorageError, match="No space left"):
        lab.close()
    assert (tmp_path / "small.pcapng").stat().st_size == size
    assert sum(len(frames) for frames in heard(lab).values()) > 10  # what did fit, and memory


# --- the folder ---


def test_a_folder_that_cannot_be_made(lab_with: LabWith, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(StorageError, match=r"cannot write .*/file/out: Not a directory"):
        lab_with(PING, pcap_dir=tmp_path / "file" / "out")
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("form", ["pcapng", "pcap"])
def test_captures_of_an_earlier_run_stay_when_the_new_ones_cannot_be_opened(
    lab_with: LabWith, tmp_path: Path, form: str
) -> None:
    with lab_with(PING, pcap_dir=tmp_path, split=True) as lab:
        lab.run()
    blocked = tmp_path / f"vm2.eth0.{form}"
    blocked.unlink(missing_ok=True)
    blocked.mkdir()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert len(before) == 5 - (form == "pcapng")
    with pytest.raises(StorageError, match=f"cannot write .*vm2.eth0.{form}: Is a directory"):
        lab_with(PING, pcap_dir=tmp_path, split=True, pcap_format=form)
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_the_report_of_an_earlier_run_does_not_stay_beside_new_captures(
    lab_with: LabWith, tmp_path: Path
) -> None:
    with lab_with(PING, pcap_dir=tmp_path) as lab:
        lab.run()
    assert (tmp_path / "run.json").exists()
    with lab_with(PING, pcap_dir=tmp_path):
        assert not (tmp_path / "run.json").exists()


def test_a_folder_that_vanishes_is_told(lab_with: LabWith, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    lab = lab_with(PING, pcap_dir=folder)
    lab.run("1s")
    shutil.rmtree(folder)
    lab.run()
    with pytest.raises(StorageError, match=r"small\.pcapng was removed while the lab ran"):
        lab.close()
    lab = lab_with(PING, pcap_dir=folder)
    shutil.rmtree(folder)
    folder.write_text("in its place")
    with pytest.raises(StorageError, match=r"small\.pcapng was removed while the lab ran"):
        lab.close()


def test_a_report_that_cannot_be_written_is_told(lab_with: LabWith, tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"cannot write .*run\.json: Is a directory"),
        lab_with(PING, pcap_dir=tmp_path),
    ):
        (tmp_path / "run.json").mkdir()
    assert [path.name for path in tmp_path.glob("*.unfinished")] == []
    list(read_pcapng((tmp_path / "small.pcapng").read_bytes(), strict=True))


def test_captures_that_were_exchanged_cannot_be_read(lab_with: LabWith, tmp_path: Path) -> None:
    with lab_with(PING, pcap_dir=tmp_path) as lab:
        lab.run()
    path = tmp_path / "small.pcapng"
    for other in (b"hello", b"\xff" * 100):
        path.write_bytes(other)
        with pytest.raises(StorageError, match=r"cannot read .*small\.pcapng: not a pcapng file"):
            lab.captures  # noqa: B018
    with lab_with(pcap_dir=tmp_path, split=True) as other_lab:
        other_lab.vm("vm1").ping("10.0.0.2", count=1)
    shutil.copy(tmp_path / "h1.peth0.pcapng", path)
    assert set(heard(lab)) == {"vm1:eth0", "h1:peth0", "vm2:eth0", "h1:nlmon"}


def test_times_that_pcap_cannot_hold_are_told(tmp_path: Path) -> None:
    text = (
        "version: 1\nepoch: 2150-01-01T00:00:00Z\nhosts: {h: {switches: {br0: }}}\n"
        "vms: {a: {host: h, vnics: [{ip: 10.0.0.1/24}]}}\ncaptures: ['a:eth0']\n"
        "scenario: [{arping: {from: a, to: 10.0.0.2}}]\n"
    )
    with (
        pytest.raises(StorageError, match=r"cannot write .*no time that a pcap file can hold"),
        Lab.from_text(text, pcap_dir=tmp_path, pcap_format="pcap") as lab,
    ):
        lab.run()


# --- names ---


def test_names_of_a_lab_made_in_python_are_made_tame(tmp_path: Path) -> None:
    recorder = Recorder(0)
    recorder.add_point("../\x1b[31m:eth0", "nic \x1b]0;x\x07", None)
    for split in (False, True):
        writer, names = open_captures(
            tmp_path / "out", "../../\x1b[2J", recorder.points, split=split, form="pcapng"
        )
        writer.take([(0, 1, b"frame", None, "dropped: \x1b[31m")])
        writer.flush()
        writer.close()
        (name,) = names
        assert name == ("---31m.eth0.pcapng" if split else "-..---2J.pcapng")
        data = (tmp_path / "out" / name).read_bytes()
        assert b"\x1b" not in data
        (packet,) = read_pcapng(data)
        assert packet.interface.name == r"../\x1b[31m:eth0"
        assert packet.interface.description == r"nic \x1b]0;x\x07"
        assert packet.comment == r"dropped: \x1b[31m"
        assert list(writer.read()) == [(0, 1, b"frame")]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_name_that_is_no_unicode_does_not_cost_the_report(tmp_path: Path) -> None:
    topology = replace(parse_topology("version: 1\nhosts: {h1: {}}"), name="a\ud800")
    Lab(topology, pcap_dir=tmp_path).close()
    assert json.loads((tmp_path / "run.json").read_text())["lab"] == "a\ud800"
