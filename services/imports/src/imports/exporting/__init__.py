"""Exports: lists and reports that people take away as files, within their rights and their budget."""
