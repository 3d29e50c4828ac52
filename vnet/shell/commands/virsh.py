"""``virsh``: the machines and networks of a host, as libvirt's own tool shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean
from vnet.shell.context import ShellContext, Words
from vnet.shell.options import Arguments
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command
from vnet.shell.virsh.help import help_text
from vnet.shell.virsh.host import URIS, Host
from vnet.shell.virsh.language import read, take_connection
from vnet.shell.virsh.machines import MACHINES
from vnet.shell.virsh.networks import NETWORKS

_COMMANDS = {**MACHINES, **NETWORKS}
_GROUPS = {"Domain Management": ("domain", MACHINES), "Networking": ("network", NETWORKS)}
_NOT_HERE = frozenset(
    (
        "attach-device",
        "attach-interface",
        "autostart",
        "console",
        "create",
        "define",
        "destroy",
        "detach-device",
        "detach-interface",
        "domif-setlink",
        "edit",
        "migrate",
        "net-autostart",
        "net-create",
        "net-define",
        "net-edit",
        "net-undefine",
        "net-update",
        "reboot",
        "reset",
        "restore",
        "resume",
        "save",
        "shutdown",
        "suspend",
        "undefine",
    )
)
"""What changes machines and networks."""


def _what(context: ShellContext, words: Sequence[str]) -> Iterable[str]:
    """The networks or machines of the node that stands first."""
    domains = context.lab.network.domains.get(words[0])
    known = _COMMANDS.get(words[1]) if len(words) > 1 else None
    if domains is None or known is None or not known.argument:
        return ()
    return domains.running if known.argument == "domain" else domains.networks.started


@command(
    "virsh",
    "[-c URI] COMMAND ...",
    "machines and networks of a host, as libvirt's virsh(1) shows them",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(2, None),
    examples=[
        "h1 virsh list",
        "h1 virsh domiflist vm1",
        "h1 virsh net-list --all",
        "h1 virsh help",
    ],
    completes=[Words(), Words("help", *_COMMANDS), _what],
)
def virsh(context: ShellContext, arguments: Arguments) -> Output:
    """On hosts of KVM and of Xen; networks are those of modes nat, route, isolated and open. 'h1
    virsh help' lists the commands.
    """
    node, *words = arguments.words
    domains = context.lab.network.domains.get(node)
    if domains is None or domains.host.hypervisor not in URIS:
        raise UsageError(f"{node} has no libvirt", "hosts of kvm and xen have it")
    uri = URIS[domains.host.hypervisor]
    name, *rest = take_connection(words, uri) or ["help"]
    if name in ("help", "-h", "--help"):
        return help_text(_GROUPS, rest)
    if name in ("uri", "hostname"):
        return (uri if name == "uri" else node) + "\n\n"
    known = _COMMANDS.get(name)
    if known is None:
        raise _unknown(name)
    return known.run(Host(context.lab.network, domains), read(name, known, rest)) + "\n\n"


def _unknown(name: str) -> UsageError:
    if name in _NOT_HERE:
        what = f"error: {name} is not done here"
        return UsageError(what, "machines and networks are those of the file, and all run")
    hint = did_you_mean(name, list(_COMMANDS), "there are")
    return UsageError(f"error: unknown command: '{name}'", hint)
