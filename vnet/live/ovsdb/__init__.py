"""``vnet ovsdb-server``: the database as a process of its own."""
