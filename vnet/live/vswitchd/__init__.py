"""``vnet ovs-vswitchd``: the switch as a process of its own."""
