"""The command line: parses, calls the collection, prints."""
