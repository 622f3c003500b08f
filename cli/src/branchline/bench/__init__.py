"""Benchmarks, one module each; `catalogue` says what a module must offer."""
