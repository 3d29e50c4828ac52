"""What messages of many kinds are made of: properties, names, counters, numbers of ports."""
