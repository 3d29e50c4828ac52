"""The kinds of cases: a module each, with a function ``draw`` that writes one case.

To add a kind: such a module, what it reads of the database (``views.py``), and a few of its
cases in ``tests/data/ovs/``.
"""
