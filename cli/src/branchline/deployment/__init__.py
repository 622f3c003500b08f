"""What a distributed platform needs before its first start: secrets, and the broker's definitions with its users."""
