"""Erasing what is not regulated, with every proof still valid (docs/formats/redaction.md)."""
