"""Mathematics on arrays: similarity, nearest neighbours, match strength, diversity."""
