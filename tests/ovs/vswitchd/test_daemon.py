"""A daemon becomes what its database says, and says in it what became of that."""

from __future__ import annotations

from tests.ovs.vswitchd.row_switch import RowSwitch, dummy, mutate, named_ports
from vnet.base.units import NS_PER_S
from vnet.ovs.flow.ports import OFPP_LOCAL
from vnet.ovs.vswitchd.appctl.table import appctl
from vnet.ovs.vswitchd.daemon import Abilities
from vnet.sim.frame import Frame

BROADCAST = bytes.fromhex("ffffffffffff020000000001123400") + bytes(45)
STATUS = ("admin_state", "link_state", "mtu", "ifindex", "link_resets")


def test_a_bridge_in_the_database_is_a_bridge_and_its_ports_have_numbers() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"), dummy("p2", ofport_request=7))
    assert switch.numbers() == {"br0": OFPP_LOCAL, "p1": 1, "p2": 7}
    assert switch.get("Interface", "br0", "ofport") == OFPP_LOCAL
    assert switch.get("Interface", "p2", "ofport") == 7
    assert switch.get("Interface", "p1", *STATUS) == ["up", "up", 1500, 0, 0]


def test_cur_cfg_follows_next_cfg_in_one_transaction_with_the_numbers() -> None:
    switch = RowSwitch()
    told = []
    switch.database.on_commit(lambda commit: told.append(commit.changes))
    switch.add_bridge("br0", dummy("p1"))
    assert switch.get("Open_vSwitch", ".", "cur_cfg", "next_cfg") == [1, 1]
    root, interfaces = (told[-1][table].values() for table in ("Open_vSwitch", "Interface"))
    assert [change.new and change.new.columns["cur_cfg"] for change in root] == [(1,)]
    assert all(change.new and change.new.columns["ofport"] for change in interfaces)


def test_what_is_wrong_with_an_interface_is_said_there_and_stops_no_other() -> None:
    switch = RowSwitch()
    switch.add_bridge(
        "br0",
        {"name": "lost"},
        {"name": "odd", "type": "foo"},
        {"name": "half", "type": "patch"},
        {"name": "vx", "type": "vxlan"},
        dummy("p1"),
    )
    errors = {
        name: switch.get("Interface", name, "error") for name in ("lost", "odd", "half", "vx")
    }
    assert errors == {
        "lost": "could not open network device lost (No such device)",
        "odd": "could not open network device odd (Address family not supported by protocol)",
        "half": "half: patch type requires valid 'peer' argument",
        "vx": "vx: vxlan type requires valid 'remote_ip' argument",
    }
    assert switch.get("Interface", "lost", "ofport", *STATUS) == [-1, None, None, None, None, None]
    assert switch.get("Interface", "p1", "ofport", "error") == [1, None]
    assert "bridge|WARN|could not open network device lost (No such device)" in switch.log.lines


def vxlan(name: str, **options: str) -> dict[str, object]:
    pairs = [list(pair) for pair in {"remote_ip": "flow", **options}.items()]
    return {"name": name, "type": "vxlan", "options": ["map", pairs]}


def test_what_is_wrong_with_several_options_is_one_message_in_open_vswitchs_order() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", vxlan("vx", colour="red", exts="gbp,foo", remote_ip="bad"))
    said = (
        "vx: unknown extension 'foo'\nvx: bad vxlan 'remote_ip'\n"
        "vx: unknown vxlan argument 'colour'\nvx: vxlan type requires valid 'remote_ip' argument"
    )
    assert switch.get("Interface", "vx", "error") == said
    assert f"netdev_vport|WARN|{said}" in switch.log.lines
    assert 'socket_util|ERR|"bad" is not a valid IP address' in switch.log.lines
    switch.add_bridge("br1", vxlan("v6", remote_ip="::g"))
    assert 'socket_util|ERR|"::g" is not a valid IPv6 address' in switch.log.lines


def test_on_one_udp_port_all_vxlan_tunnels_have_group_policies_or_none() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", vxlan("p1"))
    switch.add_bridge("br1", vxlan("p2", exts="gbp", key="1"), vxlan("p3", dst_port="99"))
    mixed = "p2: VXLAN-GBP, and non-VXLAN-GBP tunnels can't be configured on the same dst_port"
    assert switch.get("Interface", "p2", "ofport", "error") == [-1, mixed]
    assert f"netdev_vport|WARN|{mixed}" in switch.log.lines
    assert "netdev|WARN|p2: could not set configuration (File exists)" in switch.log.lines
    switch.set("Interface", "p3", options=vxlan("p3", exts="gbp")["options"])
    assert switch.get("Interface", "p3", "ofport") == -1
    switch.set("Interface", "p1", options=vxlan("p1", dst_port="99")["options"])
    assert switch.get("Interface", "p2", "error") is None
    assert switch.get("Interface", "p3", "error") is None


def test_an_interface_that_is_mended_runs() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", {"name": "vx", "type": "vxlan"})
    switch.set("Interface", "vx", options=["map", [["remote_ip", "10.0.0.1"]]])
    assert switch.get("Interface", "vx", "ofport", "error", "mtu") == [1, None, None]
    switch.set("Interface", "vx", options=["map", []])
    assert switch.get("Interface", "vx", "ofport") == -1
    assert switch.numbers() == {"br0": OFPP_LOCAL}


def test_a_patch_port_wants_its_peer_to_be_there() -> None:
    switch = RowSwitch()
    options = ["map", [["peer", "b"]]]
    switch.add_bridge("br0", {"name": "a", "type": "patch", "options": options})
    assert switch.get("Interface", "a", "error") == "No usable peer 'b' exists in 'dummy' datapath."
    other = {"name": "b", "type": "patch", "options": ["map", [["peer", "a"]]]}
    switch.add_bridge("br1", other)
    assert switch.get("Interface", "a", "error") is None
    assert switch.get("Interface", "b", "error") is None


def test_a_station_behind_a_port_that_goes_is_forgotten_behind_patches_too() -> None:
    switch = RowSwitch()
    for bridge, name, peer in (("br0", "a", "b"), ("br1", "b", "a")):
        patch = {"name": name, "type": "patch", "options": ["map", [["peer", peer]]]}
        switch.add_bridge(bridge, patch, dummy(f"{bridge}-p"))
    tables = [switch.vswitchd.bridges[name].switching.mac_table for name in ("br0", "br1")]
    for name in ("br0-p", "br1-p"):
        source = f"0200000000{name[2]}1"
        switch.devices[name].receive(Frame(bytes.fromhex("f" * 12 + source + "1234" + "00" * 46)))
        switch.scheduler.run(switch.scheduler.now_ns + NS_PER_S)
    assert [len(table) for table in tables] == [2, 2]
    uuid = ["uuid", switch.row("Port", "br0-p").uuid]
    switch.transact(mutate("Bridge", "ports", "delete", uuid, name="br0"))
    assert [[entry.mac for entry in table] for table in tables] == [[0x020000000011]] * 2


def test_no_patch_leads_to_a_bridge_of_another_type() -> None:
    switch = RowSwitch()
    for bridge, kind, name, peer in (("br0", "dummy", "a", "b"), ("br1", "netdev", "b", "a")):
        port = {"name": name, "type": "patch", "options": ["map", [["peer", peer]]]}
        switch.add_bridge(bridge, port, datapath_type=kind)
    assert switch.get("Interface", "a", "error") == "No usable peer 'b' exists in 'dummy' datapath."
    assert switch.get("Interface", "b", "error") == (
        "No usable peer 'a' exists in 'netdev' datapath."
    )
    assert appctl(switch.vswitchd, "dpif/dump-dps", []) == "dummy@br0\nnetdev@br1"


def test_a_port_changes_its_type_and_its_bridge() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"))
    switch.add_bridge("br1")
    first = switch.devices["p1"]
    switch.set("Interface", "p1", type="internal")
    assert switch.devices["p1"] is not first
    uuid = ["uuid", switch.row("Port", "p1").uuid]
    switch.transact(
        mutate("Bridge", "ports", "delete", uuid, name="br0"),
        mutate("Bridge", "ports", "insert", uuid, name="br1"),
    )
    assert switch.numbers("br0") == {"br0": OFPP_LOCAL}
    assert switch.numbers("br1") == {"br1": OFPP_LOCAL, "p1": 1}


def test_a_port_that_goes_and_comes_in_one_transaction_is_a_new_one() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1", ofport_request=5))
    first = switch.devices["p1"]
    old = ["uuid", switch.row("Port", "p1").uuid]
    switch.transact(
        mutate("Bridge", "ports", "delete", old, name="br0"),
        {"op": "insert", "table": "Interface", "uuid-name": "i", "row": dummy("p1")},
        {
            "op": "insert",
            "table": "Port",
            "uuid-name": "p",
            "row": {"name": "p1", "interfaces": ["named-uuid", "i"]},
        },
        mutate("Bridge", "ports", "insert", ["named-uuid", "p"], name="br0"),
    )
    # As in Open vSwitch, an interface of the same name and type is the one that was there.
    assert switch.devices["p1"] is first
    assert switch.get("Interface", "p1", "ofport") == 5


def test_links_are_told_of_when_they_change() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"))
    switch.devices["p1"].set_admin(False)
    switch.scheduler.run(0)
    assert switch.get("Interface", "p1", *STATUS) == ["down", "down", 1500, 0, 0]
    switch.devices["p1"].set_carrier(False)
    switch.devices["p1"].set_admin(True)
    switch.scheduler.run(0)
    assert switch.get("Interface", "p1", *STATUS) == ["up", "down", 1500, 0, 1]


def test_statistics_are_written_when_asked_for() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"), dummy("p2"))
    switch.devices["p1"].deliver(BROADCAST)
    switch.scheduler.run(0)
    assert switch.get("Interface", "p1", "statistics")["rx_packets"] == 0
    switch.daemon.refresh()
    counted = switch.get("Interface", "p1", "statistics")
    assert (counted["rx_packets"], counted["rx_bytes"], counted["rx_q0_packets"]) == (1, 60, 1)
    assert switch.get("Interface", "p2", "statistics")["tx_packets"] == 1


def test_a_bridge_is_known_by_its_rows_identity_unless_a_port_lends_its_address() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0")
    digits = switch.row("Bridge", "br0").uuid.replace("-", "")
    drawn = bytes.fromhex(digits[:16])
    first = drawn[3] & ~1 | 2
    own = f"{first:02x}{drawn[2]:02x}{drawn[1]:02x}{drawn[0]:02x}{drawn[7]:02x}{drawn[6]:02x}"
    assert switch.get("Bridge", "br0", "datapath_id") == f"0000{own}"
    switch.set("Bridge", "br0", other_config=["map", [["hwaddr", "00:11:22:33:44:55"]]])
    assert switch.get("Interface", "br0", "mac_in_use") == "00:11:22:33:44:55"
    assert switch.get("Bridge", "br0", "datapath_id") == "0000001122334455"
    switch.set("Bridge", "br0", other_config=["map", [["datapath-id", "fedcba9876543210"]]])
    assert switch.get("Bridge", "br0", "datapath_id") == "fedcba9876543210"
    assert "bridge|INFO|bridge br0: using datapath ID fedcba9876543210" in switch.log.lines


def test_internal_ports_carry_what_the_others_do() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1", mtu_request=1400), dummy("p2"))
    assert switch.get("Interface", "br0", "mtu") == 1400
    switch.set("Interface", "br0", mtu_request=9000)
    assert switch.get("Interface", "br0", "mtu") == 9000


def test_spanning_trees_are_told_of_while_they_are_spoken() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"), rstp_enable=True)
    switch.scheduler.run(0)
    assert switch.get("Bridge", "br0", "rstp_status")["rstp_root_path_cost"] == "0"
    assert switch.get("Port", "p1", "rstp_status")["rstp_port_role"] == "Designated"
    switch.daemon.refresh()
    assert "rstp_tx_count" in switch.get("Port", "p1", "rstp_statistics")
    switch.set("Bridge", "br0", rstp_enable=False)
    assert switch.get("Bridge", "br0", "rstp_status") == {}
    assert switch.get("Port", "p1", "rstp_status", "rstp_statistics") == [{}, {}]


def test_what_others_keep_in_rows_configures_nothing() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"))
    configured = []
    switch.daemon.configured = lambda: configured.append(1)
    switch.transact(
        {
            "op": "update",
            "table": "Interface",
            "where": [],
            "row": {"external_ids": ["map", [["a", "b"]]]},
        }
    )
    assert not configured
    switch.set("Interface", "p1", ofport_request=9)
    assert configured == [1]


def test_with_order_kept_ports_are_numbered_as_their_rows_came() -> None:
    switch = RowSwitch(in_order=True)
    names = ["z", "y", "x", "w", "v", "u", "t", "s"]
    switch.add_bridge("br0", *map(dummy, names))
    switch.add_ports("br0", dummy("r"))
    numbers = switch.numbers()
    assert [numbers[name] for name in (*names, "r")] == list(range(1, 10))


def test_a_bridge_that_goes_takes_its_ports_along() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"))
    uuid = ["uuid", switch.row("Bridge", "br0").uuid]
    switch.transact(mutate("Open_vSwitch", "bridges", "delete", uuid))
    assert not switch.devices
    assert not switch.vswitchd.bridges
    assert "bridge|INFO|bridge br0: deleted interface p1 on port 1" in switch.log.lines


def test_names_that_reach_elsewhere_or_are_the_datapaths_own_are_passed_over() -> None:
    switch = RowSwitch()
    switch.add_bridge("a/b")
    assert not switch.vswitchd.bridges
    assert switch.get("Interface", "a/b", "ofport") is None
    assert 'bridge|WARN|ignoring bridge with invalid name "a/b"' in switch.log.lines
    switch.add_bridge("br0", dummy("vxlan_sys_4789"), dummy("ovs-netdev"))
    assert switch.get("Interface", "vxlan_sys_4789", "ofport", "error") == [-1, None]
    assert "bridge|WARN|could not create interface ovs-netdev, name is reserved" in switch.log.lines


def test_another_interval_between_statistics_begins_at_once() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"))
    switch.daemon.tell_statistics_regularly()
    switch.scheduler.run(NS_PER_S)

    def counted() -> int:
        switch.devices["p1"].deliver(BROADCAST)
        number: int = switch.get("Interface", "p1", "statistics")["rx_packets"]
        return number

    assert counted() == 0
    switch.scheduler.run(5 * NS_PER_S)
    assert counted() == 1
    interval = ["map", [["stats-update-interval", "100000"]]]
    switch.set("Open_vSwitch", ".", other_config=interval)
    switch.scheduler.run(10 * NS_PER_S)
    assert counted() == 2
    switch.scheduler.run(100 * NS_PER_S)
    assert counted() == 2
    switch.set("Open_vSwitch", ".", other_config=["map", []])
    switch.scheduler.run(101 * NS_PER_S)
    assert counted() == 4


def test_a_datapath_that_is_asked_about_says_what_it_can() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0")
    switch.transact(
        {"op": "insert", "table": "Datapath", "uuid-name": "d", "row": {"datapath_version": "1"}},
        mutate("Open_vSwitch", "datapaths", "insert", ["map", [["dummy", ["named-uuid", "d"]]]]),
    )
    (row,) = switch.rows("Datapath")
    capabilities = dict(row.columns["capabilities"])
    assert capabilities["recirc"] == capabilities["sample_nesting"] == "true"
    assert capabilities["max_mpls_depth"] == "3"


def test_what_is_not_used_of_settings_is_said() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"), stp_enable=True, rstp_enable=True)
    switch.set("Port", "p1", tag=9, trunks=["set", [1, 2]])
    switch.add_ports("br0", {"name": "i1", "type": "internal", "mac": "01:00:00:00:00:01"})
    switch.transact(
        {"op": "insert", "table": "Mirror", "uuid-name": "m", "row": {"name": "m0"}},
        mutate("Bridge", "mirrors", "insert", ["named-uuid", "m"], name="br0"),
    )
    assert {
        "bridge|WARN|br0: RSTP and STP are mutually exclusive but both are configured; "
        "enabling RSTP",
        "bridge|WARN|port p1: ignoring trunks in favor of implicit vlan",
        "bridge|ERR|interface i1: cannot set MAC to multicast address",
        "bridge|ERR|bridge br0: mirror m0 does not specify output; ignoring",
    } <= set(switch.log.lines)


def test_a_bridge_of_another_type_is_another_and_one_of_no_known_type_cannot_be() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"))
    first = switch.vswitchd.bridges["br0"]
    switch.set("Bridge", "br0", datapath_type="netdev")
    assert switch.vswitchd.bridges["br0"] is not first
    switch.set("Bridge", "br0", datapath_type="foo")
    assert not switch.vswitchd.bridges
    failed = "failed to create bridge br0: Address family not supported by protocol"
    assert f"bridge|ERR|{failed}" in switch.log.lines


def test_lacp_speaks_with_the_address_that_the_bridge_is_given() -> None:
    switch = RowSwitch()
    switch.transact(
        {"op": "insert", "table": "Interface", "uuid-name": "l", "row": dummy("br0")},
        {"op": "insert", "table": "Interface", "uuid-name": "a", "row": dummy("a")},
        {"op": "insert", "table": "Interface", "uuid-name": "b", "row": dummy("b")},
        {
            "op": "insert",
            "table": "Port",
            "uuid-name": "port0",
            "row": {"name": "br0", "interfaces": ["named-uuid", "l"]},
        },
        {
            "op": "insert",
            "table": "Port",
            "uuid-name": "port1",
            "row": {
                "name": "bond0",
                "interfaces": ["set", [["named-uuid", "a"], ["named-uuid", "b"]]],
                "lacp": "active",
            },
        },
        {
            "op": "insert",
            "table": "Bridge",
            "uuid-name": "bridge",
            "row": {
                "name": "br0",
                "datapath_type": "dummy",
                "ports": named_ports(2),
                "other_config": ["map", [["hwaddr", "aa:55:aa:55:00:99"]]],
            },
        },
        mutate("Open_vSwitch", "bridges", "insert", ["named-uuid", "bridge"]),
    )
    lacp = switch.vswitchd.bridges["br0"].switching.bundles["bond0"].lacp
    assert lacp is not None
    assert lacp.settings.system == bytes.fromhex("aa55aa550099")
    # Until nobody has answered for a while, the partner may be there.
    assert switch.get("Interface", "a", "lacp_current") is True


def test_a_port_that_comes_after_it_was_deleted_has_another_number() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"))
    for number in (2, 3):
        switch.add_ports("br0", dummy("p2"))
        assert switch.numbers()["p2"] == number
        switch.delete_port("br0", "p2")
    switch.set("Interface", "p1", type="internal")
    assert switch.numbers()["p1"] == 1


def test_a_number_that_is_too_long_to_be_read_is_one_that_is_too_large() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1"))
    far_too_large = ["map", [["mac-aging-time", "9" * 5000], ["stp-priority", "9" * 5000]]]
    switch.set("Bridge", "br0", other_config=far_too_large, stp_enable=True)
    switch.set("Interface", "p1", external_ids=["map", [["note", "9" * 5000]]])
    assert switch.get("Open_vSwitch", ".", "cur_cfg") == switch.get("Open_vSwitch", ".", "next_cfg")


def test_controllers_may_ask_for_actions_for_tests_where_there_are_dummies() -> None:
    assert RowSwitch(abilities=Abilities(("dummy", "netdev"))).vswitchd.backer.allows_debug
    assert not RowSwitch(abilities=Abilities(("netdev",))).vswitchd.backer.allows_debug
