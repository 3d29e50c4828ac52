"""What a bridge says of itself, as ``ovs-ofctl`` and ``ovs-appctl`` print it."""
