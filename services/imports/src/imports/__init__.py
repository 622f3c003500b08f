"""The branches' workbooks, read, checked and loaded into the services that own the records."""
