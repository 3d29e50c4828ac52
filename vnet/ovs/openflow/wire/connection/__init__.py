"""What two peers say of the connection itself: versions, roles, what is told unasked, bundles."""
