"""Who works where, and who may see what."""
