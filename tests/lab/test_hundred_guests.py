"""A hundred guests behind one address: they lease, resolve, and reach the world; who is who is
in the report."""

from __future__ import annotations

from ipaddress import IPv4Address

from vnet.cli.render import nat_table
from vnet.lab.lab import Lab
from vnet.shell.context import ShellContext
from vnet.shell.dispatch import run_line


def test_a_hundred_guests_lease_resolve_and_ping_and_the_report_shows_the_nat_table() -> None:
    with Lab.load("@nat-hundred-guests") as lab:
        lab.advance("2min")
        guests = [f"vm{number}" for number in range(1, 101)]
        leased = {name: lab.vm(name).namespace.interface("eth0").addresses for name in guests}
        ips = [IPv4Address(address.ip) for found in leased.values() for address in found]
        assert len(ips) == len(set(ips)) == 100
        pool = (IPv4Address("192.168.122.2"), IPv4Address("192.168.122.254"))
        assert all(pool[0] <= ip <= pool[1] for ip in ips)

        assert all(lab.vm(name).resolve("www") == ["198.51.100.80"] for name in guests)
        assert all(lab.vm(name).ping("198.51.100.80", count=1).received == 1 for name in guests)

        report = lab.report()
        assert sorted(IPv4Address(row.source.split()[0]) for row in report.nat) == sorted(ips)
        assert {row.new_source.split()[0] for row in report.nat} == {"203.0.113.1"}
        assert {(row.target, row.new_target) for row in report.nat} == {("198.51.100.80",) * 2}
        outside = [row.new_source for row in report.nat]
        assert len(set(outside)) == 100, "no two have one identifier"
        assert report.as_json()["nat"][0]["machine"] == "h1"
        assert len(nat_table(report.nat, verbose=True).rows) == 100

        leases = str(run_line(ShellContext(lab), "h1 virsh net-dhcp-leases default")).split("\n")
        assert len([line for line in leases if "/24" in line]) == 100
