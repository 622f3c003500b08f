"""Groups of persons described by conditions: who is in them follows the facts."""
