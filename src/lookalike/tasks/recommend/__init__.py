"""Recommendation: what a person would like, from what they liked and what it looks like."""
