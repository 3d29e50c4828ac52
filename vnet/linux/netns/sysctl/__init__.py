"""The kernel's settings of a namespace, as ``sysctl net`` shows them.

``ipv4``, ``ipv6``, ``neighbor`` and ``bridge`` list what there is, with the kernel's defaults and
how a device's own value and that of ``all`` make one. ``names`` reads and writes their names,
``tree`` keeps one value for each device, and ``sysctls`` holds all of them.
"""
