"""The front door: sign-in and REST; it composes answers and holds no business rule."""
