"""ovs-vsctl(8) over a database: what users say of bridges and rows becomes transactions.

Nothing here knows the switch; the rows that it is configured by are all there is.
"""
