"""Read models built from events, and the reports over them."""
