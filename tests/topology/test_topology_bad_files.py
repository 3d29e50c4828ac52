"""Texts and files that are no topology at all: the exact message, at the exact place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vnet.base.errors import TopologyError
from vnet.topology.load import load_topology

WHOLE_FILES = {
    "empty": ("", "1:1: the file is empty (it needs at least 'version: 1')"),
    "only a comment": ("# hm\n", "1:1: the file is empty (it needs at least 'version: 1')"),
    "a list": ("- 1\n", "1:1: a topology is a map, not a list (it begins with 'version: 1')"),
    "a scalar": ("3", "1:1: a topology is a map, not the number 3 (it begins with 'version: 1')"),
    "a word": (
        "hello",
        "1:1: a topology is a map, not the text 'hello' (it begins with 'version: 1')",
    ),
    "a tab": (
        "version: 1\nhosts:\n\th1: {}\n",
        "3:1: a tab stands where YAML wants spaces (indent with spaces)",
    ),
    "not closed": (
        "version: [1, 2",
        "1:15: not YAML: expected ',' or ']', but got the end of the file "
        "(while parsing a flow sequence)",
    ),
    "a second colon": (
        "version: 1: 2",
        "1:11: not YAML: a second ':' in one value "
        "(is the indentation right? a value with ': ' in it needs quotes)",
    ),
    "a reserved character": (
        "version: @1",
        "1:10: not YAML: found character '@' that cannot start any token (put the value in quotes)",
    ),
    "a duplicate key": (
        "version: 1\nseed: 1\nseed: 2\n",
        "3:1: key 'seed' is written twice (the first is in line 2)",
    ),
    "a duplicate host": (
        "version: 1\nhosts:\n  h1: {}\n  h1: {}\n",
        "4:3: key 'h1' is written twice (the first is in line 3)",
    ),
    "a merge key": (
        "version: 1\nhosts: {h1: &a {}, h2: {<<: *a}}\n",
        "2:25: '<<' does not merge maps in YAML 1.2 (write the keys out)",
    ),
    "a map as key": ("version: 1\n? {a: 1}\n: 2\n", "2:3: a key must be text"),
    "a language tag": (
        "version: 1\nname: !!python/object/apply:os.system [ls]\n",
        "2:7: tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed "
        "(a topology file is plain data)",
    ),
    "a tag of its own": (
        "version: !one 1\n",
        "1:10: tag '!one' is not allowed (a topology file is plain data)",
    ),
    "an alias of nothing": ("version: *v\n", "1:10: alias '*v' stands for nothing above it"),
    "an alias of itself": ("hosts: &h {a: *h}\n", "1:15: alias '*h' stands for nothing above it"),
    "two documents": (
        "version: 1\n---\nversion: 1\n",
        "2:1: a second document begins (a topology is one document)",
    ),
    "YAML 1.1": ("%YAML 1.1\n---\nversion: 1\n", "1:1: YAML 1.1 is not read (write YAML 1.2)"),
    "a control character": (
        "version: 1\nname: a\x1b[31m\n",
        "2:8: character U+001B is not allowed (a topology file is text)",
    ),
    "a NUL": ("version: 1\0", "1:11: character U+0000 is not allowed (a topology file is text)"),
    "an escape beyond Unicode": (
        'name: "\\UFFFFFFFF"',
        "1:1: not YAML: Python int too large to convert to C int",
    ),
    "a number without end": (
        f"version: 1\nseed: {'9' * 50}\n",
        "2:7: a number of 50 characters (that is absurd)",
    ),
    "no version": ("seed: 1\n", "1:1: missing key 'version' (write 'version: 1')"),
    "another version": (
        "version: 2\n",
        "1:10: version is 1, not the number 2 (this vnet reads version 1 only)",
    ),
    "a version that equals 1": (
        "version: true\n",
        "1:10: version is 1, not true (this vnet reads version 1 only)",
    ),
    "a section of another type": (
        "version: 1\nhosts: [h1]\n",
        "2:8: hosts wants a map, not a list",
    ),
    "links that are no list": (
        "version: 1\nlinks: {a: b}\n",
        "2:8: links wants a list, not a map",
    ),
    "nesting of 5,000": ("[" * 5_000, "1:33: more than 32 levels of nesting"),
    "nesting by indentation": (
        "".join(f"{' ' * depth}k:\n" for depth in range(500)),
        "33:33: more than 32 levels of nesting",
    ),
    "an alias bomb": (
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
        "5:45: alias '*a3' unfolds the file to more than 100000 values",
    ),
    "a tower of aliases": (
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 100)),
        "31:12: more than 32 levels of nesting",
    ),
}


@pytest.mark.parametrize(("text", "message"), WHOLE_FILES.values(), ids=WHOLE_FILES)
def test_a_file_that_is_no_topology(
    text: str, message: str, problems: Callable[[str], list[str]]
) -> None:
    assert problems(text)[0] == message


def test_all_problems_come_at_once_and_in_file_order(problems: Callable[[str], list[str]]) -> None:
    text = """\
version: 1
hots: {}
hosts:
  h1: {mode: nat, nics: {eth0: {ip: 10.0.0.1}}}
  h2: {nic: {eth0: }}
vms:
  vm1: {host: h1, vnics: [{switch: br0}]}
  vm2: {host: h9}
links:
  - {ends: ['h1:eth0', 'h2:eth0'], latency: 1 parsec}
  - {ends: ['h3:eth0', 'h2:eth1']}
captures: ['vm1:eth0', 'h1:peth9', 'zz:eth0']
scenario:
  - ping: {from: vm1, to: h2}
    expect: {recieved: 1}
"""
    assert [message.split(": ")[0] for message in problems(text)] == [
        "2:1",  # hots
        "4:37",  # no prefix length
        "5:8",  # nic
        "8:15",  # h9
        "10:45",  # parsec; its ends are not judged, since h1 and h2 have faults themselves
        "11:13",  # h3
        "12:36",  # zz
        "15:14",  # recieved
    ]


def test_a_file_of_nothing_but_faults_is_cut_short(problems: Callable[[str], list[str]]) -> None:
    found = problems("version: 1\nlinks: [" + ", ".join(["3"] * 5_000) + "]")
    assert len(found) == 1_001
    assert found[-1].endswith(": and 4000 more problems")


# --- files as such ---


def refusal(path: Path | str) -> str:
    with pytest.raises(TopologyError) as caught:
        load_topology(path)
    return str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    assert refusal(path) == f"{path}:1:1: there is no such file"


def test_a_directory(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}:1:1: this is a directory (name the file in it)"


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.yaml"

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    assert refusal(path) == f"{path}:1:1: the file cannot be read: Permission denied"


def test_a_path_with_escapes_is_shown_escaped(tmp_path: Path) -> None:
    assert r"\x1b[31m.yaml:1:1: there is no such file" in refusal(tmp_path / "\x1b[31m.yaml")
    assert refusal("a\0b") == r"a\x00b:1:1: the file cannot be read: embedded null byte"


def test_a_huge_file_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as stream:
        stream.truncate(100_000_000)
    assert refusal(path) == (
        f"{path}:1:1: the file is longer than 10 MB (many like machines are written with 'count')"
    )


def test_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("version: 1\nname: ä".encode("latin-1"))
    assert refusal(path) == f"{path}:2:7: byte 0xe4 is not UTF-8 (save the file as UTF-8 text)"


def test_a_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "binary"
    path.write_bytes(bytes(range(128)))
    assert refusal(path) == (
        f"{path}:1:1: character U+0000 is not allowed (a topology file is text)"
    )


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfversion: 1\n")
    assert load_topology(path).name == "bom"
