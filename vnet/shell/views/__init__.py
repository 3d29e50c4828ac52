"""What Linux's own tools print of a namespace or a bridge, to the space at the line's end.

The layouts are those of iproute2 6.1, procps 4 and bridge-utils 1.7. Functions take the
thing itself (:class:`~vnet.linux.netns.namespace.Namespace`,
:class:`~vnet.linux.bridge.bridge.Bridge`) and return text; they know of no shell.
"""
