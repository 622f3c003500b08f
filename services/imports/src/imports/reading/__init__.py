"""Reading the branches' files: a path in, typed rows and findings out. No database, no network, no business meaning.

The public names are below; README.md beside this file shows their use.
"""

from imports.reading.workbook import inspect_file, open_source, read_rows

__all__ = ["inspect_file", "open_source", "read_rows"]
