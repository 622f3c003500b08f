"""The REST routes, one file an area; each is a table of calls, and functions only where a call is not enough."""
