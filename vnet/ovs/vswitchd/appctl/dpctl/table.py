"""Every ``dpctl/...`` command, in the order in which ``dpctl/list-commands`` tells them."""

from __future__ import annotations

from vnet.ovs.vswitchd.appctl.command import AppctlCommand
from vnet.ovs.vswitchd.appctl.dpctl import actions, conntrack, flows, fragments, interfaces, show
from vnet.ovs.vswitchd.appctl.dpctl.call import DpctlCall, Handler, dpctl

_FILTERS = "[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]"
_TUPLES = "[dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]"
_LIMITS = "[dp] [default=L] [zone=N,limit=L]..."


def _list(call: DpctlCall) -> None:
    call.say("The available commands are:")
    call.say(*(f"  {command.name:<28}  {command.usage}" for command in _SHOWN))


def _command(name: str, usage: str, least: int, most: int | None, run: Handler) -> AppctlCommand:
    full = f"dpctl/{name}"
    return AppctlCommand(full, usage, least, most, dpctl(full, least, run))


DPCTL_COMMANDS = (
    _command("add-dp", "dp [iface...]", 1, None, interfaces.add_datapath),
    _command("del-dp", "dp", 1, 1, interfaces.delete_datapath),
    _command("add-if", "dp iface...", 2, None, interfaces.add),
    _command("del-if", "dp iface...", 2, None, interfaces.delete),
    _command("set-if", "dp iface...", 2, None, interfaces.change),
    _command("dump-dps", "", 0, 0, show.dump_names),
    _command("show", "[-s] [dp...]", 0, None, show.show),
    _command("dump-flows", _FILTERS, 0, 6, flows.dump),
    _command("add-flow", "[dp] flow actions", 2, 3, flows.add),
    _command("mod-flow", "[dp] flow actions", 2, 3, flows.modify),
    _command("get-flow", "[dp] ufid", 1, 2, flows.get),
    _command("del-flow", "[dp] flow", 1, 2, flows.delete),
    _command("add-flows", "[dp] file", 1, 2, flows.add_all),
    _command("mod-flows", "[dp] file", 1, 2, flows.modify_all),
    _command("del-flows", "[dp] [file]", 0, 2, flows.delete_all),
    _command("offload-stats-show", "[dp]", 0, 1, show.show_offload),
    _command("dump-conntrack", "[-m] [-s] [dp] [zone=N]", 0, 4, conntrack.dump),
    _command("flush-conntrack", _TUPLES, 0, 4, conntrack.flush),
    _command("cache-get-size", "[dp]", 0, 1, show.show_cache_sizes),
    _command("cache-set-size", "dp cache <size>", 3, 3, show.set_cache_size),
    _command("ct-stats-show", "[dp] [zone=N]", 0, 3, conntrack.show_stats),
    _command("ct-bkts", "[dp] [gt=N]", 0, 2, conntrack.show_buckets),
    _command("ct-set-maxconns", "[dp] maxconns", 1, 2, conntrack.set_max),
    _command("ct-get-maxconns", "[dp]", 0, 1, conntrack.show_max),
    _command("ct-get-nconns", "[dp]", 0, 1, conntrack.show_count),
    _command("ct-enable-tcp-seq-chk", "[dp]", 0, 1, conntrack.enable_sequence_check),
    _command("ct-disable-tcp-seq-chk", "[dp]", 0, 1, conntrack.disable_sequence_check),
    _command("ct-get-tcp-seq-chk", "[dp]", 0, 1, conntrack.show_sequence_check),
    _command("ct-set-limits", _LIMITS, 1, None, conntrack.set_limits),
    _command("ct-del-limits", "[dp] zone=N1[,N2]...", 1, 2, conntrack.delete_limits),
    _command("ct-get-limits", "[dp] [zone=N1[,N2]...]", 0, 2, conntrack.show_limits),
    _command("ipf-set-enabled", "[dp] v4|v6", 1, 2, fragments.enable),
    _command("ipf-set-disabled", "[dp] v4|v6", 1, 2, fragments.disable),
    _command("ipf-set-min-frag", "[dp] v4|v6 minfragment", 2, 3, fragments.set_least),
    _command("ipf-set-max-nfrags", "[dp] maxfrags", 1, 2, fragments.set_most),
    _command("ipf-get-status", "[dp]", 0, 1, fragments.show_status),
    _command("list-commands", "", 0, None, _list),
    _command("parse-actions", "actions", 1, None, actions.parse),
    _command("normalize-actions", "actions", 2, None, actions.normalize),
)
_SHOWN = DPCTL_COMMANDS
