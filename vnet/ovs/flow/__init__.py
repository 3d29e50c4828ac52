"""What a frame looks like to the switch: its flow, the fields in it, masks and matches."""
