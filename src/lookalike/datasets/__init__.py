"""Labelled pictures on disk: the folder layouts of published data sets, read into plain records."""
