"""The record of a collection, and what searches it: a contract, its engines, filters, the gallery."""
