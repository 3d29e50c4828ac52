"""``vnet_lab`` and ``vnet_seeds``: which lab a test gets, and when it gets none."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
Run = Callable[..., pytest.RunResult]

pytestmark = pytest.mark.usefixtures("narrow")


# -- finding a topology


def test_a_file_is_looked_up_beside_the_test_and_then_below_the_root(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makefile(".ini", pytest="[pytest]")
    folder = pytester.mkdir("deep")
    mine = (pytester.path / "narrow.yaml").read_text(encoding="utf-8")
    (folder / "mine.yaml").write_text(mine.replace("narrow", "mine"), encoding="utf-8")
    pytester.makepyfile(
        **{
            "deep/test_it": """
        from pathlib import Path

        def test_both(vnet_lab):
            assert vnet_lab("narrow.yaml").name == "narrow"
            assert vnet_lab("mine.yaml").name == "mine"
            assert vnet_lab(Path(__file__).parent / "mine.yaml").name == "mine"

        def test_neither(vnet_lab):
            vnet_lab("yours.yaml")
    """
        }
    )
    result = inner_pytest("deep")
    result.assert_outcomes(passed=1, failed=1)
    places = [folder / "yours.yaml", pytester.path / "yours.yaml"]
    told = f"UsageError: there is no topology yours.yaml (looked for {places[0]} and {places[1]})"
    assert told in result.stdout.str()


def test_shipped_topologies_texts_options_and_several_labs_in_one_test(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile("""
        from pathlib import Path

        def test_them(vnet_lab, tmp_path):
            text = Path(__file__).with_name("narrow.yaml").read_text()
            one, two, three = vnet_lab("@two-vms"), vnet_lab(text=text), vnet_lab("narrow.yaml")
            assert one.vm("vm1").ping("vm2", count=1).received == 1
            assert two.vm("vm1").ping("vm2", count=1).received == 1
            assert one.capture_paths == [tmp_path / "vnet/two-vms/two-vms.pcapng"]
            assert two.capture_paths == [tmp_path / "vnet/narrow/narrow.pcapng"]
            assert three.capture_paths == [tmp_path / "vnet/narrow-2/narrow.pcapng"]

        def test_options(vnet_lab, tmp_path):
            lab = vnet_lab("@two-vms", seed=9, split=True, follow=False, pcap_dir=tmp_path / "x")
            assert lab.seed == 9
            assert len(lab.capture_paths) == 2
            assert lab.flight_recorder is None
            assert vnet_lab("@two-vms", pcap_dir=None).capture_paths == []
    """)
    inner_pytest().assert_outcomes(passed=2)


def test_the_labs_are_running_and_closed_when_the_test_is_over(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile("""
        import pytest
        from vnet import VnetError

        labs = []

        def test_one(vnet_lab):
            labs.append(vnet_lab("@two-vms"))
            labs[0].advance("1s")

        def test_two():
            with pytest.raises(VnetError, match="closed"):
                labs[0].advance("1s")
    """)
    inner_pytest().assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("topology", "points"),
    [
        ("vms: {vm: {host: h1, count: 70, vnics: [{ip: 10.0.0.1/24, switch: br0}]}}", 64),
        ("routers: {r1: {nics: {eth0: {ip: 10.0.0.1/24}, eth1: {ip: 10.0.1.1/24}}}}", 3),
        ("captures: ['h1:br0']", 1),
    ],
)
def test_the_cards_are_captured_where_the_topology_does_not_say(
    topology: str, points: int, pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    host = "hosts: {h1: {hypervisor: kvm, nics: {eth0: }, switches: {br0: {uplink: eth0}}}}"
    pytester.makefile(".yaml", it=f"version: 1\n{host}\n{topology}\n")
    pytester.makepyfile(f"""
        def test_it(vnet_lab):
            assert len(vnet_lab("it.yaml").captures) == {points}
    """)
    inner_pytest().assert_outcomes(passed=1)


# -- errors


def test_a_bad_file_shows_its_problems_at_the_line_of_the_test_and_nothing_of_vnet(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makefile(".yaml", bad="version: 1\nhost: {}\nvms: {vm1: {}}\n")
    pytester.makepyfile("""
        import pytest
        from vnet.base.errors import TopologyError

        def test_it(vnet_lab):
            vnet_lab("bad.yaml")

        @pytest.fixture
        def lab(vnet_lab):
            return vnet_lab("bad.yaml")

        def test_by_fixture(lab):
            pass

        def test_no_such_machine(vnet_lab):
            vnet_lab("narrow.yaml").vm("vm9")

        def test_one_may_expect_it(vnet_lab):
            with pytest.raises(TopologyError, match="unknown key 'host'"):
                vnet_lab("bad.yaml")
    """)
    result = inner_pytest()
    result.assert_outcomes(passed=1, failed=2, errors=1)
    lines = result.outlines
    (at,) = (number for number, line in enumerate(lines) if line == '>       vnet_lab("bad.yaml")')
    bad = pytester.path / "bad.yaml"
    assert lines[at + 1] == (
        f"E       vnet.base.errors.TopologyError: {bad}:2:1: unknown key 'host' "
        "(did you mean 'hosts'?)"
    )
    assert lines[at + 2] == f"E       {bad}:3:7: missing key 'host'"
    assert "UsageError: there is no VM vm9 (there are vm1, vm2)" in result.stdout.str()
    for inside in ("raise self.error()", "def vm(self", "factory.py", "load.py"):
        assert inside not in result.stdout.str()
    assert "raise self.error()" in inner_pytest("--full-trace").stdout.str()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("vnet_lab()", "UsageError: a lab needs one topology (say vnet_lab"),
        ("vnet_lab('@two-vms', text='')", "UsageError: a lab needs one topology (say vnet_lab"),
        ("vnet_lab(7)", "UsageError: 7 is not the path of a topology"),
        ("vnet_lab('@no')", "UsageError: no shipped topology @no (there are @"),
        ("vnet_lab('@two-vms', speed=9)", "unexpected keyword argument 'speed'"),
        ("vnet_lab('@two-vms', pcap_dir=__file__)", "StorageError: cannot "),
    ],
)
def test_a_call_that_cannot_be_is_told_in_one_message(
    call: str, told: str, pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile(f"def test_it(vnet_lab):\n    {call}")
    result = inner_pytest()
    result.assert_outcomes(failed=1)
    assert told in result.stdout.str()
    assert "factory.py" not in result.stdout.str()


# -- seeds


def test_a_marked_test_runs_once_for_each_seed_and_its_labs_take_it(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.vnet_seeds(1, 22)
        @pytest.mark.parametrize("name", ["a", "b"])
        def test_it(vnet_lab, vnet_seed, name):
            assert vnet_lab("@two-vms").seed == vnet_seed
            assert vnet_lab("@two-vms", seed=5).seed == 5

        @pytest.mark.vnet_seeds(3)
        class TestThem:
            def test_three(self, vnet_lab):
                assert vnet_lab("@two-vms").seed == 3

            @pytest.mark.vnet_seeds(4)
            def test_four(self, vnet_lab):
                assert vnet_lab("@two-vms").seed == 4

        def test_unmarked(vnet_lab, vnet_seed):
            assert vnet_seed is None
            assert vnet_lab(text="version: 1\\nseed: 8").seed == 8
    """)
    result = inner_pytest("-v")
    result.assert_outcomes(passed=7)
    shown = result.stdout.str()
    for number in ("seed=1", "seed=22"):
        assert any(f"test_it[{ids}]" in shown for ids in (f"a-{number}", f"{number}-a"))
    assert "test_three[seed=3]" in shown
    assert "test_four[seed=4]" in shown


@pytest.mark.parametrize(
    ("mark", "fixture", "told"),
    [
        ("vnet_seeds()", "vnet_lab", "there is no seed; write vnet_seeds(1, 2, 3)"),
        ("vnet_seeds('1')", "vnet_lab", "'1' is no seed; seeds are whole numbers from 0 to "),
        ("vnet_seeds([1, 2])", "vnet_lab", "[1, 2] is no seed; seeds are whole numbers from 0 "),
        ("vnet_seeds(True)", "vnet_lab", "True is no seed; seeds are whole numbers from 0 to "),
        ("vnet_seeds(1, -1)", "vnet_lab", "-1 is no seed; seeds are whole numbers from 0 to "),
        ("vnet_seeds(2**63)", "vnet_lab", "is no seed; seeds are whole numbers from 0 to "),
        ("vnet_seeds(1, 2, 1)", "vnet_lab", "the seed 1 is there twice"),
        ("vnet_seeds(1, count=2)", "vnet_lab", "seeds have no names, such as count; write vnet_"),
        ("vnet_seeds", "vnet_lab", "there is no seed; write vnet_seeds(1, 2, 3)"),
        ("vnet_seeds(1)", "tmp_path", "the test uses neither vnet_lab nor vnet_seed, so "),
    ],
)
def test_a_marker_that_cannot_be_obeyed_is_one_clear_error_of_collection(
    mark: str, fixture: str, told: str, pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile(
        test_it=f"""
        import pytest

        @pytest.mark.{mark}
        def test_it({fixture}):
            pass
        """
    )
    result = inner_pytest()
    result.assert_outcomes(errors=1)
    assert "test_it.py::test_it: vnet_seeds: " in result.stdout.str()
    assert told in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    assert "seeds.py" not in result.stdout.str()


def test_a_marker_on_a_single_parameter_is_refused(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.vnet_seeds(3))])
        def test_it(n, vnet_lab):
            pass
    """)
    result = inner_pytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*vnet_seeds marks a test, and not one of its parameters"])


def test_the_marker_is_listed(inner_pytest: Run) -> None:
    result = inner_pytest("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.vnet_seeds(seed, ...): run the test once for *"])


# -- the package


def test_the_entry_point_names_the_plug_in() -> None:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        (entry,) = tomllib.load(stream)["project"]["entry-points"]["pytest11"].items()
    assert entry == ("vnet", "vnet.testing.plugin")
    assert hasattr(importlib.import_module(entry[1]), "vnet_lab")


@pytest.mark.slow
def test_who_imports_vnet_before_pytest_is_not_warned(tmp_path: Path) -> None:
    """pytest wants to rewrite the packages that bring plug-ins, and says so if it is too late."""
    info = tmp_path / "vnet-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vnet\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[pytest11]\nvnet = vnet.testing.plugin\n")
    (info / "RECORD").write_text("vnet/__init__.py,,\nvnet/testing/plugin.py,,\n")
    (tmp_path / "test_it.py").write_text("def test_it(vnet_lab):\n    vnet_lab('@two-vms')\n")
    script = "import sys, vnet, pytest; sys.exit(pytest.main(['-q', '-Werror', 'test_it.py']))"
    paths = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": paths},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_run_without_labs_does_not_wait_for_the_house(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import sys

        def test_it():
            heavy = {"scapy", "networkx", "cmd2", "pyroute2", "pydantic", "ruamel", "rich"}
            assert not heavy & set(sys.modules)
    """)
    script = "import sys, pytest; sys.exit(pytest.main(['-p', 'vnet.testing.plugin', '-q']))"
    # Without other people's plug-ins, which import what they like.
    alone = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | alone,
        cwd=pytester.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
