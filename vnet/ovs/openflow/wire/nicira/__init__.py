"""Messages of Nicira's that have no like in OpenFlow."""
