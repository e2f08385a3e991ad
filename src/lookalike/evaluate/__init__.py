"""How good the answers are, one file a task; and how much of the exact answer an index finds."""
