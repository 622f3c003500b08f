"""Pipelines, deals, products and plans."""
