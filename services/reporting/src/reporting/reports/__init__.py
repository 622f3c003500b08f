"""The reports: each file answers one question and lists the records behind its figures."""
