"""conntrack(8): the connections of a machine, shown and deleted (conntrack-tools 1.4.7)."""
