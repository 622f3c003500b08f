"""The workplace: pages for people's browsers over the same services as REST."""
