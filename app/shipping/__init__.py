"""Shipping: the command that is refused with every reason before any event exists."""
