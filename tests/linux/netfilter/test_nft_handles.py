"""``nft -a`` numbers tables, chains and rules as the kernel did for the same commands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vnet.lab.handles import MachineHandle
from vnet.lab.lab import Lab

LAB = """
version: 1
hosts:
  h1: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.1/24}}}
  h2: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.2/24}}}
links: [{ends: ['h1:eth0', 'h2:eth0']}]
"""
CHANGES = (
    "-A INPUT -p tcp --dport 80 -j ACCEPT",
    "-N foo",
    "-A FORWARD -j foo",
    "-t nat -A POSTROUTING -o eth0 -j MASQUERADE",
    "-I INPUT 1 -s 10.0.0.1 -j DROP",
    "-A INPUT -s 10.0.0.3 -j DROP",
    "-D INPUT 2",
    "-A INPUT -s 10.0.0.4 -j DROP",
    "-P OUTPUT DROP",
    "-R INPUT 1 -s 10.0.0.9 -j DROP",
)
FILTER = """\
table ip filter { # handle 1
	chain INPUT { # handle 1
		type filter hook input priority filter; policy accept;
		ip saddr 10.0.0.9 counter packets 0 bytes 0 drop # handle 6
		ip saddr 10.0.0.3 counter packets 0 bytes 0 drop # handle 7
		ip saddr 10.0.0.4 counter packets 0 bytes 0 drop # handle 8
	}

	chain foo { # handle 3
	}

	chain FORWARD { # handle 4
		type filter hook forward priority filter; policy accept;
		counter packets 0 bytes 0 jump foo # handle 5
	}

	chain OUTPUT { # handle 9
		type filter hook output priority filter; policy drop;
	}
}
"""
OTHERS = """\
table ip nat { # handle 2
	chain POSTROUTING { # handle 1
		type nat hook postrouting priority srcnat; policy accept;
		oifname "eth0" counter packets 0 bytes 0 masquerade # handle 2
	}
}
table ip6 filter { # handle 3
	chain INPUT { # handle 1
		type filter hook input priority filter; policy accept;
		ip6 saddr fe80::1 counter packets 0 bytes 0 drop # handle 2
	}
}
"""
INPUT = """\
table ip filter {
	chain INPUT { # handle 1
		type filter hook input priority filter; policy accept;
		ip saddr 10.0.0.9 counter packets 0 bytes 0 drop # handle 6
		ip saddr 10.0.0.3 counter packets 0 bytes 0 drop # handle 7
		ip saddr 10.0.0.4 counter packets 0 bytes 0 drop # handle 8
	}
}
"""
RESTORED = """\
table ip filter { # handle 4
	chain INPUT { # handle 1
		type filter hook input priority filter; policy accept;
		ip saddr 10.0.0.9 counter packets 0 bytes 0 drop # handle 5
		ip saddr 10.0.0.3 counter packets 0 bytes 0 drop # handle 6
		ip saddr 10.0.0.4 counter packets 0 bytes 0 drop # handle 7
	}

	chain FORWARD { # handle 2
		type filter hook forward priority filter; policy accept;
	}

	chain OUTPUT { # handle 3
		type filter hook output priority filter; policy drop;
		counter packets 0 bytes 0 jump bar # handle 8
	}

	chain bar { # handle 4
	}
}
"""


@pytest.fixture
def host() -> Iterator[MachineHandle]:
    with Lab.from_text(LAB) as lab:
        host = lab.host("h1")
        for command in CHANGES:
            host.iptables(command)
        host.ip6tables("-A INPUT -s fe80::1 -j DROP")
        yield host


def rules_in(said: str) -> str:
    """What was said, without warnings."""
    return "".join(line for line in said.splitlines(True) if not line.startswith("# Warning"))


@pytest.mark.parametrize("option", ["-a", "--handle", "-na"])
def test_tables_chains_and_rules_are_numbered_as_they_are_made(
    host: MachineHandle, option: str
) -> None:
    assert rules_in(host.nft(f"{option} list ruleset")).rstrip() == (FILTER + OTHERS).rstrip()
    assert "handle" not in host.nft("list ruleset")


def test_a_chain_is_shown_in_a_table_without_its_number(host: MachineHandle) -> None:
    assert host.nft("-a list chain ip filter INPUT").rstrip() == INPUT.rstrip()
    assert "\tchain foo { # handle 3\n" in host.nft("-a list chains")
    assert "handle" not in host.nft("-a list tables")


def test_what_is_restored_is_numbered_anew(host: MachineHandle) -> None:
    for command in ("-F FORWARD", "-X foo", "-N bar", "-A OUTPUT -j bar"):
        host.iptables(command)
    assert "jump bar # handle 11" in host.nft("-a list table filter")
    host.iptables_restore(host.iptables_save())
    assert host.nft("-a list table filter").rstrip() == RESTORED.rstrip()
