"""A topology on the kernel of this machine: its nodes are network namespaces, its cables veths.

What a file means is not decided here. The lab is built in memory as ``vnet run`` would build it,
and ``reading`` writes down what stands then, device by device, as a ``plan``; ``building`` makes
the same of the kernel. So bridges, modes and addresses mean one thing in both.
"""
