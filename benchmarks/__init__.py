"""Measurements, one command each: ``python -m benchmarks NAME [ARGUMENTS]``; results are kept as JSON."""
