"""A network namespace: the one IP stack that guests, hosts and routers share.

``namespace`` holds the parts together; ``interface`` is the stack's side of a device;
one file for each protocol's input and output. Frames are bytes throughout.
"""
