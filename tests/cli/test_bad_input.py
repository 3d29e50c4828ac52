"""Bad input of every kind, through the command line: one exact message, and nothing changed.

The place that a message must name is marked with ``^`` in the text.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from vnet.cli.main import main

LAB = """\
version: 1
name: pair
hosts:
  h1: {nics: {eth0: {ip: 192.0.2.1/24}}, switches: {br0: }}
  h2: {nics: {eth0: }, switches: {br0: }}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24}]}
switches: {sw1: {ports: 2}}
"""
"""A sound beginning; sections that it lacks follow."""

CABLE = "links: [{ends: ['h1:eth0', 'h2:eth0']%s}]"
CARD = "routers: {r1: {nics: {eth0: {%s}}}}"

TEXTS = {
    "unknown key": ("^vmz: {}", "unknown key 'vmz' (did you mean 'vms'?)"),
    "unknown key of a switch": (
        "routers: {r1: {^stp: true}}",
        "unknown key 'stp' (known here: gateway, routes, rules, vlans, dns, iptables, ip6tables, "
        "sysctls, count, nics)",
    ),
    "missing key": ("links: [^{latency: 1ms}]", "missing key 'ends'"),
    "wrong type": ("links: [^3]", "an entry of links wants a map, not the number 3"),
    "wrong type of a number": (
        "seed: ^one",
        "seed wants a whole number, not the text 'one'",
    ),
    "bad unit": (
        CABLE % ", latency: ^1 parsec",
        "'1 parsec' is not a duration (write a number and one of ns, us, ms, s, m, min, h)",
    ),
    "no unit": (CABLE % ", latency: ^10", "10 has no unit (for example 10ms)"),
    "bad MAC": (
        CARD % "mac: ^52:54:00",
        "'52:54:00' is not a MAC address (for example 52:54:00:12:34:56)",
    ),
    "bad IP": (CARD % "ip: ^10.0.0.256/24", "'10.0.0.256/24' is not an IP address"),
    "bad prefix": (
        CARD % "ip: ^10.0.0.1/33",
        "'10.0.0.1/33' has a bad prefix length (a number from 0 to 32)",
    ),
    "no prefix": (
        CARD % "ip: ^10.0.0.1",
        "'10.0.0.1' has no prefix length (for example 10.0.0.1/24)",
    ),
    "duplicate name": (
        "routers: {^vm1: {}}",
        "the name 'vm1' is used twice (vms has it in line 7)",
    ),
    "duplicate MAC in one segment": (
        "routers:\n  r1: {nics: {e: {mac: '52:54:00:00:00:01'}}}\n"
        "  r2: {nics: {e: {mac: ^'52:54:00:00:00:01'}}}\n"
        "links: [{ends: ['r1:e', 'sw1:p1']}, {ends: ['r2:e', 'sw1:p2']}]",
        "MAC '52:54:00:00:00:01' of r2:e is also that of r1:e (they are in one segment)",
    ),
    "duplicate IP in one segment": (
        "routers:\n  r1: {nics: {e: {ip: 10.9.0.1/24}}}\n"
        "  r2: {nics: {e: {ip: ^10.9.0.1/24}}}\n"
        "links: [{ends: ['r1:e', 'sw1:p1']}, {ends: ['r2:e', 'sw1:p2']}]",
        "address '10.9.0.1' of r2:e is also that of r1:e (they are in one segment)",
    ),
    "link to nothing": (
        "links: [{ends: ['h1:eth0', ^'h3:eth0']}]",
        "there is no node 'h3' (there are: h1, h2, vm1, vm2, sw1)",
    ),
    "link to no card": (
        "links: [{ends: ['h1:eth0', ^'h2:eth1']}]",
        "h2 has no card 'eth1' (it has: eth0)",
    ),
    "two links on one NIC": (
        "links:\n- {ends: ['h1:eth0', 'h2:eth0']}\n- {ends: [^'h1:eth0', 'sw1:p1']}",
        "h1:eth0 has a link already (in line 11; put a switch between them)",
    ),
    "capture of nothing": (
        "captures: [^'vm3:eth0']",
        "there is no node 'vm3' (did you mean 'vm2'?)",
    ),
    "expectation on nothing": (
        "scenario: [{ping: {from: vm1, to: vm2}, expect: {^recieved: 3}}]",
        "ping does not report 'recieved' (did you mean 'received'?)",
    ),
    "negative number": ("seed: ^-1", "seed is negative: -1 (at least 0)"),
    "negative time": (
        "scenario: [{at: ^-1s, wait: 1s}]",
        "'-1s' is negative (for example 10ms)",
    ),
    "absurd number": (
        f"seed: ^{'9' * 50}",
        "a number of 50 characters (that is absurd)",
    ),
    "absurd time": ("scenario: [{wait: ^99999999h}]", "'99999999h' is more than a year"),
    "count of 10 million": (
        "scenario: [{ping: {from: vm1, to: vm2, count: ^10000000}}]",
        "count is too large: 10000000 (at most 1000000)",
    ),
    "packet that cannot be built": (
        "scenario:\n  - send:\n      packet: ^Ether()/Ether()/('x' * 65535)\n      from: vm1",
        "packet \"Ether()/Ether()/('x' * 65535)\" is 65563 bytes long (64 KiB is the limit of IP)",
    ),
    "YAML syntax error": (
        "captures: [x^",
        "not YAML: expected ',' or ']', but got the end of the file "
        "(while parsing a flow sequence)",
    ),
    "duplicate keys": ("^name: again", "key 'name' is written twice (the first is in line 2)"),
    "tabs": (
        "routers:\n^\tr1: {}",
        "a tab stands where YAML wants spaces (indent with spaces)",
    ),
    "language tags": (
        "routers: ^!!python/object/apply:os.system [ls]",
        "tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed "
        "(a topology file is plain data)",
    ),
    "alias bomb": (
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 4))
        + "a4: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, ^*a3, *a3, *a3]\n",
        "alias '*a3' unfolds the file to more than 100000 values",
    ),
    "path separator in the lab's name": (
        "epoch: ^../../etc/passwd",
        "'../../etc/passwd' is not a time (for example 2025-01-01T00:00:00Z)",
    ),
    "path separator in a node's name": (
        "routers: {^../../r1: {}}",
        "'../../r1' is not a name (a letter or digit, then up to 62 letters, digits, "
        "'.', '_' or '-')",
    ),
    "terminal escape in a name": (
        'routers: {^"\\e[2Jr1": {}}',
        "'\\x1b[2Jr1' is not a name (a letter or digit, then up to 62 letters, digits, "
        "'.', '_' or '-')",
    ),
    "terminal escape in a capture": (
        'captures: [^"vm1:\\e[2J"]',
        "'vm1:\\x1b[2J' is not of the form node:device (for example h1:eth0)",
    ),
    "terminal escape as it is": (
        "epoch: ^\x1b[2J",
        "character U+001B is not allowed (a topology file is text)",
    ),
}

WHOLE_FILES = {
    "nesting of 5,000": (b"[" * 5_000, "1:33: more than 32 levels of nesting"),
    "not UTF-8": (
        "version: 1\nname: ä".encode("latin-1"),
        "2:7: byte 0xe4 is not UTF-8 (save the file as UTF-8 text)",
    ),
    "binary": (
        bytes(range(128)),
        "1:1: character U+0000 is not allowed (a topology file is text)",
    ),
    "empty": (b"", "1:1: the file is empty (it needs at least 'version: 1')"),
    "a list instead of a map": (
        b"- 1\n",
        "1:1: a topology is a map, not a list (it begins with 'version: 1')",
    ),
    "a scalar instead of a map": (
        b"3",
        "1:1: a topology is a map, not the number 3 (it begins with 'version: 1')",
    ),
    "another version": (
        b"version: 2\n",
        "1:10: version is 1, not the number 2 (this vnet reads version 1 only)",
    ),
    "lab name with path separators": (
        b"version: 1\nname: ../../etc\n",
        "2:7: '../../etc' is not a name (a letter or digit, then up to 62 letters, digits, "
        "'.', '_' or '-')",
    ),
    "flow that ovs-ofctl does not understand": (
        b"version: 1\nswitches:\n  s:\n    type: ovs\n    flows: |\n      arp,actions=nromal\n",
        "6:7: unknown action nromal",
    ),
    "flow that Open vSwitch refuses": (
        b"version: 1\nswitches: {s: {type: ovs, flows: ['actions=group:1']}}\n",
        "2:35: OFPBAC_BAD_OUT_GROUP (the switch refuses it)",
    ),
    "file of flows that is not there": (
        b"version: 1\nswitches: {s: {type: ovs, flows: {file: ../\xc3\xa4.txt}}}\n",
        "2:41: ../ä.txt: there is no such file",
    ),
    "count of 10 million VMs": (
        b"version: 1\nhosts: {h: }\nvms: {vm: {host: h, count: 10000000}}\n",
        "3:28: count is too large: 10000000 (at most 100000)",
    ),
}


def directory(path: Path) -> str:
    path.mkdir()
    return "this is a directory (name the file in it)"


def missing(path: Path) -> str:
    return "there is no such file"


def below_a_file(path: Path) -> str:
    path.parent.joinpath("file").write_text("")
    path.symlink_to("file/x")
    return "the file cannot be read: Not a directory"


def huge(path: Path) -> str:
    with path.open("wb") as stream:
        stream.truncate(100_000_000)
    return "the file is longer than 10 MB (many like machines are written with 'count')"


def fifo(path: Path) -> str:
    os.mkfifo(path)
    return "this is not a regular file (save the topology in a file)"


def endless_device(path: Path) -> str:
    path.symlink_to("/dev/zero")
    return "this is not a regular file (save the topology in a file)"


def unix_socket(path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)
    return "the file cannot be read: No such device or address"


def loop_of_links(path: Path) -> str:
    path.symlink_to(path.name)
    return "the file cannot be read: Too many levels of symbolic links"


FILES = {
    "directory": directory,
    "missing": missing,
    "unreadable": below_a_file,
    "a socket": unix_socket,
    "a loop of links": loop_of_links,
    "100 MB file": huge,
    "a FIFO": fifo,
    "/dev/zero": endless_device,
}

COMMANDS = ("check", "run")

Refused = Callable[..., str]


@pytest.fixture(params=COMMANDS)
def refused(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Refused:
    """Runs ``vnet COMMAND FILE``, which must refuse it; returns what that says.

    An earlier run's captures are in their folder, and must stay as they are.
    """
    monkeypatch.chdir(tmp_path)
    earlier = tmp_path / "pcaps" / "pair"
    earlier.mkdir(parents=True)
    for name in ("pair.pcapng", "vm1.eth0.pcap", "run.json"):
        (earlier / name).write_text(f"the {name} of an earlier run")

    def call(file: str) -> str:
        before = everything(tmp_path)
        with pytest.raises(SystemExit) as ended:
            main([request.param, file])
        assert ended.value.code == 2
        assert everything(tmp_path) == before
        out, err = capsys.readouterr()
        assert out == ""
        return err

    return call


def everything(folder: Path) -> dict[str, bytes | None]:
    """What is in a folder, with the content of regular files that are not huge."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        if path.is_file() and path.stat().st_size < 10**6
        else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize(("addition", "message"), TEXTS.values(), ids=TEXTS)
def test_a_fault_is_told_with_its_place(refused: Refused, addition: str, message: str) -> None:
    before, _, after = (LAB + addition).partition("^")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    Path("bad.yaml").write_text(before + after)
    assert refused("bad.yaml") == f"bad.yaml:{line}:{column}: {message}\n"


@pytest.mark.parametrize(("content", "message"), WHOLE_FILES.values(), ids=WHOLE_FILES)
def test_a_file_that_is_no_topology_is_refused(
    refused: Refused, content: bytes, message: str
) -> None:
    Path("bad.yaml").write_bytes(content)
    assert refused("bad.yaml") == f"bad.yaml:{message}\n"


def test_all_that_is_wrong_with_flows_is_told_at_once(refused: Refused) -> None:
    Path("flows.txt").write_text("ip,actions=drop\n\n  tcp,actions=nromal # two\ntable=x\n")
    Path("bad.yaml").write_text(
        LAB.replace(
            "switches: {br0: }}",
            "switches: {br0: {type: ovs, flows: {file: flows.txt}, "
            "groups: ['group_id=1'], ports: {vnet0: {tag: -1}}}}}",
            1,
        )
    )
    assert refused("bad.yaml").splitlines() == [
        "bad.yaml:4:105: must specify a type",
        "bad.yaml:4:141: constraint violation: -1 is not in the valid range 0 to 4095 (inclusive)",
        "flows.txt:3:3: unknown action nromal",
        "flows.txt:4:1: must specify an action",
    ]


@pytest.mark.skipif(os.name != "posix", reason="files as on POSIX")
@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_a_path_that_leads_to_no_file_is_refused(
    refused: Refused, tmp_path: Path, make: Callable[[Path], str]
) -> None:
    message = make(tmp_path / "bad.yaml")
    assert refused("bad.yaml") == f"bad.yaml:1:1: {message}\n"


def test_a_file_without_permission_is_refused(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")  # root may read everything

    monkeypatch.setattr("vnet.topology.reading.files._open_at_once", refuse)
    assert refused("bad.yaml") == "bad.yaml:1:1: the file cannot be read: Permission denied\n"


def test_the_name_of_a_file_is_shown_escaped(refused: Refused) -> None:
    name = "\x1b[31m[red]\n.yaml"
    shown = r"\x1b[31m[red]\n.yaml"
    assert refused(name) == f"{shown}:1:1: there is no such file\n"
    packet = "Ether()/Ether()/('x' * 65535)"
    Path(name).write_text(LAB + f"scenario: [{{send: {{from: vm1, packet: {packet}}}}}]\n")
    assert refused(name) == (
        f'{shown}:10:39: packet "{packet}" is 65563 bytes long (64 KiB is the limit of IP)\n'
    )
    assert refused("@\x1b[31m").startswith(r"no shipped topology @\x1b[31m (there are @")


# --- a sound file, and nowhere to write ---

SOUND = LAB + "captures: ['vm1:eth0']\nscenario: [{ping: {from: vm1, to: vm2, count: 1}}]\n"

FOLDERS = {
    "below a regular file": ("notes/out", "cannot write notes/out: Not a directory"),
    "a regular file": ("notes", "cannot write notes: File exists"),
    "a directory where the capture file should be": (
        "blocked",
        "cannot write blocked/pair.pcapng: Is a directory",
    ),
    "names in red": (
        "notes/\x1b[31m[red]\nx",
        r"cannot write notes/\x1b[31m[red]\nx: Not a directory",
    ),
    "a name that is too long": (
        "n" * 300,
        f"cannot write {'n' * 300}: File name too long",
    ),
    "disk full while writing": ("full", "cannot write full/pair.pcapng: No space left on device"),
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(("folder", "message"), FOLDERS.values(), ids=FOLDERS)
def test_captures_that_cannot_be_written_are_exit_code_3(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(SOUND)
    Path("notes").write_text("kept")
    Path("blocked/pair.pcapng").mkdir(parents=True)
    Path("blocked/run.json").write_text("an earlier run's")
    Path("full").mkdir()
    Path("full/pair.pcapng").symlink_to("/dev/full")
    before = everything(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["run", "good.yaml", "--pcap-dir", folder])
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err) == (
        3,
        "",
        f"{message} (choose another folder for captures)\n",
    )
    assert everything(tmp_path) == before
