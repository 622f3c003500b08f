"""Which cards may be one customer: described, paired by blocks, compared field by field, weighed, and grouped."""
