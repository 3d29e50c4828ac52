"""How a host puts its guests on the network: one mode a file, each with its scripts' steps.

``bridge`` has Xen's network-bridge and vif-bridge and what distributions do today, ``route`` and
``nat`` Xen's network-route and network-nat with their vif scripts, ``libvirt`` the virtual
networks that libvirtd starts. Each step goes through the host's namespace, as the scripts go
through ip(8), brctl(8) and iptables(8), and is written down for ``-v``.
"""
