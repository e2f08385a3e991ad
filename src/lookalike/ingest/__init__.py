"""Images through an encoder into a store: bounded memory, safe to interrupt, every input accounted for."""
