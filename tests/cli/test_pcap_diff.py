"""``vnet pcap diff`` as a user types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from vnet.cli.main import main
from vnet.wire.pcap import PcapWriter
from vnet.wire.pcapng import PcapngWriter

GOLDEN = Path(__file__).parents[2] / "pcaps" / "golden" / "two-vms" / "two-vms.pcapng"

Diff = Callable[..., tuple[int, str, str]]


@pytest.fixture
def diff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Diff:
    """Runs ``vnet pcap diff ARGUMENTS`` where a.pcapng and b.pcapng are."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(GOLDEN, "a.pcapng")
    data = GOLDEN.read_bytes()
    at = data.index(bytes.fromhex("08004500")) + 10
    Path("b.pcapng").write_bytes(data[:at] + bytes([data[at] ^ 3]) + data[at + 1 :])

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["pcap", "diff", *arguments])
        shown = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, shown.out, shown.err

    return call


def test_equal_captures_say_nothing(diff: Diff) -> None:
    assert diff("a.pcapng", "a.pcapng") == (0, "", "")


def test_equal_captures_may_be_reported(diff: Diff) -> None:
    code, out, _err = diff("-s", "a.pcapng", "a.pcapng")
    assert (code, out) == (0, "frames at 2 points: 16 the same\n")


def test_a_difference_is_shown_with_both_places_and_the_field(diff: Diff) -> None:
    code, out, err = diff("a.pcapng", "b.pcapng")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[:2] == ["--- a.pcapng", "+++ b.pcapng"]
    assert [line for line in lines if line.startswith("!")] != []
    assert "      ip.ttl 64 != 67" in lines
    assert "      ip.checksum correct != wrong" in lines
    assert lines[-1] == "fields that differ: ip.checksum (1), ip.ttl (1)"


def test_json_has_all_of_it(diff: Diff) -> None:
    code, out, _err = diff("--json", "a.pcapng", "b.pcapng")
    found = json.loads(out)
    assert code == 1
    assert found["same"] is False
    assert found["fields"] == {"ip.checksum": 1, "ip.ttl": 1}
    (difference,) = [one for point in found["points"] for one in point["differences"]]
    assert difference["how"] == "changed"
    assert difference["first"]["number"] == difference["second"]["number"]


def test_what_is_skipped_is_no_difference(diff: Diff) -> None:
    code, out, _err = diff("--skip", "ip.ttl", "--skip", "*.checksum", "a.pcapng", "b.pcapng")
    assert (code, out) == (0, "")


def test_one_point_may_be_looked_at(diff: Diff) -> None:
    codes = {diff("--point", name, "a.pcapng", "b.pcapng")[0] for name in ("vm1:eth0", "vm2:eth0")}
    assert codes == {0, 1}


def test_a_folder_of_files_is_compared_with_one_file_of_interfaces(
    diff: Diff, tmp_path: Path
) -> None:
    frame = bytes(12) + b"\x88\xb5" + b"payload"
    (tmp_path / "split").mkdir()
    with (tmp_path / "whole.pcapng").open("wb") as whole:
        writer = PcapngWriter(whole, application="test")
        for name in ("vm1:eth0", "h1:br0"):
            with (tmp_path / "split" / f"{name.replace(':', '.')}.pcap").open("wb") as one:
                PcapWriter(one).write(5, frame)
            writer.write(writer.add_interface(name), 5, frame, None)
    assert diff("whole.pcapng", "split") == (0, "", "")


def test_a_point_that_only_one_has_is_a_difference(diff: Diff, tmp_path: Path) -> None:
    for folder, names in (("left", "ab"), ("right", "b")):
        (tmp_path / folder).mkdir()
        for name in names:
            with (tmp_path / folder / f"{name}.pcap").open("wb") as one:
                PcapWriter(one).write(5, bytes(20))
    (tmp_path / "right" / "c.pcap").write_bytes((tmp_path / "left" / "a.pcap").read_bytes())
    code, out, _err = diff("left", "right")
    assert code == 1
    assert "Only in left: a (1 frame)" in out
    assert "Only in right: c (1 frame)" in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it does not start with the magic number"),
        (b"not a capture at all", "it does not start with the magic number"),
        (GOLDEN.read_bytes()[:-7], "the file ends inside the pcapng block at offset"),
        (GOLDEN.read_bytes()[:300] + b"\xff" * 400, "offset"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(
    diff: Diff, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "bad.pcap").write_bytes(content)
    code, out, err = diff("a.pcapng", "bad.pcap")
    assert (code, out) == (2, "")
    assert err.startswith("bad.pcap cannot be compared: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.pcapng", "none.pcap"], "cannot read none.pcap: No such file or directory"),
        (["a.pcapng", "empty"], "there are no captures in the folder empty"),
        (["a.pcapng", "b.pcapng", "--ignore", "ip and and"], "--ignore"),
        (["a.pcapng", "b.pcapng", "--within", "soon"], "--within"),
        (["a.pcapng", "b.pcapng", "--point", "vm9:eth0"], "neither capture has the point"),
    ],
)
def test_trouble_is_2(diff: Diff, tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "empty").mkdir()
    code, out, err = diff(*arguments)
    assert (code, out) == (2, "")
    assert said in err
