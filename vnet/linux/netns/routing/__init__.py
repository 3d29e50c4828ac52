"""Where packets of a namespace go.

``destination`` is the answer to that question and ``routing`` gives it, by the rules and tables
of :mod:`vnet.tables.policy`; ``connected`` are the routes that addresses bring; ``routes`` and
``rules`` are what ``ip route`` and ``ip rule`` do.
"""
