"""The unit dimension every record carries: a service's copy of the directory's units, and the one filter by them."""
