"""What ovs-ofctl prints and refuses, word for word, against the real one where there is one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ovs.command_switch import Switch
from tests.ovs.private_ovs import IS_INSTALLED, PrivateOvs, private_ovs
from vnet.base.errors import VnetError
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.vswitchd.ofctl.command import Options
from vnet.ovs.vswitchd.ofctl.table import ofctl

SET_UP = (
    "add-br br0 -- set bridge br0 datapath_type=dummy -- "
    "add-port br0 p1 -- set interface p1 type=dummy -- "
    "add-port br0 p2 -- set interface p2 type=dummy"
)

GIVEN = """
    dump-flows br0
    add-flow br0 priority=3,icmp,in_port=p1,actions=drop
    add-flow br0 table=1,priority=3,arp,actions=output:p2
    dump-flows br0
    dump-flows br0 icmp
    dump-flows br0 table=1
    --no-stats dump-flows br0
    --names dump-flows br0
    -OOpenFlow13 dump-flows br0
    -O OpenFlow15 dump-flows br0
    dump-aggregate br0
    dump-aggregate br0 icmp
    -O OpenFlow13 dump-aggregate br0
    mod-flows br0 icmp,actions=p2
    --strict mod-flows br0 icmp,actions=drop
    dump-flows br0 --no-stats
    del-flows br0 --strict icmp
    del-flows br0 icmp
    dump-flows br0 --no-stats
    add-group br0 group_id=1,type=all,bucket=output:2
    add-group br0 group_id=2,type=select,bucket=output:1,bucket=output:p2
    dump-groups br0
    --names dump-groups br0
    dump-groups br0 2
    dump-groups br0 9
    -O OpenFlow13 dump-groups br0
    mod-group br0 group_id=1,type=all,bucket=output:1
    insert-buckets br0 group_id=1,command_bucket_id=last,bucket=output:2
    dump-group-stats br0
    dump-group-stats br0 group_id=1
    -O OpenFlow11 dump-group-stats br0 group_id=1
    -O OpenFlow15 remove-buckets br0 group_id=1,command_bucket_id=first
    dump-groups br0 1
    del-groups br0 group_id=1
    del-groups br0
    dump-groups br0
    -O OpenFlow13 add-meter br0 'meter=1 pktps stats bands=type=drop rate=5'
    -O OpenFlow13 add-meter br0 'meter=2 kbps burst bands=type=drop rate=5 burst_size=7'
    -O OpenFlow13 dump-meters br0
    -O OpenFlow14 dump-meter br0 meter=2
    -O OpenFlow13 meter-stats br0
    -O OpenFlow15 meter-stats br0 meter=1
    -O OpenFlow13 mod-meter br0 'meter=1 kbps bands=type=drop rate=9'
    -O OpenFlow13 dump-meter br0 meter=1
    -O OpenFlow13 del-meter br0 meter=1
    -O OpenFlow13 del-meters br0
    -O OpenFlow13 dump-meters br0
    dump-ports br0 p1
    dump-ports br0 LOCAL
    dump-ports br0 77
    -O OpenFlow13 dump-ports br0 2
    mod-port br0 p1 no-flood
    mod-port br0 2 DOWN
    dump-tables br0
    -O OpenFlow13 dump-tables br0
    add-flow br0 bogus
    add-flow br0 actions=group:1
    add-flow br0 in_port=p7,actions=drop
    add-flow br0
    add-flow
    add-flow br0 a b
    add-flow br1 actions=drop
    bogus br0
    dump-flows
    dump-flows br0 in_prot=1
    dump-ports br0 zz
    mod-port br0 zz down
    mod-port br0 p1 foo
    mod-group br0 group_id=7,type=all
    -O OpenFlow13 mod-meter br0 'meter=3 kbps bands=type=drop rate=9'
    add-meter br0 -O OpenFlow10 'meter=1 pktps bands=type=drop rate=5'
    -O OpenFlow13 add-meter br0 'meter=1 pktps'
    dump-group-stats br0 1
    add-flows br0 /nowhere
    -O OpenFlow99 dump-flows br0
    --foo dump-flows br0
    -x dump-flows br0
"""

_VARYING = [
    (re.compile(r"duration=[0-9.]+s"), "duration=?"),
    (re.compile(r"duration:[0-9.]+s"), "duration:?"),
    (re.compile(r"xid=0x[0-9a-f]+"), "xid=?"),
]


def masked(text: str) -> str:
    """Without times, and numbers of messages."""
    for pattern, shown in _VARYING:
        text = pattern.sub(shown, text)
    lines = text.strip("\n").split("\n")
    # Of several groups any may come first: the real one draws a seed for their table.
    return "\n".join(sorted(lines) if "_GROUP" in lines[0] else lines)


def ours(switch: Switch, line: str) -> tuple[str, str]:
    """What is printed, and what is wrong."""
    words = shlex.split(line)
    # The program takes options before the command, too.
    at = next(n for n, word in enumerate(words) if word.islower() and not word.startswith("-"))
    try:
        text = ofctl(switch.vswitchd, words[at], [*words[:at], *words[at + 1 :]])
    except VnetError as error:
        return "", error.what
    return masked(text), ""


def theirs(real: PrivateOvs, line: str) -> tuple[str, str]:
    """The same of the real one; of a refusal by the switch its name is kept."""
    out, error = real.try_ofctl(*shlex.split(line))
    refusal = re.match(r"(?:OFPT_ERROR .*?:|Error) (\w+)", error)
    wrong = refusal[1] if refusal else error.removeprefix("ovs-ofctl: ")
    return masked(out), wrong.strip("\n")


@pytest.fixture
def switch() -> Switch:
    found = Switch()
    found.run(["ovs-vsctl", *SET_UP.split()])
    return found


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateOvs]:
    with private_ovs(tmp_path_factory.mktemp("ovs")) as ovs:
        ovs.appctl("time/stop")
        ovs.vsctl(*SET_UP.split())
        yield ovs


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
def test_the_real_program_says_the_same(switch: Switch, real: PrivateOvs) -> None:
    for line in filter(None, map(str.strip, GIVEN.splitlines())):
        assert ours(switch, line) == theirs(real, line), line


def test_files_are_all_or_nothing_and_may_be_given_in_place(switch: Switch, tmp_path: Path) -> None:
    flows = tmp_path / "flows.txt"
    flows.write_text("# two\nip,actions=drop\n\narp,actions=drop\n")
    ofctl(switch.vswitchd, "add-flows", ["br0", str(flows)])
    text = "delete arp\nadd priority=5,tcp,actions=p2  # on\n"
    ofctl(switch.vswitchd, "add-flows", ["br0", "-"], Options(stdin=text))
    shown = ofctl(switch.vswitchd, "dump-flows", ["br0", "--no-stats", "--names"]).split("\n")
    assert sorted(shown) == [
        " ip actions=drop",
        " priority=0 actions=NORMAL",
        " priority=5,tcp actions=output:p2",
    ]
    bad = Options(stdin="add udp,actions=drop\nadd ip,actions=group:9")
    with pytest.raises(OpenFlowError):
        ofctl(switch.vswitchd, "add-flows", ["br0", "-"], bad)
    left = ofctl(switch.vswitchd, "dump-flows", ["br0", "--no-stats", "--names"])
    assert left.split("\n") == shown


BUNDLES = (
    "",
    "group group_id=1,type=all,bucket=output:2\nflow add priority=4,icmp,actions=group:1\n",
    "f delete icmp  # a beginning will do\ng delete group_id=1\n",
    "flow importance=7,arp,actions=p2\nflow modify arp,actions=drop\n",
    "packet-out in_port=p1 packet=ffffffffffff0200000000010800 actions=output:2",
    "flow ip,actions=drop\npacket-out packet=ffffffffffff0200000000010800 actions=group:9",
    "flow ip,actions=group:9",
    "flow ip,actions=drop\ngroup group_id=2",
    "packet-out actions=2",
    "meter meter=1",
    "flow packet_type=(1,0x800),actions=drop",
)


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
@pytest.mark.parametrize("versions", ["", "-OOpenFlow13 ", "-OOpenFlow10 ", "-OOpenFlow15 "])
def test_bundles_are_carried_out_as_by_the_real_program(
    switch: Switch, real: PrivateOvs, tmp_path: Path, versions: str
) -> None:
    real.ofctl("del-flows", "br0")
    real.ofctl("del-groups", "br0", "-OOpenFlow13")
    ofctl(switch.vswitchd, "del-flows", ["br0"])
    for text in BUNDLES:
        path = tmp_path / "bundle.txt"
        path.write_text(text)
        for line in (
            f"{versions}bundle br0 {path}",
            "-OOpenFlow14 dump-flows br0 --no-stats",
            "-OOpenFlow14 dump-groups br0",
        ):
            assert ours(switch, line) == theirs(real, line), (text, line)
