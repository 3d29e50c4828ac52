"""What a test leaves behind, and where."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.testing.report import captured, frames, section
from vnet.testing.plugin import tame

Run = Callable[..., pytest.RunResult]

pytestmark = pytest.mark.usefixtures("narrow")

ONE_OF_EACH = """
    def test_passes(vnet_lab):
        vnet_lab("@two-vms").advance("1s")

    def test_fails(vnet_lab):
        vnet_lab("@two-vms").advance("1s")
        raise ValueError
"""


def captures_below(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix in (".pcapng", ".pcap", ".json"))


def test_a_test_that_passes_leaves_nothing(pytester: pytest.Pytester, inner_pytest: Run) -> None:
    pytester.makepyfile(ONE_OF_EACH)
    base = pytester.path / "base"
    result = inner_pytest(f"--basetemp={base}")
    folder = base / "test_fails0" / "vnet" / "two-vms"
    assert captures_below(base) == [folder / "run.json", folder / "two-vms.pcapng"]
    assert captured(section(result)) == folder / "two-vms.pcapng"
    assert not (base / "test_passes0" / "vnet").exists()


def test_captures_can_be_kept_in_a_folder_of_choice(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile(test_it=ONE_OF_EACH)
    result = inner_pytest("--vnet-pcap-dir=out")
    folder = pytester.path / "out" / "test_it.py-test_fails" / "two-vms"
    assert captures_below(pytester.path / "out") == [folder / "run.json", folder / "two-vms.pcapng"]
    assert captured(section(result)) == folder / "two-vms.pcapng"
    inner_pytest("--vnet-pcap-dir=out", "--vnet-keep")
    passed = pytester.path / "out" / "test_it.py-test_passes" / "two-vms"
    assert (passed / "two-vms.pcapng").exists()


def test_what_an_earlier_failure_left_goes_when_the_test_passes_and_nothing_else_does(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    test = """
        def test_it(vnet_lab):
            {}
    """
    out = pytester.path / "out"
    pytester.makepyfile(
        test_it=test.format('vnet_lab("narrow.yaml", split=True); raise ValueError')
    )
    inner_pytest("--vnet-pcap-dir=out")
    assert len(captures_below(out)) == 3
    note = out / "test_it.py-test_it" / "narrow" / "notes.txt"
    note.write_text("mine")
    pytester.makepyfile(test_it=test.format('vnet_lab("@two-vms")'))
    inner_pytest("--vnet-pcap-dir=out").assert_outcomes(passed=1)
    assert captures_below(out) == []
    assert note.read_text() == "mine"
    assert not (out / "test_it.py-test_it" / "two-vms").exists()


def test_a_folder_that_the_test_chose_itself_is_not_touched(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile("""
        def test_it(vnet_lab):
            vnet_lab("@two-vms", pcap_dir="mine")
    """)
    inner_pytest().assert_outcomes(passed=1)
    assert (pytester.path / "mine" / "two-vms.pcapng").exists()


def test_a_full_disk_does_not_hide_the_report(pytester: pytest.Pytester, inner_pytest: Run) -> None:
    pytester.makepyfile("""
        def test_it(vnet_lab):
            from vnet.base.errors import StorageError

            def full():
                raise StorageError("cannot write x: No space left on device")

            lab = vnet_lab("@two-vms")
            lab._captures.recorder.writer.flush = full
            lab.vm("vm1").vnic().send(bytes(60))
            raise ValueError
    """)
    result = inner_pytest()
    result.assert_outcomes(failed=1, errors=1)
    assert section(result, 0) == [
        "the capture is not complete: cannot write x: No space left on device"
    ]
    assert section(result, 1)[0].startswith("lab two-vms")


def test_a_disk_that_is_full_at_the_end_fails_the_test_with_one_message(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile("""
        def test_it(vnet_lab, tmp_path):
            lab = vnet_lab("@two-vms", pcap_dir=tmp_path / "there")
            (tmp_path / "there").rename(tmp_path / "gone")
            other = vnet_lab("@two-vms")
            other.vm("vm1").ping("vm2", count=1)
    """)
    result = inner_pytest()
    result.assert_outcomes(passed=1, errors=1)
    shown = result.stdout.str()
    assert "/there/two-vms.pcapng was removed while the lab ran" in shown
    assert "plugin.py" not in shown
    assert len(frames(captured(section(result, 1)))) > 4


@pytest.mark.parametrize(
    ("nodeid", "name"),
    [
        ("tests/lab/test_a.py::test_b", "tests-lab-test_a.py-test_b"),
        ("test_a.py::TestIt::test_b[seed=1-x]", "test_a.py-TestIt-test_b-seed=1-x"),
    ],
)
def test_the_name_of_a_test_is_that_of_its_folder(nodeid: str, name: str) -> None:
    assert tame(nodeid) == name


def test_wild_names_are_tamed_and_stay_different() -> None:
    wild = [
        "t.py::t[a b]",
        "t.py::t[a/../b]",
        "t.py::t[a\\b]",
        "t.py::t[ä:*?]",
        "t.py::t[" + "x" * 300,
    ]
    names = [tame(nodeid) for nodeid in wild]
    assert len(set(names)) == len(wild)
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.=-]*", name)
        assert len(name) < 140
