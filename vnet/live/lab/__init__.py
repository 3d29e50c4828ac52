"""Labs that live by the wall clock, until somebody takes them down."""
