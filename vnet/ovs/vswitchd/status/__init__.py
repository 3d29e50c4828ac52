"""What a daemon tells its database of what runs (ovs-vswitchd.conf.db(5), the status columns)."""
