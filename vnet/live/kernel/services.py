"""The programs that run in a lab for as long as it is up: dnsmasq, radvd and dhclient.

They carry the name of the lab in their environment, so that whoever takes it down knows them for
ours, even where nobody lived to write down that they were started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from vnet.live.kernel import dnsmasq, namespaces, radvd
from vnet.live.kernel.errors import KernelError
from vnet.live.kernel.plan import NodePlan, Plan
from vnet.live.kernel.programs import PATIENCE_S, find_program
from vnet.live.kernel.record import Record
from vnet.wire import dhcp_options

_OPTION_NAMES = {
    dhcp_options.NETMASK: "subnet-mask",
    dhcp_options.BROADCAST: "broadcast-address",
    dhcp_options.TIME_OFFSET: "time-offset",
    dhcp_options.ROUTER: "routers",
    dhcp_options.DOMAIN_NAME: "domain-name",
    dhcp_options.DNS_SERVER: "domain-name-servers",
    dhcp_options.DOMAIN_SEARCH: "domain-search",
    dhcp_options.HOSTNAME: "host-name",
    dhcp_options.NETBIOS_NAME_SERVER: "netbios-name-servers",
    dhcp_options.NETBIOS_SCOPE: "netbios-scope",
    dhcp_options.MTU: "interface-mtu",
    dhcp_options.CLASSLESS_ROUTES: "rfc3442-classless-static-routes",
    dhcp_options.NTP_SERVER: "ntp-servers",
}

# dhclient-script(8) of the machine would write to its /etc.
_SCRIPT = """#!/bin/sh
case "$reason" in
  PREINIT) ip link set dev "$interface" up ;;
  BOUND | RENEW | REBIND | REBOOT)
    [ -e "$bound" ] || wc -c <"$leases" >"$bound"
    if [ -n "$old_ip_address" ] && [ "$old_ip_address" != "$new_ip_address" ]; then
      ip -4 addr flush dev "$interface"
    fi
    ip -4 addr replace "$new_ip_address/$new_subnet_mask" \
      ${new_broadcast_address:+broadcast "$new_broadcast_address"} dev "$interface" \
      valid_lft "$new_dhcp_lease_time" preferred_lft "$new_dhcp_lease_time"
    echo "$new_domain_name_servers" >"$servers"
    [ -z "$new_interface_mtu" ] || ip link set dev "$interface" mtu "$new_interface_mtu"
    for router in $new_routers; do
      ip -4 route replace default via "$router" dev "$interface"
      break
    done ;;
  EXPIRE | FAIL | RELEASE | STOP) ip -4 addr flush dev "$interface" ;;
esac
"""


class _Client(NamedTuple):
    """A dhclient: what it is told, and its files. ``bound`` is its script's, and holds the size
    that ``leases`` had when the first lease had come."""

    words: list[str]
    pid: Path
    leases: Path
    bound: Path


class Services:
    """Starts the programs of a lab whose namespaces are called ``names``."""

    def __init__(self, plan: Plan, names: dict[str, str], record: Record) -> None:
        self._plan = plan
        self._names = names
        self._record = record
        self._clients: dict[tuple[str, str], _Client] = {}
        """By node and device."""
        self._running: set[tuple[str, str]] = set()

    @property
    def folder(self) -> Path:
        """Where the programs leave what they know."""
        return self._record.folder

    def start(self) -> None:
        """First those who answer, then those who ask."""
        for node in self._plan.nodes:
            self._start_dnsmasq(node)
            if node.advertising:
                self._start_radvd(node)
        asking = [(node, device) for node in self._plan.nodes for device in node.asking]
        if asking:
            script = self._write_script()
            for node, device in asking:
                self._start_dhclient(node, device, script)

    def _start_dnsmasq(self, node: NodePlan) -> None:
        for number, (served, relays) in enumerate(dnsmasq.daemons(node)):
            leases = self._file(node, f"dnsmasq{number}.leases")
            pid = self._file(node, f"dnsmasq{number}.pid")
            self._run(node, dnsmasq.words(served, relays, leases, pid))

    def _start_radvd(self, node: NodePlan) -> None:
        config, pid = self._file(node, "radvd.conf"), self._file(node, "radvd.pid")
        config.write_text(radvd.config(node), encoding="utf-8")
        self._run(node, ["radvd", "-C", str(config), "-p", str(pid), "-m", "none"])

    def _start_dhclient(self, node: NodePlan, device: str, script: Path) -> None:
        config = self._file(node, f"{device}.conf")
        # dhclient asks for what it was told to by name.
        wanted = ", ".join(_OPTION_NAMES.values())
        text = "option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;\n"
        text += f'send host-name "{node.name}";\nrequest {wanted};\n'
        config.write_text(text, encoding="utf-8")
        leases = self._file(node, f"{device}.leases")
        pid = self._file(node, f"{device}.pid")
        files = ["-cf", str(config), "-lf", str(leases), "-pf", str(pid), "-sf", str(script)]
        servers = leased_servers(self._record.folder, self._plan.lab, node.name, device)
        self._record.will_write(servers)
        bound = self._file(node, f"{device}.bound")
        paths = {"servers": servers, "leases": leases, "bound": bound}
        told = [word for name, path in paths.items() for word in ("-e", f"{name}={path}")]
        self._clients[node.name, device] = _Client([*told, *files, device], pid, leases, bound)
        self.start_client(node.name, device)

    def asking(self, node: str) -> list[str]:
        """The devices of a node that get their addresses by DHCP."""
        return [device for name, device in self._clients if name == node]

    def runs(self, node: str, device: str) -> bool:
        """Whether a client asks for a device: it has not been told to end since it began."""
        return (node, device) in self._running

    def start_client(self, node: str, device: str) -> None:
        """Have a device ask for an address: for the one that it had, if it had any."""
        self._tell_client(node, device, "-nw")
        self._running.add((node, device))

    def has_kept_lease(self, node: str, device: str) -> bool:
        """Whether the client has written down the lease that it has got since it was started, and
        will know it when it is started again. Its device has the address a moment before."""
        client = self._clients[node, device]
        try:
            size_before = client.bound.read_text(encoding="ascii").strip()
            size = client.leases.stat().st_size
        except FileNotFoundError:
            return False
        return size_before.isdigit() and size > int(size_before)

    def stop_client(self, node: str, device: str) -> None:
        """End the client as when its machine goes down: nobody is told, and the address stays."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(self._clients[node, device].pid.read_text()), signal.SIGKILL)
        self._running.discard((node, device))

    def release(self, node: str, device: str) -> None:
        """Give the lease back, and end the client."""
        self._tell_client(node, device, "-r")

    def _tell_client(self, node: str, device: str, action: str) -> None:
        self._running.discard((node, device))
        client = self._clients[node, device]
        client.bound.unlink(missing_ok=True)
        words = ["dhclient", "-4", "-q", action, *client.words]
        self._run(self._plan.node(node), words)

    def _run(self, node: NodePlan, words: list[str]) -> None:
        """Run a program that goes into the background by itself once it is ready."""
        # A file, for a pipe would stay open in the background.
        with (
            namespaces.inside(self._names[node.name]),
            tempfile.TemporaryFile() as said,
        ):
            try:
                done = subprocess.run(
                    [find_program(words[0]), *words[1:]],
                    env={namespaces.MARK: self._plan.lab, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    timeout=PATIENCE_S,
                    start_new_session=True,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                what = f"{node.name}: {words[0]} is not ready after {PATIENCE_S:g} s"
                raise KernelError(what) from None
            said.seek(0)
            text = said.read().decode(errors="replace").strip()
        if done.returncode:
            raise KernelError(f"{node.name}: {words[0]}: {text}")

    def _file(self, node: NodePlan, kind: str) -> Path:
        """A file for a program, which goes when the lab does."""
        path = self._record.folder / f"{self._plan.lab}-{node.name}.{kind}"
        self._record.will_write(path)
        return path

    def _write_script(self) -> Path:
        """What dhclient calls; not below /run, from where programs may not be started."""
        handle, name = tempfile.mkstemp(prefix=f"vnet-{self._plan.lab}-", suffix=".sh")
        path = Path(name)
        self._record.will_write(path)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_SCRIPT)
        path.chmod(0o700)
        return path


def leased_servers(folder: Path, lab: str, node: str, device: str = "*") -> Path:
    """The file that has the DNS servers which came with a lease."""
    return folder / f"{lab}-{node}.{device}.servers"


def marked(lab: str, pids: list[int]) -> list[int]:
    """Those of some processes that were started for a lab."""
    wanted = f"{namespaces.MARK}={lab}".encode()
    return [pid for pid in pids if wanted in _environment(pid)]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
