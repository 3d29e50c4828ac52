"""The command line as a user types it: output, exit codes, files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.processes import PATIENCE_S, wait_until
from vnet.cli.main import main
from vnet.wire.pcapng import read_pcapng

ROOT = Path(__file__).parent.parent.parent

PAIR = """\
version: 1
name: pair
hosts:
  h1: {hypervisor: kvm, switches: {br0: {type: linux}}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br0}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24, switch: br0}]}
captures: ['vm1:eth0', 'h1:vnet1']
scenario:
  - {at: 1s, ping: {from: vm1, to: vm2, count: 3}, expect: {received: 3}}
"""


@pytest.fixture
def vnet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs ``vnet ARGUMENTS`` in an empty folder that holds ``pair.yaml``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pair.yaml").write_text(PAIR)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        shown = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return code, shown.out, shown.err

    return call


Vnet = Callable[..., tuple[int, str, str]]


def test_a_run_shows_its_steps_and_writes_its_captures(vnet: Vnet, tmp_path: Path) -> None:
    code, out, err = vnet("run", "pair.yaml")
    assert (code, err) == (0, "")
    assert "ping vm1 → vm2 ×3" in out
    assert "held" in out
    folder = tmp_path / "pcaps" / "pair"
    assert sorted(path.name for path in folder.iterdir()) == ["pair.pcapng", "run.json"]
    packets = list(read_pcapng((folder / "pair.pcapng").read_bytes()))
    assert {packet.interface.name for packet in packets} == {"vm1:eth0", "h1:vnet1"}


def test_an_expectation_that_fails_gives_1(vnet: Vnet, tmp_path: Path) -> None:
    (tmp_path / "pair.yaml").write_text(PAIR.replace("{received: 3}", "{received: 4}"))
    code, out, _err = vnet("run", "pair.yaml")
    assert code == 1
    assert "failed" in out
    assert "NOT all held" in out


def test_json_is_the_report_and_nothing_else(vnet: Vnet, tmp_path: Path) -> None:
    code, out, _err = vnet("run", "pair.yaml", "--json", "-v")
    assert code == 0
    report = json.loads(out)
    assert report["held"] is True
    assert report["steps"][0]["seen"]["received"] == 3
    assert json.loads((tmp_path / "pcaps/pair/run.json").read_text()) == report


WIRE = """\
version: 1
name: wire
hosts:
  h1: {nics: {eth0: {ip: 10.0.0.1/24}}}
  h2: {nics: {eth0: {ip: 10.0.0.2/24}}}
links: [{ends: ['h1:eth0', 'h2:eth0'], latency: 1ms%s}]
scenario:
  - {ping: {from: h1, to: h2, count: 1}, expect: {received: 1}}
"""


@pytest.mark.parametrize("impaired", [False, True])
def test_what_a_link_did_to_frames_is_in_its_table_where_it_did(
    vnet: Vnet, tmp_path: Path, impaired: bool
) -> None:
    (tmp_path / "wire.yaml").write_text(WIRE % (", duplicate: 100%" if impaired else ""))
    code, out, _err = vnet("run", "wire.yaml")
    assert code == 0
    lines = out.splitlines()
    (at,) = (number for number, line in enumerate(lines) if line.startswith("link "))
    columns = ["link", "frames", "bytes", "lost", *(["impaired"] if impaired else [])]
    assert lines[at].split() == columns
    there = lines[at + 1].split()[5:]
    assert there == (["-", "duplicated", "2"] if impaired else ["-"])


def test_a_storm_is_told_once_while_it_lasts(vnet: Vnet) -> None:
    code, out, err = vnet("run", "@broadcast-storm", "--json")
    assert code == 0
    assert err == (
        "note: since 2.005802s frames circle in the loop of s1, s2, s3; that takes long to run\n"
    )
    assert json.loads(out)["storms"]


def test_split_writes_a_file_for_each_point(vnet: Vnet, tmp_path: Path) -> None:
    assert vnet("run", "pair.yaml", "--split", "--pcap-dir", "out")[0] == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["h1.vnet1.pcapng", "run.json", "vm1.eth0.pcapng"]


def test_pcap_format_splits_by_itself(vnet: Vnet, tmp_path: Path) -> None:
    assert vnet("run", "pair.yaml", "--format", "pcap", "--pcap-dir", "out")[0] == 0
    assert (tmp_path / "out/vm1.eth0.pcap").read_bytes()[:4] == b"\x4d\x3c\xb2\xa1"


def test_until_stops_in_the_middle_and_says_so(vnet: Vnet) -> None:
    code, out, _err = vnet("run", "pair.yaml", "--until", "1500ms")
    assert code == 1
    assert "not finished when the run ended" in " ".join(out.split())


def test_another_seed_gives_other_bytes(vnet: Vnet, tmp_path: Path) -> None:
    for seed in ("1", "2"):
        assert vnet("run", "pair.yaml", "--seed", seed, "--pcap-dir", seed)[0] == 0
    one, two = ((tmp_path / seed / "pair.pcapng").read_bytes() for seed in ("1", "2"))
    assert one != two


def test_verbose_shows_the_start_of_the_hosts(vnet: Vnet) -> None:
    _code, out, _err = vnet("run", "@two-hosts", "-v")
    lines = out.splitlines()
    assert lines.index("h1: network-bridge: ip link set eth0 name peth0") < lines.index(
        "h1: network-bridge: brctl addif xenbr0 peth0"
    )


def test_check_says_ok_and_notes_islands(vnet: Vnet) -> None:
    code, out, _err = vnet("check", "pair.yaml")
    assert code == 0
    assert out.startswith("pair.yaml: ok: 1 host, 2 VMs")
    _code, out, _err = vnet("check", "@three-tenants")
    assert "islands that cannot reach each other" in out


def test_every_problem_of_a_file_is_named_with_its_place(vnet: Vnet, tmp_path: Path) -> None:
    bad = PAIR.replace("count: 3", "count: -3").replace(
        "switch: br0}]}\n  vm2", "swich: br0}]}\n  vm2"
    )
    (tmp_path / "pair.yaml").write_text(bad)
    code, out, err = vnet("run", "pair.yaml")
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert [line.split(":")[:2] for line in lines] == [["pair.yaml", "6"], ["pair.yaml", "10"]]
    assert "switch" in lines[0]
    assert not (tmp_path / "pcaps").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "nowhere.yaml"], 2, "nowhere.yaml"),
        (["run", "@nowhere"], 2, "no shipped topology @nowhere (there are @bond-lacp"),
        (["run", "pair.yaml", "--until", "3x"], 2, "'3x' is not a duration"),
        (["fly"], 2, "No such command 'fly'"),
        (["run"], 2, "Missing argument 'FILE'"),
        (["run", "pair.yaml", "--pcap-dir", "pair.yaml"], 3, "cannot write pair.yaml"),
        (["run", "pair.yaml", "--seed", "-1"], 2, "-1 is not in the range 0<=x<="),
        (["new", "pair"], 2, "pair.yaml exists already (choose another name)"),
        (["new", "../x"], 2, "cannot be a lab's name"),
        (["new", "x", "--from", "zero"], 2, "no shipped topology @zero"),
    ],
)
def test_mistakes_get_one_message_and_no_traceback(
    vnet: Vnet, arguments: list[str], code: int, said: str
) -> None:
    got, out, err = vnet(*arguments)
    assert got == code
    assert said in err
    assert "Traceback" not in out + err


def test_an_internal_failure_is_3_and_asks_for_a_report(
    vnet: Vnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst() -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("vnet.cli.doctor.examine", burst)
    code, _out, err = vnet("doctor")
    assert code == 3
    assert err.startswith("internal failure: ZeroDivisionError: on purpose\nplease report it")


def test_new_starts_a_file_that_runs(vnet: Vnet, tmp_path: Path) -> None:
    assert vnet("new", "mine")[0] == 0
    assert "name: mine" in (tmp_path / "mine.yaml").read_text()
    assert (tmp_path / "vnet.schema.json").exists()
    assert vnet("run", "mine.yaml")[0] == 0
    assert (tmp_path / "pcaps/mine/mine.pcapng").exists()


def test_topologies_lists_all_that_ship(vnet: Vnet) -> None:
    _code, out, _err = vnet("topologies")
    shipped = {path.stem for path in (ROOT / "topologies").glob("*.yaml")}
    assert {line.split()[0][1:] for line in out.splitlines()[1:]} == shipped


def test_schema_is_the_shipped_one(vnet: Vnet) -> None:
    _code, out, _err = vnet("schema")
    assert json.loads(out) == json.loads((ROOT / "topologies/vnet.schema.json").read_text())


def test_doctor_names_tshark_and_root(vnet: Vnet) -> None:
    code, out, _err = vnet("doctor")
    assert code == 0
    assert "tshark" in out
    assert "root" in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_vnet(vnet: Vnet, shell: str) -> None:
    code, out, _err = vnet("completion", shell)
    assert code == 0
    assert "_VNET_COMPLETE" in out


def test_version(vnet: Vnet) -> None:
    assert vnet("--version")[:2] == (0, "vnet, version 0.1.0\n")


def test_python_dash_m_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vnet", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "vnet, version 0.1.0\n"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_ctrl_c_ends_with_130_and_leaves_complete_files(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(
        PAIR.replace("count: 3", "count: 1000000").replace("{received: 3}", "{lost: 0}")
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "vnet", "run", "long.yaml"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # What shells start in the background ignores Ctrl-C, and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        capture = tmp_path / "pcaps/pair/pair.pcapng"
        wait_until(lambda: capture.exists() and capture.stat().st_size > 10_000)
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert len(list(read_pcapng(capture.read_bytes(), strict=True))) > 100
    report = json.loads((tmp_path / "pcaps/pair/run.json").read_text())
    assert report["steps"][0]["error"] == "not finished when the run ended"


@pytest.mark.slow
def test_a_reader_who_leaves_does_not_change_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "pair.yaml").write_text(PAIR)
    command = f"{sys.executable} -m vnet run pair.yaml -v | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_step_that_expects_nothing_is_done_and_tells_its_troubles(
    vnet: Vnet, tmp_path: Path
) -> None:
    scenario = "  - ping: {from: vm1, to: 10.9.9.9, count: 1}\n"
    (tmp_path / "pair.yaml").write_text(PAIR + scenario)
    code, out, _err = vnet("run", "pair.yaml")
    assert code == 0
    row = next(line for line in out.splitlines() if "10.9.9.9" in line)
    assert row.rstrip().endswith("done")
    assert "Network is unreachable" in out


def test_graph_prints_a_flowchart(vnet: Vnet) -> None:
    code, out, _err = vnet("graph", "pair.yaml")
    assert code == 0
    assert out.startswith("flowchart LR\n")
    assert '"vm2:eth0"' in out


def test_drops_lists_every_reason(vnet: Vnet) -> None:
    code, out, _ = vnet("drops")
    assert code == 0
    assert "no-neighbor" in out
    assert "routine" in out


def test_drops_explains_one(vnet: Vnet) -> None:
    code, out, _ = vnet("drops", "no-route")
    assert (code, out.splitlines()[0]) == (0, "no-route: no route leads to the destination")
    assert out.splitlines()[1].startswith("  cure: ")


def test_drops_with_an_unknown_word_suggests_one(vnet: Vnet) -> None:
    code, out, err = vnet("drops", "no-rout")
    assert (code, out) == (2, "")
    assert err == "there is no drop reason 'no-rout' (did you mean 'no-route'?)\n"


def test_drops_prints_the_reference_page(vnet: Vnet) -> None:
    code, out, _ = vnet("drops", "--markdown")
    assert code == 0
    assert out == (ROOT / "docs" / "drops.md").read_text(encoding="utf-8")
    code, _, err = vnet("drops", "no-route", "--markdown")
    assert (code, err.count("\n")) == (2, 1)


def test_graph_folds_templates_unless_told_not_to(vnet: Vnet) -> None:
    code, out, _err = vnet("graph", "@thousand-vms")
    assert code == 0
    assert '"vm* ×1000"' in out
    assert len(out.splitlines()) == 17
    code, out, _err = vnet("graph", "@thousand-vms", "--all")
    assert code == 0
    assert '"vm1000"' in out
    assert "×" not in out


def test_check_of_a_thousand_machines_is_a_line(vnet: Vnet) -> None:
    code, out, _err = vnet("check", "@thousand-vms")
    assert code == 0
    assert out.splitlines()[0].endswith(
        "ok: 20 hosts, 1000 VMs, 1 switch, 0 routers, 20 links, 22 captures, 5 steps"
    )
    assert len(out.splitlines()) == 1


def test_new_starts_from_a_template(vnet: Vnet) -> None:
    assert vnet("new", "mine", "--from", "thousand-vms")[0] == 0
    code, out, _err = vnet("check", "mine.yaml")
    assert (code, out[:25]) == (0, "mine.yaml: ok: 20 hosts, ")


IMPORTED = """
import sys
from vnet.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(*sys.modules)
"""


@pytest.mark.parametrize("command", ["run", "check", "graph", "shell", "up"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("@nosuch", "no shipped topology @nosuch"),
        ("nosuch.yaml", "nosuch.yaml:1:1: there is no such file"),
    ],
)
def test_a_mistyped_name_is_answered_before_a_lab_is_imported(
    command: str, name: str, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, command, name],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(said)
    heavy = {"pydantic", "scapy", "networkx", "rich", "vnet.lab.lab", "vnet.topology.load"}
    assert not heavy & set(done.stdout.split())
