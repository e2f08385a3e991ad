"""What the service answers, one file a noun; each has a ``router``."""
