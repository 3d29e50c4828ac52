"""Files of flows and groups are taken whole, or refused with the place of the first fault."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.ovs.openflow.kit import needs_ovs
from vnet.base.errors import StorageError
from vnet.ovs.flow.protocols import P_OF15_OXM
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMod, FlowModCommand, GroupMod, PacketOut
from vnet.ovs.openflow.text.files import (
    FileTextError,
    Source,
    parse_bundle,
    parse_flows,
    parse_groups,
)

FLOWS = """\
# The first line is a comment.
table=0,actions=drop   # and so is this

   \t
delete tcp
modify priority=5,udp,actions=output:1
"""


def test_comments_and_blank_lines_are_passed_over_and_commands_heeded() -> None:
    commands = [mod.command for mod in parse_flows(Source(FLOWS))]
    assert commands == [FlowModCommand.ADD, FlowModCommand.DELETE, FlowModCommand.MODIFY]


def test_the_first_fault_is_told_with_file_and_line() -> None:
    with pytest.raises(FileTextError) as refusal:
        parse_flows(Source(FLOWS + "in_port=1\nfoo\n", "flows.txt"))
    assert (refusal.value.file, refusal.value.line) == ("flows.txt", 7)
    assert refusal.value.sentence == "must specify an action"
    assert str(refusal.value) == "flows.txt:7: must specify an action"


def test_lines_count_from_where_the_text_begins() -> None:
    with pytest.raises(FileTextError, match=r"lab\.yaml:31: must specify an action"):
        parse_flows(Source("\nip", "lab.yaml", first_line=30))


def test_what_the_switch_refuses_has_its_place_too() -> None:
    text = "actions=drop\nudp,nw_frag=later,tp_src=1,actions=drop\n"
    with pytest.raises(OpenFlowError, match=r"OFPBMC_BAD_PREREQ") as refusal:
        parse_flows(Source(text, "f"), allowed=P_OF15_OXM)
    assert refusal.value.hint == "f:2"


def test_one_protocol_serves_all_lines() -> None:
    # push_vlan needs OpenFlow 1.1 and so brings the other line there, where it says a table.
    first, _ = parse_flows(Source("actions=drop\nactions=push_vlan:0x8100"))
    assert first.table_id == 0


def test_groups_are_read_likewise() -> None:
    text = "group_id=1,type=all\n# more\nadd group_id=2,type=indirect,bucket=output:1\n"
    assert [mod.group_id for mod in parse_groups(Source(text))] == [1, 2]
    with pytest.raises(FileTextError, match="-:1: must specify a type"):
        parse_groups(Source("group_id=1"))


def test_a_bundle_mixes_all() -> None:
    text = "group group_id=1,type=all,bucket=output:1\nflow add actions=group:1\nflow delete tcp\n"
    text += "packet-out packet=ffffffffffff0200000000010800 actions=output:1"
    kinds = [type(mod) for mod in parse_bundle(Source(text))]
    assert kinds == [GroupMod, FlowMod, FlowMod, PacketOut]
    with pytest.raises(FileTextError, match="-:1: Unsupported bundle message type: meter"):
        parse_bundle(Source("meter meter=1"))


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "flows.txt"
    path.write_text(FLOWS)
    assert len(parse_flows(Source.of(path))) == 3
    missing = tmp_path / "missing"
    with pytest.raises(StorageError, match=r"missing: open failed \(No such file or directory\)"):
        Source.of(missing)


class TestBesideOvsOfctl:
    pytestmark = needs_ovs

    @pytest.mark.parametrize("fault", ["in_port=1", "foo,actions=drop", "actions=output:x"])
    def test_a_fault_is_told_as_by_ovs_ofctl(self, tmp_path: Path, fault: str) -> None:
        path = tmp_path / "flows.txt"
        path.write_text(f"# one\n\nactions=drop\n{fault}\nactions=drop\n")
        done = subprocess.run(
            ["ovs-ofctl", "parse-flows", str(path)], capture_output=True, text=True, check=False
        )
        with pytest.raises(FileTextError) as refusal:
            parse_flows(Source.of(path))
        assert done.stderr == f"ovs-ofctl: {refusal.value}\n"
