"""What ovsdb-server and ovs-vswitchd have in common as processes.

Options, the way into the background, the locked pidfile, log files, the control socket, signals,
and a clean end. What a daemon does in between is a :class:`~vnet.live.daemon.program.Program`.
"""
