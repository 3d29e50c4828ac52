"""What ovs-appctl(8) may ask a daemon. :mod:`~vnet.ovs.vswitchd.appctl.table` has all of it."""
