"""Floor 13: the controller shell, ``vnet shell FILE``.

One registry (:mod:`~vnet.shell.registry`) holds every command with its usage, examples and
completion; :mod:`~vnet.shell.dispatch` runs a line against it, and knows nothing of
terminals. :mod:`~vnet.shell.interactive` is the rim: it hangs the same commands into cmd2,
which is imported only when somebody sits at a prompt. What ``ip``, ``bridge``, ``brctl`` and
``sysctl`` print is made in :mod:`~vnet.shell.views`.
"""
