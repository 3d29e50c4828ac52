"""Where controllers and ovs-ofctl reach the bridges of a live switch."""
