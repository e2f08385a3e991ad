"""Answers as pictures and self-contained HTML pages."""
