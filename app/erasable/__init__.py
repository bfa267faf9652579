"""Erasable values: found in documents, encrypted, kept apart from what is regulated, and read back."""
