"""Retention: what may be purged when, and what a legal hold keeps."""
