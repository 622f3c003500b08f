"""Fields that a company makes for itself on the cards of customers."""
